"""Features that a test can compute by itself."""

import numpy as np

from sagan_tf.evaluation import Features


class Pixels(Features):
    """Means of 4x4 pixels of 16x16 gray images; "classes" by the brightest of three rows of them.

    It is not a network, but gives real features of real images: what is tested is what is done
    with them. `seen` has all images it was asked for.
    """

    def __init__(self, fingerprint="0123", predicts_labels=True):
        super().__init__("pixels", 16, 3, fingerprint, predicts_labels)
        self.seen = []

    def __call__(self, images):
        self.seen.append(images)
        return super().__call__(images)

    def _run(self, images):
        return pixels(images), probabilities(images)


def pixels(images):
    """The features of uint8 images `(n, 16, 16, 1)`, float32 `(n, 16)`."""
    blocks = images.reshape(-1, 4, 4, 4, 4).astype("float32")
    return blocks.mean(axis=(2, 4)).reshape(-1, 16) / 255.0


def probabilities(images):
    """The probabilities of three classes, float32 `(n, 3)`."""
    rows = pixels(images).reshape(-1, 4, 4).mean(axis=-1)[:, :3] * 8.0
    exponentials = np.exp(rows)
    return exponentials / exponentials.sum(axis=1, keepdims=True)
