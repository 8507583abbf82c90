r"""Makes a model folder, which all programs take, from the weights of other code.

A checkpoint of mmgeneration, and one of StudioGAN's folders:

  python experiments/import_weights.py --from=mmgeneration --input=sagan_128.pth --bgr \
      --batch_norm_epsilon=1e-5 --class_names=imagenet.txt --output=models/sagan_128
  python experiments/import_weights.py --from=studiogan --input=CIFAR10-SAGAN-train \
      --class_names=airplane,automobile,bird,cat,deer,dog,frog,horse,ship,truck \
      --output=models/cifar10

docs/from_other_code.md says which weights there are, and which flags import them.
"""

import math
import os
import pathlib
import textwrap

from absl import flags

from experiments import program, settings_flags
from sagan_tf import files
from sagan_tf.models.model_folder import CONFIG_FILE

FLAGS = flags.FLAGS
_CARD = "README.md"
_MMGENERATION = ("bgr", "relu_in_place", "batch_norm_epsilon", "gain_offset")
# Source, what is known of the license, and scores that were published, by image size.
_SOURCES = {
    "official": (
        "https://github.com/brain-research/self-attention-gan",
        "The code has Apache-2.0",
        {128: "IS 52.52 and FID 18.65 on ImageNet (arXiv 1805.08318, table 2)"},
    ),
    "studiogan": (
        "https://github.com/POSTECH-CVLab/PyTorch-StudioGAN",
        "The code, and the weights at Hugging Face, have the MIT license",
        {
            32: "FID 10.35 on CIFAR-10, of 10,000 images against the test set",
            128: "IS 29.85 and FID 34.73 on ImageNet, of 50,000 images against the validation set",
        },
    ),
    "mmgeneration": (
        "https://github.com/open-mmlab/mmgeneration/tree/master/configs/sagan",
        "The code has Apache-2.0",
        {
            32: "FID 9.43 and IS 9.32 on CIFAR-10, of 50,000 images against the training set, the "
            "best of four models",
            128: "FID 12.83 and IS 69.54 on ImageNet, of 50,000 images against the training set, "
            "the best of three models (BigGAN schedule)",
        },
    ),
}

settings_flags.define_choice("from", None, list(_SOURCES), "Whose weights they are.")
flags.DEFINE_string("input", None, "File or folder of the weights.", required=True)
flags.DEFINE_string("output", None, "Folder that becomes the model folder.", required=True)
flags.DEFINE_string(
    "class_names", None, "Names of the classes: a text file with one per line, or cat,dog."
)
flags.DEFINE_bool("bgr", False, "Whether mmgeneration trained on images with blue first.")
flags.DEFINE_bool(
    "relu_in_place", False, "Whether ReLU worked in place in mmgeneration's discriminator."
)
flags.DEFINE_float("batch_norm_epsilon", 1e-4, "mmgeneration's norm_eps.")
flags.DEFINE_float(
    "gain_offset",
    1.0,
    "What mmgeneration adds to its tables of gains: 1 where init_cfg is BigGAN or studio, else 0.",
)


def main():
    if FLAGS["from"].value is None:
        raise ValueError(f"--from is missing: {', '.join(_SOURCES)}")
    for name in _MMGENERATION:
        if FLAGS[name].present and FLAGS["from"].value != "mmgeneration":
            raise ValueError(f"--{name} is for --from=mmgeneration")
    output = program.output_path("output", folder=True)
    if (output / CONFIG_FILE).exists():
        raise ValueError(f"--output={output} holds a model already: choose another folder")
    if (output / _CARD).exists():
        raise ValueError(f"--output={output} has a {_CARD} already: choose another folder")
    source = pathlib.Path(FLAGS.input).expanduser()
    names = _class_names()
    program.start_tensorflow()

    sagan = _load(source)
    count = sagan.generator.num_classes
    if names is not None and count is None:
        raise ValueError("--class_names: this model is unconditional, it has no classes")
    if names is not None and len(names) != count:
        raise ValueError(f"--class_names has {len(names)} names, the model {count} classes")
    sagan.class_names = names
    url, *_ = _SOURCES[FLAGS["from"].value]
    sagan.reference = f"Weights of {url}, imported from {source.name}."
    sagan.save_preset(output)
    (output / _CARD).write_text(_card(sagan, source, output), encoding="utf-8")
    print(f"{_summary(sagan)}\n{output}")


def _class_names():
    text = FLAGS.class_names
    if text is None:
        return None
    path = pathlib.Path(text).expanduser()
    # A list of names can be longer than the name of a file may be, of which a `Path` complains.
    is_file = os.path.isfile(path)
    names = path.read_text(encoding="utf-8").splitlines() if is_file else text.split(",")
    names = tuple(name.strip() for name in names if name.strip())
    if not names:
        raise ValueError(f"--class_names holds no names. Received: {text!r}")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"--class_names must be different names. Received: {twice} twice")
    return names


def _load(source):
    from sagan_tf import SAGAN, interop

    if FLAGS["from"].value == "official":
        return SAGAN(*interop.load_official_checkpoint(source))
    if FLAGS["from"].value == "studiogan":
        return interop.load_studiogan(source)
    arguments = {name: FLAGS[name].value for name in _MMGENERATION}
    return interop.load_mmgeneration(source, **arguments)


def _files_read(source):
    from sagan_tf.interop import official_checkpoint, studiogan

    if FLAGS["from"].value == "official":
        return official_checkpoint.checkpoint_files(source)
    if FLAGS["from"].value == "studiogan":
        return sorted(studiogan.find_files(source).values())
    return [source]


def _summary(sagan):
    model = sagan.config.model
    classes = "no classes" if model.num_classes is None else f"{model.num_classes} classes"
    counts = ", ".join(
        f"{sum(math.prod(weight.shape) for weight in getattr(sagan, name).trainable_weights):,} "
        f"parameters in the {name}"
        for name in ("generator", "discriminator")
    )
    return f"{model.image_size}x{model.image_size} pixels, {classes}, {counts}"


def _card(sagan, source, output):
    code = FLAGS["from"].value
    url, license_text, published = _SOURCES[code]
    paths = _files_read(source)
    listed = "\n".join(f"| `{path.name}` | `{files.sha256(path)}` |" for path in paths)
    flags_given = " ".join(f"--{name}={FLAGS[name].value}" for name in _MMGENERATION)
    options = f" They were imported with {flags_given}." if code == "mmgeneration" else ""
    score = published.get(sagan.generator.image_size)
    scores = f"For a SAGAN of this size they published {score}. Whether it was this one, check at \
the source."
    what = f"These are weights of other code, <{url}>: {_summary(sagan)}.{options}"
    license_text += ". Check at the source what holds for these weights, and what holds for the \
images on which they were trained."
    scores = f"{scores if score else 'No scores of a SAGAN of this size are known here.'} Scores \
depend on features, images and protocol: compare only what you measure alike, with \
`python experiments/evaluate.py`."
    differences = "At inference the networks equal theirs, up to rounding. Training on from here \
is not theirs: spectral norms are those of one power iteration per step and have a gradient, class \
tables of batch norm are not spectrally normalized, optimizers begin anew, and the average of the \
weights is this package's."
    sections = {
        f"# {output.name}": what,
        "## Files": f"| file | SHA-256 |\n|---|---|\n{listed}",
        "## License": license_text,
        "## Scores": scores,
        "## What differs": differences,
    }
    return "\n\n".join(f"{title}\n\n{_wrapped(text)}" for title, text in sections.items()) + "\n"


def _wrapped(text):
    if text.startswith("|"):
        return text
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    program.run(main)
