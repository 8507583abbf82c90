"""Images and data sets for the tests to read."""

import io
from typing import ClassVar

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image

from sagan_tf.data import Example, Source


def encoded(image, file_format="PNG", **options):
    """The bytes of a file with the given image or array of pixels."""
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


class Numbered(Source):
    """`size` gray 2x2 images; image i has i + 1 in its left column, and label i % 10."""

    def __init__(self, size):
        super().__init__("numbered", [str(digit) for digit in range(10)])
        self._size = size

    def __len__(self):
        return self._size

    def read(self, index):
        pixels = np.array([[index + 1, 0]] * 2, np.uint8)
        return Example(encoded(pixels), index % 10, f"number {index}")


class TinyPets(tfds.core.GeneratorBasedBuilder):
    """Ten images to train with, four to test with, and two that have no label."""

    VERSION = tfds.core.Version("1.2.0")
    # The label is a class, a plain number or missing; depths are images of floats.
    BUILDER_CONFIGS: ClassVar = [
        tfds.core.BuilderConfig(name=name) for name in ("labels", "numbers", "captions", "depths")
    ]

    def _info(self):
        kind = self.builder_config.name
        gray = {"shape": (None, None, 1)}
        depths = {"dtype": np.float32, **gray} if kind == "depths" else {}
        features = {
            "image": tfds.features.Image(**depths),
            "mask": tfds.features.Image(**gray),
            "label": tfds.features.ClassLabel(names=["cat", "dog"]),
        }
        if kind == "captions":
            features["caption"] = features.pop("label")
        elif kind == "numbers":
            features["label"] = np.int32
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {
            "train": self._generate_examples(range(10)),
            "test": self._generate_examples(range(10, 14)),
            "unlabeled": self._generate_examples(range(14, 16), label=-1),
        }

    def _generate_examples(self, indices, label=None):
        kind = self.builder_config.name
        for index in indices:
            image = np.full((6, 4, 3), index, np.uint8)
            if kind == "depths":
                image = image[..., :1].astype(np.float32)
            mask = np.zeros((6, 4, 1), np.uint8)
            label_key = "caption" if kind == "captions" else "label"
            animal = index % 2 if label is None else label
            yield index, {"image": image, "mask": mask, label_key: animal}
