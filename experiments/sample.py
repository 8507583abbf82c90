r"""Draws images from a trained model, with no data set at hand.

A grid of threes and sevens:

  python experiments/sample.py --model=sagan_digits_16 --labels=3,7 --num_images=40 --output=x.png

From one image to another, and what the generator attends to:

  python experiments/sample.py --model=runs/digits/preset --interpolate --output=walk.png
  python experiments/sample.py --model=runs/digits/preset --attention --output=attention.png

Single images, 5,000 of them: a PNG file each in a folder per class, which --dataset=flowers/ reads
again; or all in one file of arrays, uint8 `images` and int32 `labels`:

  python experiments/sample.py --model=runs/flowers --num_images=5000 --output=flowers/
  python experiments/sample.py --model=runs/flowers --num_images=5000 --output=flowers.npz

A run that is still training, at its newest checkpoint or at a certain one:

  python experiments/sample.py --model=runs/digits --output=now.png
  python experiments/sample.py --model=runs/digits/checkpoints/step_0000500 --output=then.png
"""

import os
import pathlib

import tqdm
from absl import flags, logging
from PIL import Image

from experiments import program, settings_flags
from sagan_tf import files
from sagan_tf.data import folder_names, write_image_arrays, write_image_folder
from sagan_tf.evaluation.protocol import Protocol
from sagan_tf.labels import check_labels
from sagan_tf.models.model_folder import find_config

FLAGS = flags.FLAGS
flags.DEFINE_string("model", None, "Preset, or folder of a model or a run.", required=True)
flags.DEFINE_string(
    "output",
    None,
    "Picture to write, such as x.png; or a new folder for a file per image, such as images/; or a "
    "file of arrays, such as x.npz.",
    required=True,
)
flags.DEFINE_list(
    "labels",
    None,
    "Classes, by name or number, such as cat,dog or 3,7, which are taken in turn. Without it they "
    "are drawn at random; with --interpolate each row has the next.",
)
flags.DEFINE_integer(
    "num_images",
    None,
    "How many images there are (64 by default), or rows with --interpolate (8) or --attention (5).",
    lower_bound=1,
)
flags.DEFINE_integer(
    "seed", None, "Seed: the same one draws the same images. Without it they are new each time.", 0
)
flags.DEFINE_bool(
    "interpolate", False, "Whether to draw rows that walk from one latent to another."
)
flags.DEFINE_bool("attention", False, "Whether to draw attention maps over the images.")
settings_flags.define(Protocol, "truncation", "ema", "standing_statistics")

_PICTURE, _FOLDER, _ARRAYS = "picture", "folder", "arrays"
_WALK = 10


def main():
    if FLAGS.attention and FLAGS.interpolate:
        raise ValueError("--attention and --interpolate exclude each other")
    labels = FLAGS.labels
    output, kind = checked_output()
    settings = settings_flags.given(Protocol, "ema", "standing_statistics", "truncation")
    config = find_config(FLAGS.model)
    if labels is not None:
        labels = check_labels(labels, config.model.num_classes, config.class_names).tolist()
    (sagan,) = program.load_models(FLAGS.model, **settings)

    options = {"truncation": FLAGS.truncation, "seed": FLAGS.seed, "use_ema": FLAGS.ema}
    if kind == _PICTURE:
        files.write_picture(output, draw_picture(sagan, labels, options))
        print(output)
        return
    num_images = FLAGS.num_images or 64
    batches = with_progress(sagan.generate_batches(labels, num_images, **options), num_images)
    if kind == _ARRAYS:
        size, channels = sagan.generator.image_size, sagan.generator.channels
        write_image_arrays(output, batches, (num_images, size, size, channels))
    else:
        write_image_folder(output, batches, names_of_folders(sagan))
    print(output)


def checked_output():
    """The path of --output, and what is to be written there."""
    path = pathlib.Path(FLAGS.output)
    is_folder = not path.suffix or FLAGS.output.endswith(("/", os.sep))
    path = program.output_path("output", folder=is_folder)
    if not is_folder and path.suffix.lower() != ".npz":
        if Image.registered_extensions().get(path.suffix.lower()) not in Image.SAVE:
            raise ValueError(
                "--output must be a file such as x.png or x.npz, or a folder such as images/. "
                f"Received: {FLAGS.output}"
            )
        return path, _PICTURE
    if FLAGS.attention or FLAGS.interpolate:
        drawn = "attention" if FLAGS.attention else "interpolate"
        raise ValueError(f"--{drawn} draws a picture: --output must be a file such as x.png")
    if path.is_dir():
        if any(path.iterdir()):
            raise ValueError(f"--output={path} is a folder with files in it: name a new one")
        # The whole folder is renamed when it is done.
        fixed = path.samefile(".") or os.path.ismount(path) or not os.access(path.parent, os.W_OK)
        if fixed:
            raise ValueError(f"--output={path} cannot be replaced: name a new folder in it")
    return path, _FOLDER if is_folder else _ARRAYS


def names_of_folders(sagan):
    """A name for the folder of each class, `None` for an unconditional model."""
    if sagan.generator.num_classes is None:
        return None
    names = [str(name) for name in sagan.class_names or range(sagan.generator.num_classes)]
    folders = folder_names(names)
    changed = [pair for pair in zip(names, folders, strict=True) if len({*pair}) > 1]
    if changed:
        shown = ", ".join(f"{name!r} in {folder}" for name, folder in changed[:10])
        message = "%d classes have names that no folder can have. Their images are in others: %s%s"
        logging.warning(message, len(changed), shown, ", ..." if len(changed) > 10 else "")
    return names


def with_progress(batches, num_images):
    """The batches, with a bar on a terminal that counts their images."""
    with tqdm.tqdm(total=num_images, desc="images", unit="img", disable=None) as bar:
        for images, labels in batches:
            yield images, labels
            bar.update(len(images))


def draw_picture(sagan, labels, options):
    """The picture of images, walks or attention that the flags ask for."""
    from sagan_tf import models, visualization

    if FLAGS.attention:
        return visualization.attention_picture(sagan, labels, FLAGS.num_images or 5, **options)
    if not FLAGS.interpolate:
        images = sagan.generate(labels, FLAGS.num_images or 64, **options)
        headings = visualization.class_headings(sagan, labels)
        return visualization.sample_grid(images, column_labels=headings)
    rows, num_classes = FLAGS.num_images or 8, sagan.generator.num_classes
    latents = models.draw_latents(2 * rows, sagan.generator.latent_dim, FLAGS.seed)
    walk = models.interpolate_latents(latents[:rows], latents[rows:], _WALK)
    if labels is None and num_classes is not None:
        labels = range(num_classes)
    if labels:
        # Each row keeps its class.
        labels = [labels[row % len(labels)] for row in range(rows) for _ in range(_WALK)]
    images = sagan.generate(labels, latents=walk.reshape(rows * _WALK, -1), **options)
    return visualization.sample_grid(images, columns=_WALK)


if __name__ == "__main__":
    program.run(main)
