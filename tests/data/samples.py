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
    """`size` grey 2x2 images; image i has i + 1 in its left column, and label i % 10."""

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
    BUILDER_CONFIGS: ClassVar = [
        tfds.core.BuilderConfig(name="labels", description="Cats and dogs."),
        tfds.core.BuilderConfig(name="numbers", description="The label is a plain number."),
        tfds.core.BuilderConfig(name="captions", description="There is no label."),
        tfds.core.BuilderConfig(name="depths", description="The image is of floats."),
    ]

    def _info(self):
        kind = self.builder_config.name
        grey = tfds.features.Image(shape=(None, None, 1))
        depths = tfds.features.Image(dtype=np.float32, shape=(None, None, 1))
        features = {"image": depths if kind == "depths" else tfds.features.Image(), "mask": grey}
        if kind == "captions":
            features["caption"] = tfds.features.Text()
        else:
            names = tfds.features.ClassLabel(names=["cat", "dog"])
            features["label"] = np.int32 if kind == "numbers" else names
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
            example = {"image": image, "mask": np.zeros((6, 4, 1), np.uint8)}
            if kind == "captions":
                example["caption"] = "a pet"
            else:
                example["label"] = index % 2 if label is None else label
            yield index, example
