"""What the scores need from a network: features and class probabilities of images."""

import abc
import os
import pathlib

import numpy as np

from sagan_tf.images import check_pixels


class Features(abc.ABC):
    """Function from uint8 images to features and class probabilities.

    Images are taken in groups of `batch_size`, and the last group is filled up. So nothing is
    traced twice, memory does not grow with their number, and a row does not depend on the others.
    A subclass implements `_run`, for one such group.

    Args:
        name: str, such as `"inception"`.
        dimension: int, number of features.
        num_classes: int, number of probabilities.
        fingerprint: str, short digest of the weights and of a version of what is done with images
            before. Features whose fingerprints differ cannot be compared.
        predicts_labels: bool, whether the classes are the labels of the data set. Defaults to
            `False`.
        **details: What else `description`, a dict ready for JSON, is to tell.

    Call arguments:
        images: uint8 array `(num_images, height, width, 1 or 3)`.

    Returns:
        `(features, probabilities)`: float32 arrays `(num_images, dimension)` and
        `(num_images, num_classes)`.

    Raises:
        TypeError: if the images are not uint8.
        ValueError: if their shape is another one, or the network makes NaN or infinity of one.
    """

    batch_size = 64

    def __init__(self, name, dimension, num_classes, fingerprint, predicts_labels=False, **details):
        self.name = name
        self.dimension = dimension
        self.num_classes = num_classes
        self.fingerprint = fingerprint
        self.predicts_labels = predicts_labels
        self.description = {
            "name": name,
            "dimension": dimension,
            "num_classes": num_classes,
            "fingerprint": fingerprint,
            **details,
        }

    def __call__(self, images):
        images = check_pixels(images)
        found = (
            np.empty((len(images), self.dimension), np.float32),
            np.empty((len(images), self.num_classes), np.float32),
        )
        for first in range(0, len(images), self.batch_size):
            batch = images[first : first + self.batch_size]
            missing = self.batch_size - len(batch)
            full = np.pad(batch, [(0, missing), (0, 0), (0, 0), (0, 0)]) if missing else batch
            for whole, part in zip(found, self._run(full), strict=True):
                whole[first : first + len(batch)] = np.asarray(part)[: len(batch)]
        broken = ~np.all([np.isfinite(whole).all(axis=1) for whole in found], axis=0)
        if broken.any():
            raise ValueError(
                f"The features of {self.name} are NaN or infinite for {np.count_nonzero(broken)} "
                f"of {len(images)} images, the first at index {np.argmax(broken)}: are its "
                "weights damaged?"
            )
        return found

    @abc.abstractmethod
    def _run(self, images):
        """Features and probabilities of `batch_size` checked images."""


def cache_directory(directory=None):
    """A folder for what is fetched or trained once, by default that of the user's cache."""
    root = os.environ.get("XDG_CACHE_HOME") or os.path.join("~", ".cache")
    return pathlib.Path(directory or pathlib.Path(root, "sagan_tf")).expanduser()
