r"""Writes the zoo's index, saved_models/README.md, from the models' cards.

  python experiments/index_models.py

A card is the README.md in a model's folder: a title, a picture, a paragraph that says what it is,
and a section on its license.
"""

import json
import pathlib
import re

from absl import flags

from experiments import program

FLAGS = flags.FLAGS
flags.DEFINE_string(
    "directory",
    str(pathlib.Path(__file__).parents[1] / "saved_models"),
    "Folder of the models' folders.",
)


def main():
    directory = pathlib.Path(FLAGS.directory).expanduser()
    path = directory / "README.md"
    path.write_text(index(directory))
    print(path)


def index(directory):
    """The text of the index of a folder of models."""
    cards = sorted(directory.glob("*/README.md"))
    if not cards:
        raise ValueError(f"There is no model's card, */README.md, in {directory}")
    return "\n".join(
        [
            "# Trained models",
            "",
            "Written by `experiments/index_models.py` from the models' cards: change those.",
            "",
            *("\n".join(_entry(card)) for card in cards),
        ]
    )


def _entry(card):
    name = card.parent.name
    text = card.read_text()
    title = _found(r"^# (.+)$", text, "a title", card)
    summary = _found(r"^([A-Z`].+?)\n\n", text, "a paragraph that says what it is", card)
    terms = _found(r"^## License\n\n(.+?)\s*(?:\n\n|\Z)", text, "a section on its license", card)
    picture = re.search(r"^!\[(.+)\]\((.+)\)$", text, re.MULTILINE)
    yield f"## [{title}]({name}/README.md)\n"
    if picture:
        yield f"![{picture[1]}]({name}/{picture[2]})\n"
    yield summary + "\n"
    config = card.parent / "config.json"
    if config.exists():
        generator = json.loads(config.read_text())["generator"]
        size, classes = generator["image_size"], generator["num_classes"]
        color = "grey" if generator["channels"] == 1 else "RGB"
        kind = "unconditional" if classes is None else f"{classes} classes"
        yield f'{size}x{size} pixels, {color}, {kind}. `SAGAN.from_preset("{name}")`\n'
    yield terms + "\n"


def _found(pattern, text, what, card):
    match = re.search(pattern, text, re.MULTILINE | re.DOTALL if "\\n" in pattern else re.MULTILINE)
    if not match:
        raise ValueError(f"{card} lacks {what}")
    return match[1]


if __name__ == "__main__":
    program.run(main)
