"""A data set that classifiers learn in a few steps."""

import dataclasses

import numpy as np

from sagan_tf.data import Example, Source
from sagan_tf.data.decoding import decode_image
from sagan_tf.evaluation import Classifier
from sagan_tf.evaluation.features import classifier as module
from tests.data.samples import encoded

IMAGES = np.random.default_rng(11).integers(0, 256, (70, 8, 8, 1), np.uint8)


@dataclasses.dataclass
class Stripes(Source):
    """Noisy 8x8 images that are brighter in the row of their class; images can be exchanged."""

    size: int = 60
    classes: int = 3
    name: str = "stripes"
    class_names: tuple | None = ("a", "b", "c")
    exchanged: dict = dataclasses.field(default_factory=dict)

    def __len__(self):
        return self.size

    def read(self, index):
        found = self.exchanged.get(index)
        if isinstance(found, Exception):
            raise found
        if found is not None:
            return found
        label = index % self.classes
        pixels = np.random.default_rng(index).integers(0, 160, (8, 8), np.uint8)
        pixels[label] += 95
        return Example(encoded(pixels), label, f"stripe {index}")


def trained(cache_dir, source=None, steps=4, **options):
    """A classifier of `Stripes`, or of another source, after few steps."""
    arguments = {"image_size": 8, "channels": 1, "cache_dir": cache_dir, "steps": steps}
    source = Stripes() if source is None else source
    return Classifier.trained_on(source, **(arguments | options))


def same(one, other):
    """Whether two classifiers see some images alike, to the last bit."""
    return all(np.array_equal(*pair) for pair in zip(one(IMAGES), other(IMAGES), strict=True))


def exchanged(index, **changes):
    """`Stripes.exchanged` with changes to one example."""
    return {index: Stripes().read(index)._replace(**changes)}


def warnings(caplog):
    """Those of this package, and not TensorFlow's that it is traced often."""
    found = [record for record in caplog.records if record.levelname == "WARNING"]
    return [record.getMessage() for record in found if record.name == "absl"]


def share_right(classifier, source, image_size):
    """Of the images of `source` that are held out, those that the classifier recognizes."""
    _, held_out = module._split(source, len(source) // 5)
    examples = [held_out.read(index) for index in range(len(held_out))]
    pixels = np.array([decode_image(example.encoded, image_size, 1) for example in examples])
    found = classifier(pixels)[1].argmax(axis=1)
    return np.mean(found == [example.label for example in examples])
