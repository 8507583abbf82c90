"""The bundled digits where TensorFlow, and so TFDS, cannot be imported."""

import numpy as np

from sagan_tf.data.arrays import Arrays
from sagan_tf.data.slices import parse_split, slice_positions
from sagan_tf.data.source import Source


class DigitsArrays(Arrays):
    """The images, labels, name and digest of `Digits`, straight from scikit-learn.

    Args:
        split: str, `"train"` or slices of it. Defaults to `"train"`.

    Raises:
        ValueError: for another split.
    """

    def __init__(self, split="train"):
        from sklearn.datasets import load_digits  # It is slow to import.

        name, slices = parse_split(split)
        if name != "train":
            raise ValueError(f"Unknown split of digits/1.0.0: {split}. Valid: train, and slices.")
        digits = load_digits()
        images = np.rint(digits.images * (255 / 16)).astype(np.uint8)[..., None]
        labels = digits.target
        if slices is not None:
            chosen = sorted(slice_positions(slices, len(images)))
            images, labels = images[chosen], labels[chosen]
        names = [str(number) for number in range(10)]
        super().__init__(images, labels, names, f"digits/1.0.0 {split}")

    def digest(self):
        return Source.digest(self)
