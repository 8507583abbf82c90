r"""Draws images from a trained model, with no data set at hand.

A grid of threes and sevens:

  python experiments/sample.py --model=sagan_digits_16 --labels=3,7 --num_images=40 --output=x.png

From one image to another, and what the generator attends to:

  python experiments/sample.py --model=runs/digits/preset --interpolate --output=walk.png
  python experiments/sample.py --model=runs/digits/preset --attention --output=attention.png

An endless walk from image to image and from class to class, as a WebP or GIF animation, and one of
the pictures that a run has drawn on the way:

  python experiments/sample.py --model=runs/digits --interpolate --labels=3,7,1 --output=walk.webp
  python experiments/sample.py --model=runs/digits --progress --output=progress.webp

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
import signal

import numpy as np
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
    "file of arrays, such as x.npz; or an animation, such as x.webp or x.gif with --interpolate.",
    required=True,
)
flags.DEFINE_list(
    "labels",
    None,
    "Classes, by name or number, such as cat,dog or 3,7, which are taken in turn. Without it they "
    "are drawn at random, with --attention and --interpolate all in turn. With --interpolate each "
    "row has the next, and in an animation every image passes through all of them.",
)
flags.DEFINE_integer(
    "num_images",
    None,
    "How many images there are (64 by default, 9 in an animation), or rows with --interpolate (8) "
    "or --attention (5). More --labels than that have one each.",
    lower_bound=1,
)
flags.DEFINE_integer(
    "seed", None, "Seed: the same one draws the same images. Without it they are new each time.", 0
)
flags.DEFINE_bool(
    "interpolate",
    False,
    "Whether to draw rows that walk from one latent to another, or an animation of such walks.",
)
flags.DEFINE_bool(
    "progress",
    False,
    "Whether to make an animation of the pictures that the run --model has drawn in training.",
)
flags.DEFINE_bool("attention", False, "Whether to draw attention maps over the images.")
_DRAWING = ("truncation", "ema", "standing_statistics")
settings_flags.define(Protocol, *_DRAWING)

_PICTURE, _ANIMATION, _FOLDER, _ARRAYS = "picture", "animation", "folder", "arrays"
_ANIMATED = (".gif", ".webp")
_IDLE_WITH_PROGRESS = ("labels", "num_images", "seed", *_DRAWING)
_MAX_FRAMES = 200


def main():
    modes = [name for name in ("attention", "interpolate", "progress") if FLAGS[name].value]
    if len(modes) > 1:
        raise ValueError(f"--{' and --'.join(modes)} exclude each other")
    labels = FLAGS.labels
    output, kind = checked_output(*modes)
    if FLAGS.progress:
        write_progress(output)
        print(output)
        return
    settings = settings_flags.given(Protocol, *_DRAWING)
    config = find_config(FLAGS.model)
    if labels is not None:
        labels = check_labels(labels, config.model.num_classes, config.class_names).tolist()
    (sagan,) = program.load_models(FLAGS.model, **settings)

    options = {"truncation": FLAGS.truncation, "seed": FLAGS.seed, "use_ema": FLAGS.ema}
    if kind == _PICTURE:
        files.write_picture(output, draw_picture(sagan, labels, options))
    elif kind == _ANIMATION:
        write_walk(output, sagan, labels, options)
    else:
        write_images(output, kind, sagan, labels, options)
    print(output)


def checked_output(mode=None):
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
        animated = mode in ("interpolate", "progress") and path.suffix.lower() in _ANIMATED
        if mode == "progress" and not animated:
            raise ValueError(f"--progress is for a file such as x.webp or x.gif. Received: {path}")
        return path, _ANIMATION if animated else _PICTURE
    if mode:
        raise ValueError(f"--{mode} draws a picture: --output must be a file such as x.webp")
    if path.is_dir():
        if any(path.iterdir()):
            raise ValueError(f"--output={path} is a folder with files in it: name a new one")
        # The whole folder is renamed when it is done.
        fixed = path.samefile(".") or os.path.ismount(path) or not os.access(path.parent, os.W_OK)
        if fixed:
            raise ValueError(f"--output={path} cannot be replaced: name a new folder in it")
    return path, _FOLDER if is_folder else _ARRAYS


def write_images(output, kind, sagan, labels, options):
    """Writes single images, into a folder or a file of arrays."""
    # It ends like ^C, which leaves no half of a folder behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    num_images = count(labels, 64)
    batches = with_progress(sagan.generate_batches(labels, num_images, **options), num_images)
    if kind == _ARRAYS:
        size, channels = sagan.generator.image_size, sagan.generator.channels
        write_image_arrays(output, batches, (num_images, size, size, channels))
    else:
        write_image_folder(output, batches, names_of_folders(sagan))


def names_of_folders(sagan):
    """A name for the folder of each class, `None` for an unconditional model."""
    if sagan.generator.num_classes is None:
        return None
    names = [str(name) for name in sagan.class_names or range(sagan.generator.num_classes)]
    folders = folder_names(names)
    changed = [pair for pair in zip(names, folders, strict=True) if len({*pair}) > 1]
    if changed:
        shown = ", ".join(f"{name!r} to {folder}" for name, folder in changed[:10])
        message = "Some names of classes cannot be names of folders, so these were changed: %s%s"
        logging.warning(message, shown, ", ..." if len(changed) > 10 else "")
    return names


def with_progress(batches, num_images):
    """The batches, with a bar on a terminal that counts their images."""
    with tqdm.tqdm(total=num_images, desc="images", unit="img", disable=None) as bar:
        for images, labels in batches:
            yield images, labels
            bar.update(len(images))


def count(labels, default):
    """The number of images or rows: --num_images, or the default, or one for each label."""
    return FLAGS.num_images or max(default, len(labels or ()))


def draw_picture(sagan, labels, options):
    """The picture of images, walks or attention that the flags ask for."""
    from sagan_tf import visualization

    if FLAGS.attention:
        return visualization.attention_picture(sagan, labels, count(labels, 5), **options)
    if FLAGS.interpolate:
        return visualization.walk_picture(sagan, labels, count(labels, 8), **options)
    images = sagan.generate(labels, count(labels, 64), **options)
    headings = visualization.class_headings(sagan, labels)
    return visualization.sample_grid(images, column_labels=headings)


def write_walk(output, sagan, labels, options):
    """Writes an animation of walks that go on for ever."""
    from sagan_tf import visualization

    frames = visualization.walk_frames(sagan, labels, FLAGS.num_images or 9, **options)
    files.write_animation(output, frames, 50)


def write_progress(output):
    """Writes an animation of the pictures that a run has drawn while it was trained."""
    for name in _IDLE_WITH_PROGRESS:
        if FLAGS[name].present:
            raise ValueError(f"--{name} does nothing with --progress, which draws nothing anew")
    folder = pathlib.Path(FLAGS.model).expanduser() / "samples"
    paths = sorted(folder.glob("step_*.png"))
    if not paths:
        raise ValueError(f"{folder} holds no pictures: --progress needs --model=DIR of a run")
    chosen = np.unique(np.linspace(0, len(paths) - 1, min(len(paths), _MAX_FRAMES)).round())
    frames = [Image.open(paths[int(index)]) for index in chosen]
    if len({frame.size for frame in frames}) > 1:
        raise ValueError(f"The pictures in {folder} are not all of the same size")
    # One sees how it began, and how it ended.
    shown = [1000, *[150] * (len(frames) - 2), 3000][-len(frames) :]
    files.write_animation(output, frames, shown)


if __name__ == "__main__":
    program.run(main)
