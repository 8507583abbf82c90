"""What the pipeline needs from a data set."""

import abc
from typing import NamedTuple


class Example(NamedTuple):
    """One image as it is stored.

    Attributes:
        encoded: The bytes of a JPEG or PNG file.
        label: The class.
        name: What to call the image in messages, such as its path.
    """

    encoded: bytes
    label: int
    name: str


class Source(abc.ABC):
    """A data set with random access. Reading is thread-safe and a pure function of the index.

    Args:
        name: What to call the data set in messages.
        class_names: Names of the classes, in label order; None if they are not known.
    """

    def __init__(self, name, class_names):
        self.name = name
        self.class_names = None if class_names is None else tuple(class_names)

    @property
    def num_classes(self):
        """Number of classes, None if it is not known."""
        return None if self.class_names is None else len(self.class_names)

    @abc.abstractmethod
    def __len__(self):
        """Number of images."""

    @abc.abstractmethod
    def read(self, index):
        """The `Example` at `index`, in `[0, len(self))`.

        Raises:
            OSError: if this example cannot be read.
            ValueError: if none can, say because the files of the data set are damaged.
        """
