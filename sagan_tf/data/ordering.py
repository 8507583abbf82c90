"""The order of a data set, as a pure function of a seed and the position."""

import tensorflow as tf


def index_batches(size, batch_size, shuffle=True, repeat=True, seed=0, start=0):
    """Batches of indices in `[0, size)`, int64, each with a fair bool coin to flip the image by.

    The arguments are those of `load`; `start` costs no more than the order of one epoch.

    `tf.random.experimental.index_shuffle`, the op for this purpose, is not used: in TensorFlow
    2.21 it repeats an index when the size is 2**16 + 1, heeds only the lowest 8 bits of a seed up
    to that size, and leaves 7 % of 1,797 indices where they were an epoch before.
    """
    first = int(start) * int(batch_size)
    seed = tf.constant(seed, tf.int64)

    def make_epoch(epoch):
        indices = tf.range(size, dtype=tf.int64)
        if shuffle:
            indices = tf.random.experimental.stateless_shuffle(indices, [seed, epoch], "philox")
        # No order has the bitwise complement of an epoch as its seed.
        coins = tf.random.stateless_uniform((size,), [seed, ~epoch], 0, 2, tf.int32, alg="philox")
        done = tf.maximum(first - epoch * size, 0)
        return indices[done:], coins[done:] == 1

    epochs = tf.data.Dataset.counter(first // size) if repeat else tf.data.Dataset.range(1)
    return epochs.map(make_epoch).rebatch(batch_size, drop_remainder=repeat)
