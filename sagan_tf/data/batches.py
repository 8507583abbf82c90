"""Batches without TensorFlow, in the order in which its pipeline has them."""

import collections
import functools
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np

from sagan_tf.data.decoded_images import DecodedImages
from sagan_tf.philox import random_bits

_AHEAD = 4  # Batches that are read before they are asked for.


class Batches(keras.utils.PyDataset):
    """Batches of images and labels, as `load` describes them; the number of a batch says which.

    It is a `keras.utils.PyDataset` for `Model.fit`, and an iterable for `Trainer`, which reads
    ahead.

    Args:
        read: Function from an int array of indices to uint8 images and int32 labels.
        size: int, number of images.
        batch_size: int, number of images per batch.
        shuffle: bool, see `load`, as the others are. Defaults to `True`.
        repeat: bool. Defaults to `True`.
        seed: int. Defaults to `0`.
        start: int. Defaults to `0`.
        flip: bool. Defaults to `False`.
    """

    def __init__(
        self, read, size, batch_size, shuffle=True, repeat=True, seed=0, start=0, flip=False
    ):
        super().__init__()
        self._read = read
        self._size = size
        self._batch_size = batch_size
        self._repeat = repeat
        self._start = start
        self._flip = flip
        # A batch may reach into the next epoch.
        make = functools.partial(epoch_order, size, shuffle, seed)
        self._epoch = functools.lru_cache(maxsize=2)(make)

    @property
    def num_batches(self):
        """int, how many there are; `None` if there is no end."""
        if self._repeat:
            return None
        return max(0, -(-self._size // self._batch_size) - self._start)

    def __getitem__(self, index):
        first = (self._start + index) * self._batch_size
        last = first + self._batch_size
        places = np.arange(first, last if self._repeat else min(last, self._size))
        epochs, places = np.divmod(places, self._size)
        orders = {epoch: self._epoch(int(epoch)) for epoch in np.unique(epochs)}
        parts = [
            [part[places[epochs == epoch]] for part in order] for epoch, order in orders.items()
        ]
        indices, coins = (np.concatenate(each) for each in zip(*parts, strict=True))
        images, labels = self._read(indices)
        images = images.astype("float32") / np.float32(127.5) - np.float32(1)
        if self._flip:
            images = np.where(coins[:, None, None, None], images[:, :, ::-1], images)
        return images, labels

    def __iter__(self):
        waiting, index = collections.deque(), 0
        with ThreadPoolExecutor(1) as thread:
            try:
                while self._repeat or index < self.num_batches or waiting:
                    while len(waiting) < _AHEAD and (self._repeat or index < self.num_batches):
                        waiting.append(thread.submit(self.__getitem__, index))
                        index += 1
                    yield waiting.popleft().result()
            finally:
                for each in waiting:
                    each.cancel()


def epoch_order(size, shuffle, seed, epoch):
    """The order of an epoch and a coin for each image, as `index_batches` makes them.

    Returns:
        `(indices, coins)`: int64 and bool arrays `(size,)`.
    """
    indices = list(range(size))
    if shuffle:
        bits = random_bits((seed, epoch), size).tolist()
        for place in range(size - 1):
            other = place + bits[place] % (size - place)
            indices[place], indices[other] = indices[other], indices[place]
    # No order has the bitwise complement of an epoch as its seed.
    coins = random_bits((seed, ~epoch), size) % 2 == 1
    return np.array(indices, "int64"), coins


def make_batches(read, shape, size, batch_size, flip, **order):
    """The `Batches` of `load`; the arguments are those of `make_batches` of TensorFlow."""
    if isinstance(read, tuple):
        get = functools.partial(_take, *read)
    elif isinstance(read, DecodedImages):
        get = read
    else:
        get = _read_each(read)
    return Batches(get, size, batch_size, flip=flip, **order)


def _take(images, labels, indices):
    return images[indices], labels[indices]


def _read_each(reader):
    """A function of indices that reads the images at them, several at a time."""
    threads = ThreadPoolExecutor()

    def read(indices):
        images, labels = zip(*threads.map(reader, indices), strict=True)
        return np.stack(images), np.array(labels, "int32")

    return read
