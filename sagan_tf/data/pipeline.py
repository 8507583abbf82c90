"""The input pipeline: batches whose order is a pure function of the seed and the position."""

import math

import numpy as np
import tensorflow as tf
from absl import logging

from sagan_tf.data.exit_guard import until_exit
from sagan_tf.data.image_reader import ImageReader
from sagan_tf.data.ordering import index_batches
from sagan_tf.data.registry import open_source
from sagan_tf.data.source import Source

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
):
    """Batches of images and labels.

    Order and flips are a pure function of `seed` and the position, so that a run resumes with
    `start`. Every epoch has an order of its own. Up to 1 GiB of pixels are decoded at once and
    kept in memory; broken images and labels are then errors of `load` itself, and errors of the
    iteration (`tf.errors.InvalidArgumentError`) otherwise.

    Args:
        name_or_path: What `open_source` takes, or the `Source` that it has returned (then
            without `split`, `data_dir` and `download`). Defaults to `"digits"`.
        image_size: Height and width of the images, in pixels: the central square, resized with
            antialiasing. Defaults to 16.
        batch_size: Images per batch. Defaults to 64.
        channels: 1 for grey, 3 for RGB. Defaults to 3.
        num_classes: Bound of the labels. Defaults to None, any label.
        split: See `open_source`. Defaults to `"train"`.
        flip: Whether to flip half of the images, left to right. Defaults to False.
        shuffle: Whether to shuffle; else images come in the order of the source. Defaults to
            True.
        repeat: Whether to repeat for ever, in full batches; else one epoch, whose last batch
            may be smaller. Defaults to True.
        seed: Of the order and the flips, in [0, 2**63). Defaults to 0.
        start: Number of batches to pass over, at no cost. Defaults to 0.
        data_dir: See `open_source`. Defaults to None.
        download: See `open_source`. Defaults to False.
        skip_corrupt: Whether unreadable images are replaced by the next readable ones, and
            logged, instead of being an error. Defaults to False.

    Returns:
        `tf.data.Dataset` of float32 images in [-1, 1] of shape
        `(batch_size, image_size, image_size, channels)` and int32 labels of shape `(batch_size,)`.

    Raises:
        TypeError: for an argument of the wrong type.
        ValueError: for an argument out of range, a missing, empty or broken data set, or one
            with more classes than `num_classes`.

    Example:

    >>> images, labels = next(iter(sagan_tf.data.load("digits", batch_size=32)))
    >>> images.shape
    TensorShape([32, 16, 16, 3])
    """
    for name, value, minimum in (
        ("image_size", image_size, 1),
        ("batch_size", batch_size, 1),
        ("channels", channels, 1),
        ("seed", seed, 0),
        ("start", start, 0),
    ):
        _check_integer(name, value, minimum)
    if seed >= 2**63:
        raise ValueError(f"`seed` must be below 2**63. Received: {seed}")
    if channels not in (1, 3):
        raise ValueError(f"`channels` must be 1 or 3. Received: {channels}")
    if not isinstance(name_or_path, Source):
        source = open_source(name_or_path, split, data_dir=data_dir, download=download)
    elif (split, data_dir, download) == ("train", None, False):
        source = name_or_path
    else:
        raise ValueError("`split`, `data_dir` and `download` belong to the call of open_source.")
    _check_classes(source, num_classes)

    reader = ImageReader(source, image_size, channels, num_classes, skip_corrupt)
    indices = index_batches(len(source), batch_size, shuffle, repeat, seed, start)
    shape = (image_size, image_size, channels)
    if len(source) * math.prod(shape) <= MAX_BYTES_IN_MEMORY:
        logging.info("Decoding %d images of %s", len(source), source.name)
        with tf.device("CPU"):
            images, labels = map(tf.constant, reader.read_all())
        examples = indices.map(
            lambda index, coin: (tf.gather(images, index), tf.gather(labels, index), coin)
        )
    else:
        examples = (
            indices.unbatch()
            .map(_in_tensorflow(reader, shape), tf.data.AUTOTUNE)
            .batch(batch_size, drop_remainder=repeat)
        )

    def finish(images, labels, coins):
        images = tf.cast(images, tf.float32) / 127.5 - 1.0
        if flip:
            images = tf.where(coins[:, None, None, None], tf.reverse(images, [2]), images)
        return images, labels

    options = tf.data.Options()
    options.deterministic = True
    examples = examples.map(finish, tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
    if not repeat:
        num_batches = max(0, math.ceil(len(source) / batch_size) - start)
        examples = examples.apply(tf.data.experimental.assert_cardinality(num_batches))
    return examples.with_options(options)


def _in_tensorflow(reader, shape):
    """The `ImageReader` as a TensorFlow function, which also passes the coin on."""
    read = until_exit(reader, default=(np.zeros(shape, np.uint8), np.int32(0)))

    def call(index, coin):
        image, label = tf.numpy_function(read, [index], [tf.uint8, tf.int32], stateful=False)
        return tf.ensure_shape(image, shape), tf.ensure_shape(label, ()), coin

    return call


def _check_integer(name, value, minimum):
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"`{name}` must be an integer. Received: {value!r}")
    if value < minimum:
        raise ValueError(f"`{name}` must be at least {minimum}. Received: {value}")


def _check_classes(source, num_classes):
    if len(source) == 0:
        raise ValueError(f"{source.name} has no images.")
    if num_classes is None:
        return
    _check_integer("num_classes", num_classes, 1)
    if (source.num_classes or 0) > num_classes:
        raise ValueError(
            f"{source.name} has {source.num_classes} classes, more than `num_classes`. "
            f"Received: num_classes={num_classes}"
        )
