"""The input pipeline: batches whose order is a pure function of the seed and the position."""

import math

import keras
import numpy as np
from absl import logging

from sagan_tf.data.catalog import find_dataset
from sagan_tf.data.decoded_images import DecodedImages
from sagan_tf.data.image_reader import ImageReader
from sagan_tf.data.source import Source
from sagan_tf.images import check_channels

# Data sets are decoded once, into memory, up to this size.
MAX_BYTES_IN_MEMORY = 2**30


def load(
    name_or_path="digits",
    image_size=16,
    batch_size=64,
    *,
    channels=3,
    num_classes=None,
    split="train",
    flip=False,
    shuffle=True,
    repeat=True,
    seed=0,
    start=0,
    data_dir=None,
    download=False,
    skip_corrupt=False,
    fit="crop",
    decoded_dir=None,
):
    """Batches of images and labels.

    Order and flips are a pure function of `seed` and the position, so that a run resumes with
    `start`. Every epoch has an order of its own. Up to 1 GiB of pixels are decoded at once and
    kept in memory; broken images and labels are then errors of `load` itself, and errors of the
    iteration otherwise (`tf.errors.InvalidArgumentError`, or on JAX the ValueError itself).

    Args:
        name_or_path: str or path, see `find_dataset`; or a `Source`, which excludes `split`,
            `data_dir` and `download`. Defaults to `"digits"`.
        image_size: int, height and width to which images are resized. Defaults to `16`.
        batch_size: int, number of images per batch. Defaults to `64`.
        channels: int, 1 for gray or 3 for RGB. Defaults to `3`.
        num_classes: int, which labels must be below; `None` allows any. Defaults to `None`.
        split: str, see `find_dataset`. Defaults to `"train"`.
        flip: bool, whether to flip half of the images, left to right. Defaults to `False`.
        shuffle: bool, whether to shuffle, or keep the source's order. Defaults to `True`.
        repeat: bool, whether to repeat for ever, in full batches, or give one epoch, whose last
            batch may be smaller. Defaults to `True`.
        seed: int in [0, 2**63), seed of the order and the flips. Defaults to `0`.
        start: int, number of batches to pass over, at no cost. Defaults to `0`.
        data_dir: str or path, see `find_dataset`. Defaults to `None`.
        download: bool, see `find_dataset`. Defaults to `False`.
        skip_corrupt: bool, whether unreadable images are replaced by the next readable ones, and
            logged, instead of being an error. Defaults to `False`.
        fit: str, how pictures that are no squares become one: `"crop"` takes the central square,
            `"pad"` lays the whole picture on a white one, `"stretch"` changes its proportions.
            Defaults to `"crop"`.
        decoded_dir: str or path of a folder in which more than 1 GiB of pixels are kept decoded,
            for this process and others; see `DecodedImages`. Defaults to `None`, and they are
            decoded in each epoch.

    Returns:
        `tf.data.Dataset` of float32 images in [-1, 1] of shape
        `(batch_size, image_size, image_size, channels)` and int32 labels of shape `(batch_size,)`.
        With another backend of Keras than TensorFlow it is a `keras.utils.PyDataset` of arrays, the
        same ones in the same order.

    Raises:
        TypeError: if an argument has the wrong type.
        ValueError: if an argument is out of range, or the data set is missing, empty or broken.

    Example:

    >>> images, labels = next(iter(sagan_tf.data.load("digits", batch_size=32)))
    >>> images.shape
    TensorShape([32, 16, 16, 3])
    """
    _check_integers(1, image_size=image_size, batch_size=batch_size)
    _check_integers(0, seed=seed, start=start)
    if seed >= 2**63:
        raise ValueError(f"`seed` must be below 2**63. Received: {seed}")
    check_channels(channels)
    if not isinstance(name_or_path, Source):
        source = find_dataset(name_or_path, split, data_dir=data_dir, download=download)
        say = logging.warning if source.passed_over else logging.info
        say("%s: %s", source.name, source.describe())
    elif (split, data_dir, download) == ("train", None, False):
        source = name_or_path
    else:
        raise ValueError("`split`, `data_dir` and `download` belong to the call of find_dataset.")
    if len(source) == 0:
        raise ValueError(f"{source.name} has no images.")
    if num_classes is not None:
        _check_integers(1, num_classes=num_classes)
        if (source.num_classes or 0) > num_classes:
            raise ValueError(
                f"{source.name} has {source.num_classes} classes, more than `num_classes`. "
                f"Received: {num_classes=}"
            )

    reader = ImageReader(source, image_size, channels, num_classes, skip_corrupt, fit)
    shape = (image_size, image_size, channels)
    read = reader
    if len(source) * math.prod(shape) <= MAX_BYTES_IN_MEMORY:
        logging.info("Decoding %d images of %s", len(source), source.name)
        read = reader.read_all()
    elif decoded_dir is not None:
        reading = {"fit": fit, "num_classes": num_classes, "skip_corrupt": skip_corrupt}
        read = DecodedImages(decoded_dir, source, reader, shape, **reading)
    order = {"shuffle": shuffle, "repeat": repeat, "seed": seed, "start": start}
    size = len(source)
    if keras.backend.backend() == "tensorflow":
        from sagan_tf.data.tensorflow_batches import make_batches
    else:
        from sagan_tf.data.batches import make_batches
    return make_batches(read, shape, size, batch_size, flip, **order)


def _check_integers(minimum, **arguments):
    for name, value in arguments.items():
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
            raise TypeError(f"`{name}` must be an integer. Received: {value!r}")
        if value < minimum:
            raise ValueError(f"`{name}` must be at least {minimum}. Received: {value}")
