"""Features that a test can compute by itself, and digits of as many classes."""

import numpy as np

from sagan_tf.data import Source, find_dataset
from sagan_tf.evaluation import Features


class Pixels(Features):
    """Means of 4x4 pixels of 16x16 grey images; "classes" by the brightest of three rows of them.

    Not a network, but real features of real images: what is tested is what is done with them.
    """

    def __init__(self, fingerprint="0123"):
        super().__init__("pixels", 16, "none", 16, 3, fingerprint, predicts_labels=True)

    def __call__(self, images):
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


class ThreeDigits(Source):
    """The zeros, ones and twos of the digits."""

    def __init__(self):
        super().__init__("three digits", ["0", "1", "2"])
        digits = find_dataset("digits")
        examples = (digits.read(index) for index in range(len(digits)))
        self._examples = [example for example in examples if example.label < 3]

    def __len__(self):
        return len(self._examples)

    def read(self, index):
        return self._examples[index]
