"""Images of a data set that are decoded once, into a file of the disk."""

import math
import os
import pathlib

import numpy as np
import PIL
from absl import logging

from sagan_tf.files import digest, one_line, replacing

# Whoever changes how images are decoded raises the number, so that no older ones are found.
_VERSION = 1


class DecodedImages:
    """Function from indices to decoded uint8 images and int32 labels, which lie on the disk.

    They are in a folder of their own, whose name is a digest of all that they depend on: of the
    source's own digest, and of how its images are read. The folder is made by the first process
    that needs it, and is there as a whole or not at all; where two make it at once, either is good.

    Args:
        directory: str or path of the folder in which it lies. It need not exist.
        source: A `Source`.
        reader: An `ImageReader` of the source.
        shape: Tuple of ints, the shape of an image.
        **reading: What else the images depend on, such as `fit="crop"`.
    """

    def __init__(self, directory, source, reader, shape, **reading):
        self._shape = (len(source), *shape)
        key = f"{_VERSION} {PIL.__version__} {self._shape} {sorted(reading.items())}"
        directory = pathlib.Path(directory).expanduser()
        self.path = directory / f"decoded_{digest(key, source.digest())[:16]}"
        found = self._read()
        if found is None:
            size = math.prod(self._shape) / 2**30
            message = "Decoding %d images of %s, once, to %.2f GiB in %s"
            logging.info(message, len(source), source.name, size, self.path)
            self._write(reader)
            found = self._read()
        self._images, self._labels = found

    def __call__(self, indices):
        return self._images[indices], self._labels[indices]

    def _read(self):
        """The images, mapped into memory, and their labels; `None` if they are not there."""
        if not self.path.exists():
            return None
        try:
            images = np.load(self.path / "images.npy", mmap_mode="r", allow_pickle=False)
            labels = np.load(self.path / "labels.npy", allow_pickle=False)
            expected = (self._shape, np.uint8, self._shape[:1], np.int32)
            if (images.shape, images.dtype, labels.shape, labels.dtype) != expected:
                raise ValueError("the arrays are not as they were written")
        except (OSError, ValueError, EOFError) as error:
            message = "%s is damaged, and the images are decoded again: %s"
            logging.warning(message, self.path, one_line(error))
            return None
        return images, labels

    def _write(self, reader):
        with replacing(self.path) as new:
            new.mkdir()
            file = new / "images.npy"
            images = np.lib.format.open_memmap(file, "w+", np.uint8, self._shape)
            if hasattr(os, "posix_fallocate"):
                # Where a disk turns out to be full, a file that is mapped would end the process.
                with file.open("r+b") as opened:
                    os.posix_fallocate(opened.fileno(), 0, file.stat().st_size)
            _, labels = reader.read_all(images)
            images.flush()
            np.save(new / "labels.npy", labels)
