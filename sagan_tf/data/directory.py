"""Image files in a folder of the disk."""

import collections
import os

from sagan_tf.data.image_tree import ENDINGS, LEFT_BEHIND, MAX_BYTES, Folder, check_depth, ending_of
from sagan_tf.data.label_table import TABLES
from sagan_tf.files import read_regular


class Directory:
    """The files below a folder, also behind links, known by their paths.

    Args:
        path: `pathlib.Path` of the folder.
    """

    def __init__(self, path):
        self._path = path

    def scan(self):
        """The `Folder` of all that is visible; a ValueError if it is too deep."""
        return _scan(self._path)

    def size(self, path):
        """Number of bytes of a file."""
        return os.path.getsize(path)

    def read(self, path):
        """The bytes of a file; an OSError if they cannot be read, or are too many."""
        return read_regular(path, MAX_BYTES)


def _scan(path, ancestors=()):
    """The `Folder` at a path, or `None` if a link has led back up to it."""
    status = os.stat(path)
    identity = status.st_dev, status.st_ino
    if identity in ancestors:
        return None
    check_depth(path, len(ancestors))
    with os.scandir(path) as listed:
        visible = sorted((e for e in listed if not e.name.startswith(".")), key=lambda e: e.name)
    entries, others, tables = [], collections.Counter(), []
    for entry in visible:
        if entry.is_dir():
            if entry.name.casefold() not in LEFT_BEHIND:
                entries.append(_scan(entry.path, (*ancestors, identity)))
        elif entry.is_file() and ending_of(entry.path) in ENDINGS:
            entries.append(entry.path)
        else:
            others[ending_of(entry.path) if entry.is_file() else "no file"] += 1
            if entry.name in TABLES and entry.is_file():
                tables.append(entry.path)
    return Folder(str(path), [entry for entry in entries if entry is not None], others, tables)
