"""Writes images for other programs: a folder that `ImageFolder` reads, or one file of arrays."""

import re
import unicodedata
import zipfile

import numpy as np
from PIL import Image

from sagan_tf.data.image_tree import LEFT_BEHIND, split_row
from sagan_tf.files import replacing
from sagan_tf.images import to_uint8

_MAX_NAME_BYTES = 200


def folder_names(class_names):
    """Names of folders for classes, by which `ImageFolder` has the same classes again.

    A folder has the name of its class wherever it can. Slashes and what cannot be printed become
    `_`, and so does a dot at the beginning, which would hide the folder. A name that is too long is
    cut. `_` and the number of the class are added to what still names no folder of a class: it is
    empty, stands for what systems leave behind, or is there already. The same goes for all names if
    all of them are those of splits.

    Args:
        class_names: Sequence of str, in the order of the labels.

    Returns:
        List of as many different strs.
    """
    names = list(map(_cleaned, class_names))
    are_splits = all(split_row(name) is not None for name in names)
    # Those who keep their names come first: no other may take one away.
    order = sorted(range(len(names)), key=lambda label: names[label] != class_names[label])
    taken = set()
    for label in order:
        name = names[label]
        if are_splits or not name.strip() or name.casefold() in LEFT_BEHIND or name in taken:
            names[label] += f"_{label}"
        while names[label] in taken:
            names[label] += "_"
        taken.add(names[label])
    return names


def _cleaned(name):
    name = "".join(letter if letter.isprintable() else "_" for letter in name)
    name = re.sub(r"^\.|[/\\]", "_", unicodedata.normalize("NFC", name))
    return name.encode()[:_MAX_NAME_BYTES].decode(errors="ignore")


def write_image_folder(path, batches, class_names=None):
    """Writes a folder of PNG files, one per image, in the place of the one at `path`.

    The file of the image 12 is `<class>/000012.png`. The folder is there as a whole or not at all.
    A class without images gets no folder.

    Args:
        path: str or path of the folder.
        batches: Iterable of `(images, labels)`: floats `(count, height, width, 1 or 3)` in
            [-1, 1], and ints `(count,)`.
        class_names: Sequence of str, names of the classes in the order of the labels, see
            `folder_names`. Defaults to `None`, which writes `000012.png` and ignores the labels.
    """
    names = None if class_names is None else folder_names(class_names)
    number = 0
    with replacing(path) as new:
        new.mkdir()
        for images, labels in batches:
            for pixels, label in zip(to_uint8(images), labels, strict=True):
                folder = new if names is None else new / names[label]
                folder.mkdir(exist_ok=True)
                gray_or_rgb = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
                Image.fromarray(gray_or_rgb).save(folder / f"{number:06}.png")
                number += 1


def write_image_arrays(path, batches, shape):
    """Writes an `.npz` file with `images`, uint8 of a shape, and `labels`, int32 `(num_images,)`.

    `numpy.load` reads it. It never holds more than one batch of images in memory.

    Args:
        path: str or path of the file, which is there as a whole or not at all.
        batches: As in `write_image_folder`, of `shape[0]` images together.
        shape: `(num_images, height, width, channels)`.
    """
    header = {"descr": "|u1", "fortran_order": False, "shape": tuple(shape)}
    all_labels = []
    with replacing(path) as new, zipfile.ZipFile(new, "w") as archive:
        with archive.open("images.npy", "w", force_zip64=True) as file:
            np.lib.format.write_array_header_1_0(file, header)
            for images, labels in batches:
                file.write(to_uint8(images).tobytes())
                all_labels.append(labels)
        with archive.open("labels.npy", "w") as file:
            labels = np.concatenate(all_labels).astype("int32")
            np.lib.format.write_array(file, labels, allow_pickle=False)
