"""What the scores need to know of a set of images."""

import numpy as np

from sagan_tf.evaluation.inception_score import InceptionScore
from sagan_tf.evaluation.moments import Moments
from sagan_tf.images import to_uint8

_BATCH = 512


class FeatureStatistics:
    """Features of a set of images, gathered in one pass; the images are not kept.

    Memory does not grow with the number of images beyond `max_compared`, but for five bytes per
    image; with `by_class` it grows with the number of classes. Real and generated images go the
    same way: from [-1, 1] to rounded uint8.

    Args:
        features: A `Features`.
        num_images: int, how many images there will be.
        num_classes: int; `None` if there are no labels. Defaults to `None`.
        splits: int, parts of the Inception score. Defaults to `10`.
        max_compared: int, images whose features are kept, the first ones. Defaults to `10_000`.
        by_class: bool, whether to gather the moments of each class, for intra-FID. Defaults to
            `True`.
    """

    def __init__(
        self,
        features,
        num_images,
        num_classes=None,
        splits=10,
        max_compared=10_000,
        by_class=True,
    ):
        self.network = features
        self.num_images = num_images
        self.num_classes = num_classes
        self.moments = Moments(features.dimension)
        self.class_moments = {}
        self.inception_score = InceptionScore(num_images, min(splits, num_images))
        self._max_compared = max_compared
        self._by_class = by_class
        self._features, self._labels, self._recognised = [], [], []
        self._lowest = np.inf
        self._highest = -np.inf

    @property
    def features(self):
        """Features of the first images, float32 `(num_compared, d)`."""
        return np.concatenate(self._features)

    @property
    def labels(self):
        """Labels of all images, int32 `(num_images,)`; empty without classes."""
        return np.concatenate([*self._labels, np.zeros(0, "int32")])

    @property
    def recognised(self):
        """Whether each image was taken for what its label says, bool `(num_images,)`."""
        return np.concatenate(self._recognised)

    def of_class(self, label):
        """The `Moments` of the images with a label; without any, those of no images."""
        return self.class_moments.get(label, Moments(self.moments.dimension))

    def update(self, images, labels=None):
        """Takes up the next images.

        Args:
            images: Float array `(n, height, width, 1 or 3)` in [-1, 1].
            labels: Int array `(n,)`; not looked at if there are no classes. Defaults to `None`.

        Raises:
            TypeError: if the images are integers.
            ValueError: if the shape is another one, a value is NaN, or a label out of range.
        """
        if self.num_classes is not None:
            labels = _checked_labels(labels, len(images), self.num_classes)
        pixels = to_uint8(images)
        self._lowest = min(self._lowest, np.min(images))
        self._highest = max(self._highest, np.max(images))
        features, probabilities = self.network(pixels)
        room = self._max_compared - sum(map(len, self._features))
        if room > 0:
            self._features.append(features[:room])
        self.moments.update(features)
        self.inception_score.update(probabilities)
        if self.num_classes is None:
            return
        self._labels.append(labels)
        if self.network.predicts_labels:
            self._recognised.append(probabilities.argmax(axis=1) == labels)
        for label in np.unique(labels).tolist() if self._by_class else ():
            self.class_moments[label] = self.of_class(label)
            self.class_moments[label].update(features[labels == label])

    def check_range(self):
        """Raises a ValueError if the images seem to be in [0, 1] in place of [-1, 1]."""
        if 0.0 <= self._lowest < self._highest <= 1.0:
            raise ValueError(
                f"Images must be in [-1, 1]. Received: values from {self._lowest:.3g} to "
                f"{self._highest:.3g}, which looks like [0, 1]: pass 2 * images - 1"
            )


def statistics_of(images, features, labels=None, num_classes=None, **kwargs):
    """The statistics of images at hand, such as those of another model.

    Args:
        images: Float array `(num_images, height, width, 1 or 3)` in [-1, 1].
        features: A `Features`.
        labels: Int array `(num_images,)`. Defaults to `None`, for images without classes.
        num_classes: int. Defaults to `None`, for images without classes.
        **kwargs: `splits`, `max_compared` and `by_class` of `FeatureStatistics`.

    Returns:
        A `FeatureStatistics`.

    Raises:
        TypeError: if the images are integers.
        ValueError: if the shape is another one, a value is NaN, they seem to be in [0, 1], or
            there are other labels than one in `[0, num_classes)` for each image.
    """
    if num_classes is not None:
        labels = _checked_labels(labels, len(images), num_classes)
    elif labels is not None:
        raise ValueError("`labels` need `num_classes`, the bound of them. Received: None")
    statistics = FeatureStatistics(features, len(images), num_classes, **kwargs)
    for start in range(0, len(images), _BATCH):
        part = slice(start, start + _BATCH)
        statistics.update(images[part], None if labels is None else labels[part])
    statistics.check_range()
    return statistics


def _checked_labels(labels, num_images, num_classes):
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
