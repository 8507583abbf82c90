"""What a folder of images holds, wherever it lies, and which of its folders are splits."""

import collections
import dataclasses
import os
import re
import unicodedata

from sagan_tf.settings import unknown_name

ENDINGS = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
)
# Names of splits, those that mean the same in one row.
_SPLITS = (
    ("train", "training"),
    ("val", "valid", "validation", "dev"),
    ("test", "testing"),
)
# Folders that operating systems and storage boxes leave behind.
LEFT_BEHIND = frozenset(
    ("@eadir", "#recycle", "$recycle.bin", "system volume information", "lost+found", "__macosx")
)
_MAX_DEPTH = 32
MAX_BYTES = 2**28  # Of a file; what decoding takes is bounded by the number of pixels.


@dataclasses.dataclass
class Folder:
    """What a folder holds, in a fixed order."""

    path: str
    entries: list  # Paths of images, and `Folder`s.
    others: collections.Counter  # Other files, by ending.
    tables: list = dataclasses.field(default_factory=list)  # Paths of what may be tables of labels.

    def __post_init__(self):
        self.images = [entry for entry in self.entries if isinstance(entry, str)]
        folders = [entry for entry in self.entries if not isinstance(entry, str)]
        self.folders = {os.path.basename(folder.path): folder for folder in folders}
        self.count = len(self.images) + sum(folder.count for folder in folders)

    @property
    def is_flat(self):
        """Whether no folder in it holds an image."""
        return len(self.images) == self.count and self.count > 0

    def all_images(self):
        for entry in self.entries:
            yield from ([entry] if isinstance(entry, str) else entry.all_images())

    def all_others(self):
        return sum((each.all_others() for each in self.folders.values()), self.others)

    def classes(self):
        """Dict from the names of classes to lists of their folders, more than one if names agree.

        Two Unicode forms of a name look alike, and are one.
        """
        found = {}
        for name, folder in self.folders.items():
            found.setdefault(unicodedata.normalize("NFC", name), []).append(folder)
        return found


def only_folder_of_folders(tree):
    """The folder in which the images are, if there is nothing else and it is no split."""
    filled = [folder for folder in tree.folders.values() if folder.count]
    if tree.images or len(filled) != 1 or split_row(os.path.basename(filled[0].path)) is not None:
        return None
    return None if filled[0].images else filled[0]


def splits_of(tree, split):
    """Dict from the names of splits to their folders; empty if the folders are classes."""
    filled = {name: folder for name, folder in tree.folders.items() if folder.count}
    named = {name for name in filled if split_row(name) is not None or _same(name, split)}
    others = filled.keys() - named
    if not named or (others and all(filled[name].is_flat for name in named)):
        return {}
    if any(_same(name, split) and split_row(name) is None for name in named):
        return filled  # Whoever names a folder as the split has splits of names of their own.
    if others and len({split_row(name) for name in named}) == 1:
        # Either it is a split and the others have nothing to do with it, or it is a class.
        parts = {part for name in named for part in filled[name].folders}
        alike = {name for name in others if filled[name].images or parts & {*filled[name].folders}}
        if len(alike) > 1 and alike == others and all(parts & {*filled[n].folders} for n in others):
            return {}
        if alike:
            name = next(iter(named))
            raise ValueError(
                f"{tree.path} can be read in two ways: {name} is a split, or a class beside "
                f"{', '.join(sorted(others))}. Give the path of {name} for the split, or pass "
                "`split`=all for the classes"
            )
    return {name: filled[name] for name in filled if name in named}


def chosen_split(splits, split, path):
    """The name of the folder of a split: the same name, or one that means the same."""
    for fits in (
        lambda name: name == split,
        lambda name: _same(name, split),
        lambda name: split_row(name) is not None and split_row(name) == split_row(split),
    ):
        if found := list(filter(fits, splits)):
            return found[0]
    raise unknown_name(f"split of {path}", split, list(splits))


def _same(name, split):
    return name.casefold() == split.casefold()


def split_row(name):
    """The number of the row of `_SPLITS` that has a name, `None` for other names."""
    rows = (number for number, names in enumerate(_SPLITS) if name.casefold() in names)
    return next(rows, None)


def in_natural_order(names):
    """The names as people sort them, 2 before 10."""

    def key(name):
        parts = re.split(r"(\d+)", name)
        return [int(part) if part.isdecimal() else part for part in parts], name

    return sorted(names, key=key)


def check_depth(path, depth):
    """Raises a ValueError for a folder that lies too deep."""
    if depth >= _MAX_DEPTH:
        raise ValueError(f"{path} lies more than {_MAX_DEPTH} folders deep")


def ending_of(path):
    """The ending of a file's name in lower case, such as `.jpg`, or `no ending`."""
    return os.path.splitext(path)[1].lower() or "no ending"
