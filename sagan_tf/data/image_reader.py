"""Reads and decodes the images of a source."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from absl import logging

from sagan_tf.data.decoding import FITS, decode_image
from sagan_tf.settings import unknown_name

_MAX_NAMED = 20


class ImageReader:
    """Function from an index to a decoded uint8 image and its int32 label. It is thread-safe.

    The arguments are those of `load`. A label out of range is a ValueError, and so is an unreadable
    image, unless `skip_corrupt` replaces it by the next readable one and there is one. `read_all`
    names the first unreadable images together.
    """

    def __init__(
        self, source, image_size, channels=3, num_classes=None, skip_corrupt=False, fit="crop"
    ):
        if fit not in FITS:
            raise unknown_name("fit", fit, FITS)
        self._source = source
        self._shape = (image_size, image_size, channels)
        self._num_classes = num_classes
        self._skip_corrupt = skip_corrupt
        self._fit = fit
        self._corrupt = {}  # Says what is wrong with each unreadable image, by index.
        self._num_logged = 0

    def __call__(self, index):
        try:
            image, label = self._read(int(index))
        except _Corrupt as error:
            raise _unreadable([str(error)]) from error
        self._log_corrupt()
        return image, np.int32(label)

    def read_all(self, images=None):
        """All images, uint8 of shape `(len(source), ...)`, and all int32 labels.

        The images are written into the array that is given, if there is one.
        """
        size = len(self._source)
        images = np.empty((size, *self._shape), np.uint8) if images is None else images
        labels = np.empty(size, np.int32)

        broken = {}

        def fill(indices):
            for index in indices:
                try:
                    images[index], labels[index] = self._read(index)
                except _Corrupt as error:
                    broken[index] = str(error)

        with ThreadPoolExecutor() as threads:
            pieces = [range(first, min(first + 256, size)) for first in range(0, size, 256)]
            list(threads.map(fill, pieces))  # A list raises what a thread has raised.
        if broken:
            raise _unreadable([broken[index] for index in sorted(broken)])
        self._log_corrupt()
        return images, labels

    def _read(self, index):
        """The image and label at `index`, or at the next index that is readable."""
        while len(self._corrupt) < len(self._source):
            if index not in self._corrupt:
                try:
                    return self._decode(index)
                except _Corrupt as error:
                    if not self._skip_corrupt:
                        raise
                    self._corrupt[index] = str(error)
            index = (index + 1) % len(self._source)
        first = self._corrupt[0]
        raise ValueError(f"None of the images of {self._source.name} can be read. {first}")

    def _decode(self, index):
        try:
            encoded, label, name = self._source.read(index)
        except OSError as error:
            reason = error.strerror or error
            raise _Corrupt(f"Cannot read {error.filename or 'an image'}: {reason}") from error
        if self._num_classes is not None and not 0 <= label < self._num_classes:
            raise ValueError(
                f"Labels must be in [0, {self._num_classes}). Received: label {label} of {name}"
            )
        try:
            return decode_image(encoded, self._shape[0], self._shape[-1], self._fit), label
        except ValueError as error:
            raise _Corrupt(f"Cannot decode {name}: {error}") from error

    def _log_corrupt(self):
        count = len(self._corrupt)
        if count > self._num_logged:
            self._num_logged = count
            logging.warning(
                "%s: unreadable images so far, replaced by others: %d. The first: %s",
                self._source.name,
                count,
                self._corrupt[min(self._corrupt)],
            )


def _unreadable(reasons):
    """The ValueError for images that cannot be read, all in one line."""
    shown = "; ".join(reasons[:_MAX_NAMED])
    if len(reasons) > _MAX_NAMED:
        shown += f"; and {len(reasons) - _MAX_NAMED} more"
    them = "it" if len(reasons) == 1 else "them"
    return ValueError(f"{shown}. Repair or remove {them}, or pass `skip_corrupt=True`.")


class _Corrupt(Exception):
    """An image that cannot be read or decoded."""
