"""Mean and covariance of a stream."""

import math

import numpy as np

from sagan_tf.evaluation.metrics.inputs import check_features


class Moments:
    """Mean and covariance of features, in one pass and constant memory.

    A factor is kept whose product `factor^T factor` is the sum of the outer products of the
    centered features, and brought up to date by QR decompositions. Nothing is ever squared: there
    is full precision where the covariance is singular, as with fewer images than dimensions. Blocks
    of a fixed size are taken up: the result is the same, bit for bit, whatever the batches.

    Args:
        dimension: int, number of features `d`.
    """

    def __init__(self, dimension):
        self.dimension = dimension
        self._block = max(dimension, 1024)
        self._origin = None  # The first image: differences from it have no large common mean.
        self._state = 0, np.zeros(dimension), np.zeros((0, dimension))
        self._waiting = []

    @classmethod
    def of(cls, features):
        """The moments of an array `(num_images, d)`. A `Moments` is returned as it is."""
        if isinstance(features, cls):
            return features
        features = check_features(features)
        moments = cls(features.shape[1])
        moments.update(features)
        return moments

    @property
    def count(self):
        """int, number of images so far."""
        return self._state[0] + sum(map(len, self._waiting))

    def update(self, features):
        """Takes up more features, a finite float array of shape `(num_images, dimension)`."""
        features = check_features(features, dimension=self.dimension)
        if self._origin is None and len(features):
            self._origin = features[0].copy()
        self._waiting.append(features)
        if sum(map(len, self._waiting)) < self._block:
            return
        rows = np.concatenate(self._waiting)
        whole = len(rows) - len(rows) % self._block
        for start in range(0, whole, self._block):
            self._state = self._merged(rows[start : start + self._block])
        self._waiting = [rows[whole:].copy()]

    def mean_and_root(self):
        """The mean, float64 `(d,)`, and a root of the covariance, float64 `(at most d, d)`.

        `root^T root` is the unbiased covariance. Fewer than two images are a ValueError.
        """
        if self.count < 2:
            raise ValueError(f"A covariance needs at least 2 images. Received: {self.count}")
        count, mean, factor = self._merged(np.concatenate(self._waiting))
        return self._origin + mean, factor / math.sqrt(count - 1)

    def covariance(self):
        """The unbiased covariance, float64 `(d, d)`."""
        _, root = self.mean_and_root()
        return root.T @ root

    def _merged(self, rows):
        """Count, mean (from the origin) and factor after some more rows."""
        count, mean, factor = self._state
        if not len(rows):
            return self._state
        rows = rows - self._origin
        total = count + len(rows)
        rows_mean = rows.mean(axis=0)
        step = rows_mean - mean
        between = math.sqrt(count * len(rows) / total) * step
        stacked = np.concatenate([factor, rows - rows_mean, between[None]])
        if len(stacked) > stacked.shape[1]:
            stacked = np.linalg.qr(stacked, mode="r")
        return total, mean + len(rows) / total * step, stacked
