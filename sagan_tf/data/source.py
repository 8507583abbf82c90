"""What the pipeline needs from a data set, and a part of one."""

import abc
from typing import NamedTuple

import numpy as np

from sagan_tf.files import digest


class Example(NamedTuple):
    """One image as it is stored."""

    encoded: bytes
    """The content of an image file."""
    label: int
    """The number of the class."""
    name: str
    """What messages call the image, such as its path."""


class Source(abc.ABC):
    """A data set with random access. Reading is thread-safe and a pure function of the index.

    Args:
        name: str that messages call the data set by.
        class_names: list of str, names of the classes in label order; empty if there are no
            classes, and `None` if they are unknown.
    """

    passed_over = None  # Dict from kinds of files to their numbers, if there are any.
    empty_classes = ()  # Names of the classes that are known to have no image.

    def __init__(self, name, class_names):
        self.name = name
        self.class_names = None if class_names is None else tuple(class_names)
        wrong = [each for each in self.class_names or () if not isinstance(each, str)]
        if wrong:
            raise TypeError(f"`class_names` must be a list of strings. Received: {wrong[0]!r}")

    @property
    def num_classes(self):
        """int, number of classes, 0 if there are none; `None` if it is unknown."""
        return None if self.class_names is None else len(self.class_names)

    @abc.abstractmethod
    def __len__(self):
        """Number of images."""

    def describe(self):
        """A line that says what was found."""
        if self.num_classes is None:
            return f"{len(self)} images"
        count = f"in {self.num_classes} class{'es' * (self.num_classes > 1)}"
        return f"{len(self)} images {count if self.num_classes else 'without classes'}"

    def digest(self):
        """str by which the images are known, wherever they lie.

        Here it is a function of the name and the number of images: override it where others may
        have the same.
        """
        return digest(self.name, str(len(self)))[:16]

    @abc.abstractmethod
    def read(self, index):
        """The `Example` at `index`, in `[0, len(self))`.

        Raises:
            OSError: if this example cannot be read.
            ValueError: if no example can be read, for instance because of damaged files.
        """


class Subset(Source):
    """Images of another source, chosen and ordered by their indices.

    Args:
        source: A `Source`.
        indices: int array `(num_images,)`, each in `[0, len(source))`.
    """

    def __init__(self, source, indices):
        super().__init__(source.name, source.class_names)
        self._source = source
        self._indices = indices

    def __len__(self):
        return len(self._indices)

    def digest(self):
        return digest(self._source.digest(), np.asarray(self._indices))[:16]

    def read(self, index):
        return self._source.read(int(self._indices[index]))


class Relabeled(Source):
    """Images of another source, whose labels are those of the same classes elsewhere.

    Args:
        source: A `Source` with classes.
        labels: Sequence of ints, what each of its labels becomes.
        class_names: Sequence of str, names of all classes in the order of the new labels.
    """

    def __init__(self, source, labels, class_names):
        super().__init__(source.name, class_names)
        self._source = source
        self._labels = tuple(labels)

    def __len__(self):
        return len(self._source)

    def digest(self):
        return digest(self._source.digest(), np.asarray(self._labels))[:16]

    def read(self, index):
        example = self._source.read(index)
        return example._replace(label=self._labels[example.label])
