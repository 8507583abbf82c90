"""Features of real images that are computed once and kept."""

import contextlib
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from absl import logging

from sagan_tf.files import digest, one_line, replacing

# Whoever changes how images are read raises the number, so that no older features are found.
VERSION = 1


class KeptFeatures:
    """A file of the features of some images of a data set.

    Its name is a digest of all that the features depend on: the content of the image files and
    their labels, the network's fingerprint, and how the images are read. An image that has changed
    is another one, and so is another choice of images.

    Args:
        directory: `pathlib.Path` of the folder in which it lies. It need not exist.
        source: A `sagan_tf.data.Source` of the images, in their order.
        network: A `Features`.
        num_classes: int, bound of the labels; `None` if they are ignored.
        **reading: What else the features depend on, such as `image_size=16`.
    """

    def __init__(self, directory, source, network, num_classes, **reading):
        key = f"{VERSION} {network.fingerprint} {num_classes} {sorted(reading.items())}"
        self.path = directory / f"features_{digest(key, *_digests(source))[:16]}.npz"
        self._num_classes = num_classes
        self._shapes = {
            "features": (len(source), network.dimension),
            "probabilities": (len(source), network.num_classes),
            "labels": (0 if num_classes is None else len(source),),
        }

    def read(self):
        """Dict of the arrays `features`, `probabilities` and `labels`, which `write` was given.

        It is `None` if there is no such file, or it is damaged, which is a warning.
        """
        if not self.path.exists():
            return None
        try:
            with np.load(self.path, allow_pickle=False) as file:
                found = {name: file[name] for name in self._shapes}
            for name, shape in self._shapes.items():
                if found[name].shape != shape or not np.isfinite(found[name]).all():
                    raise ValueError(f"{name} are not as they were written")
            if not np.isin(found["labels"], range(self._num_classes or 0)).all():
                raise ValueError("labels are out of range")
        except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile) as error:
            text = "%s is damaged, and the features are computed again: %s"
            logging.warning(text, self.path, one_line(error))
            return None
        return found

    def write(self, features, probabilities, labels):
        """Keeps the arrays of a `FeatureStatistics` that has all features; at worst it warns."""
        arrays = {"features": features, "probabilities": probabilities, "labels": labels}
        try:
            with replacing(self.path) as new:
                np.savez(new, **arrays, allow_pickle=False)
        except OSError as error:
            logging.warning("The features cannot be kept in %s: %s", self.path.parent, error)


def _digests(source):
    """A digest for the content and the label of each image."""

    def of_image(index):
        with contextlib.suppress(OSError):
            example = source.read(index)
            return digest(example.encoded, str(example.label))
        return "unreadable"

    with ThreadPoolExecutor() as threads:
        return list(threads.map(of_image, range(len(source))))
