"""Arrays of images as a data set."""

import io

import numpy as np
from PIL import Image

from sagan_tf.data.source import Example, Source
from sagan_tf.files import digest
from sagan_tf.images import check_pixels
from sagan_tf.labels import check_labels

_DIGESTED = 256  # So many images at once are copied for the digest.


class Arrays(Source):
    """Images and labels that are in memory, such as those of `numpy.load`.

    Images become squares, and change their size and channels, as those in files do.

    Args:
        images: uint8 array `(num_images, height, width, 1 or 3)`. It is not copied.
        labels: Sequence of ints, or of names of classes, one per image. Defaults to `None`, no
            classes.
        class_names: Sequence of str, names of the classes in the order of the labels. Defaults to
            `None`, their numbers from 0 to the largest label.
        name: str that messages call the data set by. Defaults to `"arrays"`.

    Raises:
        TypeError: if the images are not uint8, or a name is no str.
        ValueError: if a shape is another one, or a label is not in [0, number of classes).

    Example:

    ```python
    source = sagan_tf.data.Arrays(images, labels, ["cat", "dog"])
    sagan_tf.training.train(config, "runs/pets", source=source)
    ```
    """

    def __init__(self, images, labels=None, class_names=None, name="arrays"):
        self._images = check_pixels(images)
        if labels is None:
            if class_names:
                raise ValueError("`class_names` need `labels`. Received: labels=None")
            class_names, labels = (), np.zeros(len(self._images), "int32")
        else:
            labels = np.asarray(labels)
            if labels.shape != (len(self._images),):
                raise ValueError(
                    f"`labels` must have shape ({len(self._images)},), one per image. "
                    f"Received: {labels.shape}"
                )
            if class_names is None:
                if labels.dtype.kind == "U":
                    raise ValueError("`labels` that are names need `class_names`, which order them")
                class_names = [str(number) for number in range(int(labels.max(initial=-1)) + 1)]
            labels = check_labels(labels, len(class_names), class_names)
        super().__init__(name, class_names)
        self._labels = labels
        counts = np.bincount(labels, minlength=len(self.class_names))
        self.empty_classes = tuple(
            each for each, count in zip(self.class_names, counts, strict=False) if not count
        )

    def __len__(self):
        return len(self._images)

    def digest(self):
        """Digest of the pixels and the labels."""
        starts = range(0, len(self), _DIGESTED)
        parts = (self._images[start : start + _DIGESTED] for start in starts)
        return digest(*parts, self._labels)[:16]

    def read(self, index):
        pixels = self._images[index]
        picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
        file = io.BytesIO()
        picture.save(file, "BMP")  # It loses nothing, and nothing is quicker.
        return Example(file.getvalue(), int(self._labels[index]), f"image {index} of {self.name}")
