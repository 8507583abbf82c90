r"""Images per second of the input pipeline, beside what a training step takes.

  python -m benchmarks.pipeline --folder=~/cifar10 --output=pipeline.json

Bundled digits are decoded once and kept; so is a folder of images up to 1 GiB of pixels. Of larger
ones every image is decoded when its turn comes ("streamed").
"""

import pathlib
import tempfile
import time

from absl import app, flags

from benchmarks import report

FLAGS = flags.FLAGS
flags.DEFINE_string("output", None, "JSON file to write.")
flags.DEFINE_string("folder", None, "Folder of images, one folder per class. Default: made up.")
flags.DEFINE_integer(
    "num_images", 2_000, "Images to make up, 256x256 JPEG files, without --folder."
)
flags.DEFINE_float("seconds", 5.0, "How long each is measured.")

_BATCH = 64


def main(_):
    with tempfile.TemporaryDirectory() as directory:
        folder = pathlib.Path(FLAGS.folder or made_up(directory)).expanduser()
        rows = {
            "digits, 16x16": measured("digits", 16, 1),
            "folder, 32x32, in memory": measured(folder, 32, 3),
            "folder, 32x32, streamed": measured(folder, 32, 3, streamed=True),
            "folder, 128x128, streamed": measured(folder, 128, 3, streamed=True),
        }
    columns = {"images/s": "images_per_second", "first batch, s": "first_seconds"}
    report.show(rows, columns)
    report.write(FLAGS.output, rows)


def made_up(directory):
    """A folder of noise with large shapes, two classes."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(0)
    for index in range(FLAGS.num_images):
        small = random.integers(256, size=(16, 16, 3), dtype=np.uint8)
        path = pathlib.Path(directory, f"class_{index % 2}", f"{index}.jpg")
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(small).resize((256, 256), Image.Resampling.BICUBIC).save(path)
    return directory


def measured(name, image_size, channels, streamed=False):
    """Images per second of one data set, and the time to its first batch."""
    from sagan_tf import data
    from sagan_tf.data import pipeline

    limit = pipeline.MAX_BYTES_IN_MEMORY
    pipeline.MAX_BYTES_IN_MEMORY = 0 if streamed else limit
    try:
        began = time.perf_counter()
        batches = iter(data.load(str(name), image_size, _BATCH, channels=channels))
        next(batches)
        first = time.perf_counter() - began
    finally:
        pipeline.MAX_BYTES_IN_MEMORY = limit
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < FLAGS.seconds:
        next(batches)
        count += _BATCH
    return {
        "images_per_second": count / (time.perf_counter() - began),
        "first_seconds": first,
    }


if __name__ == "__main__":
    app.run(main)
