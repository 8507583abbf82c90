"""Finds a data set by its name or path."""

import os

from sagan_tf.data.image_folder import ImageFolder, check_folder


def find_dataset(name_or_path="digits", split="train", *, data_dir=None, download=False):
    """Opens a data set, without decoding an image yet.

    Names of `BUNDLED` data sets come first, then whatever exists as a path, is absolute or
    starts with `.` or `~`, and then TFDS names.

    Args:
        name_or_path: str or path: `"digits"`, an image folder (a `Path` is always one), or a TFDS
            name such as `"cifar10"` or `"imagenet_resized/64x64"`. Defaults to `"digits"`.
        split: str, for TFDS also a slice such as `"train[:80%]"`. Defaults to `"train"`.
        data_dir: str or path, folder of TFDS data sets. Defaults to TFDS's own.
        download: bool, whether TFDS may download what is not in `data_dir`. Defaults to `False`.

    Returns:
        A `Source`.

    Raises:
        TypeError: if `name_or_path` is neither a string nor a path, or `split` is no string.
        ValueError: if there is no such data set or split, or it is not on disk.
    """
    if not isinstance(name_or_path, (str, os.PathLike)):
        raise TypeError(f"`name_or_path` must be a string or a path. Received: {name_or_path!r}")
    if not isinstance(split, str):
        raise TypeError(f"`split` must be a string. Received: {split!r}")
    bundled = name_or_path in BUNDLED
    if not bundled and _is_path(name_or_path):
        return ImageFolder(name_or_path, split)

    from sagan_tf.data.tfds_source import TfdsSource, prepared_builder  # TFDS is slow to import.

    data_dir = data_dir and os.path.expanduser(data_dir)
    if bundled:
        return TfdsSource(BUNDLED[name_or_path](data_dir), split)
    return TfdsSource(prepared_builder(name_or_path, data_dir, download), split)


def check_dataset(name_or_path):
    """Raises a ValueError if a name means a folder that does not exist. Nothing is read."""
    if name_or_path not in BUNDLED and _is_path(name_or_path):
        check_folder(name_or_path)


def _is_path(name_or_path):
    path = os.path.expanduser(name_or_path)
    looks_like_one = path.startswith(".") or os.path.isabs(path)
    return isinstance(name_or_path, os.PathLike) or looks_like_one or os.path.exists(path)


def _digits(data_dir):
    from sagan_tf.data.digits import prepared_digits  # TFDS is slow to import.

    return prepared_digits(data_dir)


# Each name has a function of `data_dir` that returns a TFDS builder whose files are on disk.
BUNDLED = {"digits": _digits}
