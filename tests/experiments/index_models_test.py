import pathlib

import pytest

from experiments.index_models import index

SAVED_MODELS = pathlib.Path(__file__).parents[2] / "saved_models"


def test_the_index_is_that_of_the_cards():
    assert (SAVED_MODELS / "README.md").read_text() == index(SAVED_MODELS)


def test_every_model_is_in_it():
    text = index(SAVED_MODELS)
    folders = {path.name for path in SAVED_MODELS.iterdir() if path.is_dir()}
    assert {line.split("](")[1].split("/")[0] for line in text.splitlines() if "## [" in line} == (
        folders
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no title\n\n", "a title"),
        ("# m\n\nA model.\n\n## Data\n", "license"),
        ("# m\n\n## License\n\nx\n", "paragraph"),
    ],
)
def test_a_card_that_lacks_something_is_named(tmp_path, text, message):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "README.md").write_text(text)
    with pytest.raises(ValueError, match=f"m/README.md lacks .*{message}"):
        index(tmp_path)


def test_a_folder_without_cards_is_named(tmp_path):
    with pytest.raises(ValueError, match=tmp_path.name):
        index(tmp_path)
