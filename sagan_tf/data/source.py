"""What the pipeline needs from a data set, and a part of one."""

import abc
from typing import NamedTuple


class Example(NamedTuple):
    """One image as it is stored."""

    encoded: bytes
    """The content of a JPEG or PNG file."""
    label: int
    """The number of the class."""
    name: str
    """What messages call the image, such as its path."""


class Source(abc.ABC):
    """A data set with random access. Reading is thread-safe and a pure function of the index.

    Args:
        name: str that messages call the data set by.
        class_names: list of str, names of the classes in label order; `None` if they are unknown.
    """

    def __init__(self, name, class_names):
        self.name = name
        self.class_names = None if class_names is None else tuple(class_names)

    @property
    def num_classes(self):
        """int, number of classes; `None` if it is unknown."""
        return None if self.class_names is None else len(self.class_names)

    @abc.abstractmethod
    def __len__(self):
        """Number of images."""

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

    def read(self, index):
        return self._source.read(int(self._indices[index]))
