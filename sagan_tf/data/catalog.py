"""Finds a data set by its name or path."""

import importlib.util
import os

from sagan_tf.data.digits_arrays import DigitsArrays
from sagan_tf.data.image_folder import ImageFolder, check_folder, is_archive_name
from sagan_tf.data.slices import held_out_split

_PREFIX = "tfds:"


def find_dataset(name_or_path="digits", split="train", *, data_dir=None, download=False):
    """Opens a data set, without decoding an image yet.

    Args:
        name_or_path: str or path: `"digits"`, a folder or zip archive of images (a `Path` is always
            one, and so is what is absolute, starts with `.` or `~` or ends in `.zip`), or a TFDS
            name such as `"cifar10"` or `"imagenet_resized/64x64"`. `"tfds:cifar10"` is a name in
            any case. Defaults to `"digits"`.
        split: str, also a slice such as `"train[:80%]"`, which has its share of each class where
            files are read. Defaults to `"train"`.
        data_dir: str or path, folder of TFDS data sets. Defaults to TFDS's own.
        download: bool, whether TFDS may download what is not in `data_dir`. Defaults to `False`.

    Returns:
        A `Source`.

    Raises:
        TypeError: if `name_or_path` is neither a string nor a path, or `split` is no string.
        ValueError: if there is no such data set or split, it is not on disk, or the name means
            both a folder and a data set.
    """
    if not isinstance(name_or_path, (str, os.PathLike)):
        raise TypeError(f"`name_or_path` must be a string or a path. Received: {name_or_path!r}")
    if not isinstance(split, str):
        raise TypeError(f"`split` must be a string. Received: {split!r}")
    check_dataset(name_or_path)
    if means_folder(name_or_path):
        if not _must_be_path(name_or_path) and importlib.util.find_spec("tensorflow"):
            from sagan_tf.data.tfds_source import is_known

            if is_known(name_or_path):
                raise _ambiguous(name_or_path)
        return ImageFolder(name_or_path, split)

    name = name_or_path.removeprefix(_PREFIX)
    if importlib.util.find_spec("tensorflow") is None:
        if name == "digits":
            return DigitsArrays(split)
        raise ValueError(
            f"There is no folder {name} here, and TFDS needs TensorFlow, which is missing. Valid: "
            "digits, or the path of an image folder"
        )

    from sagan_tf.data.tfds_source import TfdsSource, prepared_builder  # TFDS is slow to import.

    data_dir = data_dir and os.path.expanduser(data_dir)
    if name in BUNDLED:
        return TfdsSource(BUNDLED[name](data_dir), split)
    return TfdsSource(prepared_builder(name, data_dir, download, split), split)


def find_held_out(name_or_path, split, **options):
    """The images that a slice of a split leaves over, such as train[90%:] of train[:90%].

    Args:
        name_or_path: As in `find_dataset`.
        split: str, the slice.
        **options: `data_dir` and `download` of `find_dataset`.

    Returns:
        `(source, split)`: their `Source` and its split; or `None` if the split is a whole one or
        several slices, or nothing is left over.
    """
    rest = held_out_split(split)
    if rest is None:
        return None
    try:
        source = find_dataset(name_or_path, rest, **options)
    except ValueError:  # A slice that begins where the images end is none.
        return None
    return (source, rest) if len(source) else None


def check_dataset(name_or_path, split=None):
    """Raises a ValueError if a name means no folder, or two things. No image is read.

    With a split, a folder or an archive is listed too: it has that split, and its tables of labels
    fit. TensorFlow is not imported.
    """
    if name_or_path in BUNDLED and os.path.isdir(name_or_path):
        raise _ambiguous(name_or_path)
    if means_folder(name_or_path):
        check_folder(name_or_path)
        if split is not None:
            ImageFolder(name_or_path, split)


def _ambiguous(name):
    return ValueError(
        f"{name} is both a data set and a folder here: write ./{name} for the folder, or "
        f"{_PREFIX}{name} for the data set"
    )


def _must_be_path(name_or_path):
    path = os.path.expanduser(name_or_path)
    is_explicit = path.startswith(".") or os.path.isabs(path) or path.endswith(os.sep)
    return isinstance(name_or_path, os.PathLike) or is_explicit or is_archive_name(path)


def means_folder(name_or_path):
    """Whether a name or path means an image folder. `check_dataset` says if it is one."""
    if isinstance(name_or_path, str) and name_or_path.startswith(_PREFIX):
        return False
    is_name = name_or_path in BUNDLED
    return not is_name and (_must_be_path(name_or_path) or os.path.exists(name_or_path))


def _digits(data_dir):
    from sagan_tf.data.digits import prepared_digits  # TFDS is slow to import.

    return prepared_digits(data_dir)


# Each name has a function of `data_dir` that returns a TFDS builder whose files are on disk.
BUNDLED = {"digits": _digits}
