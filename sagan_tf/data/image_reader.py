"""Reads and decodes the images of a source."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from absl import logging

from sagan_tf.data.decoding import decode_image


class ImageReader:
    """Function from an index to a decoded image and its label. It is thread-safe.

    Args:
        source: A `Source`.
        image_size: Height and width of the images, in pixels.
        channels: 1 or 3. Defaults to 3.
        num_classes: Bound of the labels. Defaults to None, any label.
        skip_corrupt: Whether an unreadable image is replaced by the next readable one, and
            logged, instead of being an error. Defaults to False.

    Call arguments:
        index: integer in `[0, len(source))`.

    Returns:
        A uint8 image of shape `(image_size, image_size, channels)` and an int32 label.

    Raises:
        ValueError: for an unreadable image (or when all are), or a label out of range.
    """

    def __init__(self, source, image_size, channels=3, num_classes=None, skip_corrupt=False):
        self._source = source
        self._shape = (image_size, image_size, channels)
        self._num_classes = num_classes
        self._skip_corrupt = skip_corrupt
        self._corrupt = {}  # What is wrong with the images that were unreadable, by index.
        self._num_logged = 0

    def __call__(self, index):
        image, label = self._read(int(index))
        self._log_corrupt()
        return image, np.int32(label)

    def read_all(self):
        """All images, uint8 of shape `(len(source), ...)`, and all int32 labels."""
        size = len(self._source)
        images = np.empty((size, *self._shape), np.uint8)
        labels = np.empty(size, np.int32)

        def fill(indices):
            for index in indices:
                images[index], labels[index] = self._read(index)

        with ThreadPoolExecutor() as threads:
            pieces = [range(first, min(first + 256, size)) for first in range(0, size, 256)]
            for _ in threads.map(fill, pieces):
                pass  # Raises what a thread has raised.
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
                        raise ValueError(
                            f"{error}. Repair or remove it, or skip such images (--skip_corrupt)."
                        ) from error
                    self._corrupt[index] = str(error)
            index = (index + 1) % len(self._source)
        first = self._corrupt[0]
        raise ValueError(f"None of the images of {self._source.name} can be read. {first}")

    def _decode(self, index):
        try:
            encoded, label, name = self._source.read(index)
        except OSError as error:
            raise _Corrupt(f"Cannot read an image: {error}") from error
        if self._num_classes is not None and not 0 <= label < self._num_classes:
            raise ValueError(
                f"Labels must be in [0, {self._num_classes}). Received: label {label} of {name}"
            )
        try:
            return decode_image(encoded, self._shape[0], self._shape[-1]), label
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


class _Corrupt(Exception):
    """An image that cannot be read or decoded."""
