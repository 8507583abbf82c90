"""Some of the images of a data set."""

from sagan_tf.data.source import Source


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
