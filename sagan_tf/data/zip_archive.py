"""Image files in a zip archive, which is never unpacked."""

import collections
import errno
import os
import posixpath
import struct
import zipfile
import zlib

from sagan_tf.data.image_tree import ENDINGS, LEFT_BEHIND, MAX_BYTES, Folder, check_depth, ending_of
from sagan_tf.data.label_table import TABLES
from sagan_tf.files import one_line

# Python takes these two apart piece by piece; of others it would make any number of bytes at once.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_LONGEST_REASON = 80
_ENCRYPTED = 1  # Bit of the flags.
_ERRORS = (
    *(zipfile.BadZipFile, zlib.error, struct.error),
    *(EOFError, NotImplementedError, RuntimeError, ValueError),
)


class ZipArchive:
    """The files of a zip archive, known by its path and theirs in it, `images.zip/cat/1.png`.

    Threads and processes may read at the same time. A file is taken as large as the archive says,
    and not a byte more is unpacked; its check sum must be right.

    Args:
        path: `pathlib.Path` of the archive.

    Raises:
        ValueError: if it is torn, no archive, encrypted, or holds two files of one name.
    """

    def __init__(self, path):
        self._path = str(path)
        self._opened = None, None
        self._members = {}
        try:
            members = self._archive().infolist()
        except _ERRORS as error:
            raise ValueError(
                f"{path} is no zip archive, or a torn one: {one_line(error)}"
            ) from error
        self._num_odd = 0
        for member in members:
            # Some programs of Windows separate folders in their own way.
            name = member.filename.replace("\\", "/")
            if name.endswith("/"):
                continue
            if {"", ".", ".."} & set(name.split("/")):  # It is absolute, or leads elsewhere.
                self._num_odd += 1
                continue
            if member.flag_bits & _ENCRYPTED:
                raise ValueError(f"{path} is encrypted: {name} cannot be read")
            if self._members.setdefault(f"{path}/{name}", member) is not member:
                raise ValueError(f"{path} holds two files of the name {name}")

    def scan(self):
        """The `Folder` of all that is visible; a ValueError if it is too deep."""
        tree = {}
        for path in sorted(self._members):
            *folders, name = path[len(self._path) + 1 :].split("/")
            if any(part.startswith(".") for part in (*folders, name)):
                continue
            if any(folder.casefold() in LEFT_BEHIND for folder in folders):
                continue
            check_depth(posixpath.dirname(path), len(folders))
            place = tree
            for folder in folders:
                place = place.setdefault(f"{folder}/", {})
            place[name] = path
        folder = _folder(self._path, tree)
        if self._num_odd:
            folder.others["odd name"] += self._num_odd
        return folder

    def size(self, path):
        """Number of bytes of a file."""
        return self._members[path].file_size

    def read(self, path):
        """The bytes of a file; an OSError if they cannot be read, or are too many."""
        member = self._members[path]
        if member.file_size > MAX_BYTES:
            text = f"It has {member.file_size} bytes. At most {MAX_BYTES} are read"
            raise OSError(errno.EFBIG, text, path)
        if member.compress_type not in _METHODS:
            raise OSError(errno.EINVAL, "It is neither stored nor deflated", path)
        try:
            with self._archive().open(member) as file:
                content = file.read(member.file_size)
        except _ERRORS as error:
            raise OSError(errno.EIO, f"The archive is damaged: {_reason(error)}", path) from error
        if len(content) != member.file_size:
            raise OSError(errno.EIO, "The archive is damaged: it lacks bytes", path)
        return content

    def _archive(self):
        # A process that was forked off would share the position in an open file.
        process, archive = self._opened
        if process != os.getpid():
            archive = zipfile.ZipFile(self._path)
            self._opened = os.getpid(), archive
        return archive


def _reason(error):
    return one_line(error)[:_LONGEST_REASON]  # Python quotes any number of bytes.


def _folder(path, tree):
    entries, others, tables = [], collections.Counter(), []
    # The order is that of a folder on the disk, by names without the slash.
    for name, found in sorted(tree.items(), key=lambda item: item[0].rstrip("/")):
        if isinstance(found, dict):
            entries.append(_folder(f"{path}/{name[:-1]}", found))
        elif ending_of(name) in ENDINGS:
            entries.append(found)
        else:
            others[ending_of(name)] += 1
            if name in TABLES:
                tables.append(found)
    return Folder(path, entries, others, tables)
