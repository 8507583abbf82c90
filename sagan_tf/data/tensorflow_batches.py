"""Batches of tf.data."""

import math

import numpy as np
import tensorflow as tf

from sagan_tf.data.decoded_images import DecodedImages
from sagan_tf.data.ordering import index_batches
from sagan_tf.data.until_exit import until_exit


def make_batches(read, shape, size, batch_size, flip, **order):
    """A `tf.data.Dataset` as `load` describes it.

    Args:
        read: All images and labels as a tuple of arrays; or a function from indices to them, a
            `DecodedImages`; or one from an index to one image and its label, an `ImageReader`.
        shape: Tuple of ints, the shape of an image.
        size: int, number of images.
        batch_size: int, number of images per batch.
        flip: bool, whether to flip half of the images.
        **order: `shuffle`, `repeat`, `seed` and `start` of `load`.
    """
    indices = index_batches(size, batch_size, **order)
    if isinstance(read, tuple):
        with tf.device("CPU"):
            images, labels = map(tf.constant, read)
        examples = indices.map(
            lambda index, coin: (tf.gather(images, index), tf.gather(labels, index), coin)
        )
    elif isinstance(read, DecodedImages):
        examples = indices.map(_in_tensorflow(read, shape), tf.data.AUTOTUNE)
    else:
        read = _in_tensorflow(read, shape)
        examples = indices.unbatch().map(read, tf.data.AUTOTUNE)
        examples = examples.batch(batch_size, order["repeat"])

    def finish(images, labels, coins):
        images = tf.cast(images, tf.float32) / 127.5 - 1.0
        if flip:
            images = tf.where(coins[:, None, None, None], tf.reverse(images, [2]), images)
        return images, labels

    options = tf.data.Options()
    options.deterministic = True
    examples = examples.map(finish, tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
    if not order["repeat"]:
        num_batches = max(0, math.ceil(size / batch_size) - order["start"])
        examples = examples.apply(tf.data.experimental.assert_cardinality(num_batches))
    return examples.with_options(options)


def _in_tensorflow(reader, shape):
    """The reader as a TensorFlow function of indices and coins, which are passed on."""
    read = until_exit(reader, placeholder=(np.zeros(shape, np.uint8), np.int32(0)))

    def call(index, coin):
        image, label = tf.numpy_function(read, [index], [tf.uint8, tf.int32], stateful=False)
        whole = index.shape.concatenate(shape)
        return tf.ensure_shape(image, whole), tf.ensure_shape(label, index.shape), coin

    return call
