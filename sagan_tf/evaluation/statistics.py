"""What the metrics need to know of a set of images, gathered in one pass."""

import numpy as np

from sagan_tf.evaluation.metrics.moments import Moments
from sagan_tf.images import check_pixels, to_uint8

_BATCH = 512


class FeatureStatistics:
    """Features of a set of images, gathered in one pass; the images are not kept.

    It keeps the features of the first `max_compared` images, the class probabilities and labels of
    all, and the moments of the features. The network sees all images as 8-bit pixels.

    Args:
        network: A `Features`.
        num_classes: int, bound of the labels. Defaults to `None`, which ignores the labels.
        max_compared: int. Defaults to `10_000`.
        by_class: bool, whether to gather the moments of each class too. Defaults to `True`.
    """

    def __init__(self, network, num_classes=None, max_compared=10_000, by_class=True):
        self.network = network
        self.num_classes = num_classes
        self.moments = Moments(network.dimension)
        self.by_class = by_class and num_classes is not None
        self.class_moments = {}
        self._max_compared = max_compared
        self._features, self._probabilities, self._labels = [], [], []

    @property
    def num_images(self):
        """int, number of images so far."""
        return self.moments.count

    @property
    def features(self):
        """Features of the first images, float32 `(num_compared, d)`."""
        return np.concatenate(self._features)

    @property
    def probabilities(self):
        """Class probabilities of all images, float32 `(num_images, network.num_classes)`."""
        return np.concatenate(self._probabilities)

    @property
    def labels(self):
        """Labels of all images, int32 `(num_images,)`; empty without classes."""
        return np.concatenate([*self._labels, np.zeros(0, "int32")])

    @property
    def class_counts(self):
        """Number of images of each class, int `(num_classes,)`; empty without classes."""
        return np.bincount(self.labels, minlength=self.num_classes or 0)

    def update(self, images, labels=None):
        """Takes up the next images and their labels, see `statistics_of`."""
        images = np.asarray(images)
        if self.num_classes is not None:
            labels = _check_labels(labels, len(images), self.num_classes)
        to_pixels = check_pixels if images.dtype == np.uint8 else to_uint8
        for start in range(0, len(images), _BATCH):
            part = slice(start, start + _BATCH)
            features, probabilities = self.network(to_pixels(images[part]))
            self._take(features, probabilities, None if labels is None else labels[part])

    def update_features(self, features, probabilities, labels=None):
        """Takes up what the network has found in the next images.

        Args:
            features: float32 array `(num_images, d)`.
            probabilities: float32 array `(num_images, network.num_classes)`.
            labels: Int array `(num_images,)`; ignored without classes. Defaults to `None`.
        """
        if self.num_classes is not None:
            labels = _check_labels(labels, len(features), self.num_classes)
        self._take(features, probabilities, labels)

    def _take(self, features, probabilities, labels):
        room = self._max_compared - sum(map(len, self._features))
        if room > 0:
            self._features.append(features[:room])
        self._probabilities.append(probabilities)
        self.moments.update(features)
        if self.num_classes is None:
            return
        self._labels.append(labels)
        for label in np.unique(labels).tolist() if self.by_class else ():
            moments = self.class_moments.setdefault(label, Moments(self.moments.dimension))
            moments.update(features[labels == label])


def statistics_of(images, network, labels=None, num_classes=None, **options):
    """The `FeatureStatistics` of images at hand, such as those of another model.

    Args:
        images: Array `(num_images, height, width, 1 or 3)` of uint8 pixels, or of floats in
            [-1, 1], which are rounded to such.
        network: A `Features`.
        labels: Int array `(num_images,)`; ignored without `num_classes`. Defaults to `None`.
        num_classes: int. Defaults to `None`, for images without classes.
        **options: `max_compared` and `by_class` of `FeatureStatistics`.

    Raises:
        TypeError: if the images are other integers.
        ValueError: if their shape is another one, a value is NaN, they seem to be in [0, 1], or
            there is not one label in `[0, num_classes)` for each image.
    """
    images = np.asarray(images)
    low, high = (images.min(), images.max()) if images.size else (0, 0)
    if images.dtype.kind == "f" and 0.0 <= low < high <= 1.0:
        raise ValueError(
            f"Images must be in [-1, 1]. Received: values from {low:.3g} to {high:.3g}, which "
            "looks like [0, 1]: pass 2 * images - 1"
        )
    statistics = FeatureStatistics(network, num_classes, **options)
    statistics.update(images, labels)
    return statistics


def _check_labels(labels, num_images, num_classes):
    labels = np.asarray(labels)
    if labels.shape != (num_images,) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"`labels` must be {num_images} integers, one for each image. Received: "
            f"shape={labels.shape}, dtype={labels.dtype}"
        )
    wrong = (labels < 0) | (labels >= num_classes)
    if wrong.any():
        raise ValueError(
            f"Labels must be in [0, {num_classes}). Received: {labels[wrong][0]} for image "
            f"{wrong.argmax()}"
        )
    return labels.astype("int32")
