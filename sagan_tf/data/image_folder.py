"""Folders of images, one sub-folder per class."""

import collections
import dataclasses
import os
import re
import unicodedata
from pathlib import Path

import numpy as np

from sagan_tf.data.source import Example, Source
from sagan_tf.files import digest, read_regular
from sagan_tf.settings import unknown_name

_ENDINGS = frozenset(
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
_MAX_BYTES = 2**28  # Of a file; what decoding takes is bounded by the number of pixels.


class ImageFolder(Source):
    """Image files in `path/<class>/`, or `path/<split>/<class>/`, or all in `path/`.

    Files count by their endings: JPEG, PNG, WebP, BMP, GIF and TIFF. They may lie deeper within a
    class, and behind links. What is hidden, or left behind by the system, is ignored; whatever else
    is passed over is counted by `describe`.

    Folders are splits if their names say so (`train`, `Testing`, `val`, ...) and there are several,
    or one, `split` among them. The classes are those of `train`, if there is such a split, and of
    the split that is read, in natural order: `2` before `10`. Images that lie in no class folder
    are read as a data set without classes. A folder that holds nothing but one folder of folders
    stands for that.

    Args:
        path: str or path of the folder; `~` is expanded.
        split: str, whose upper and lower case do not differ. `"all"` reads the folders as classes
            whatever their names are. Defaults to `"train"`.

    Attributes:
        paths: List of str, the paths of the images by index.

    Raises:
        ValueError: if the folder or the split does not exist, a class has no images, or the folders
            can be read in two ways.
    """

    def __init__(self, path, split="train"):
        tree = _scan(check_folder(path))
        while inner := _only_folder_of_folders(tree):
            tree = inner
        splits = {} if split == "all" else _splits(tree, split)
        base = reference = tree
        passed_over = collections.Counter(tree.others)
        if splits:
            base = splits[_chosen(splits, split, tree.path)]
            reference = next((splits[name] for name in splits if split_row(name) == 0), base)
            for name, folder in tree.folders.items():
                if name not in splits and folder.count:
                    passed_over[f"{name}/"] += folder.count
            passed_over += base.others
        elif split not in ("train", "all"):
            raise ValueError(
                f"{tree.path} has no splits, only classes, which are all `train`. "
                f"Received: split={split}"
            )
        if not base.count:
            found = f", but {_listed(base.all_others())}" if base.all_others() else ""
            raise ValueError(f"{base.path} holds no images{found}. {_EXPECTED}")

        classes = {} if base.is_flat else base.classes()
        known = {} if reference.is_flat else reference.classes()
        names = sorted(known, key=_natural) + sorted(classes.keys() - known.keys(), key=_natural)
        super().__init__(base.path, names)
        images = []
        for label, name in enumerate(names):
            found = [image for folder in classes.get(name, ()) for image in folder.all_images()]
            if name in classes and not found:
                others = sum((each.all_others() for each in classes[name]), collections.Counter())
                reason = f": {_listed(others)} cannot be read" if others else ""
                raise ValueError(
                    f"The class {name} of {base.path} has no images{reason}. Add some, or remove "
                    "its folder"
                )
            images += [(path, label) for path in found]
        for folders in classes.values():
            passed_over += sum((each.all_others() for each in folders), collections.Counter())
        if names:
            for path in (*tree.images, *(base.images if base is not tree else ())):
                passed_over[f"{_ending(path)} beside the classes"] += 1
        else:
            images = [(path, 0) for path in base.all_images()]
        self.paths = [path for path, _ in images]
        self._labels = np.array([label for _, label in images])
        self.passed_over = dict(passed_over.most_common())

    def __len__(self):
        return len(self.paths)

    def read(self, index):
        path = self.paths[index]
        return Example(read_regular(path, _MAX_BYTES), int(self._labels[index]), path)

    def describe(self):
        counts = np.bincount(self._labels, minlength=len(self.class_names))
        text = super().describe()
        if self.class_names:
            pairs = list(zip(self.class_names, counts, strict=True))
            shown = ", ".join(f"{name} {count}" for name, count in pairs[:20])
            text += f": {shown}" + (", ..." if len(pairs) > 20 else "")
        return text + (f"; passed over: {_listed(self.passed_over)}" if self.passed_over else "")

    def digest(self):
        """Digest of the paths within the folder and the sizes of the files."""
        parts = (
            f"{unicodedata.normalize('NFC', os.path.relpath(path, self.name))} "
            f"{os.path.getsize(path)} {label}"
            for path, label in zip(self.paths, self._labels, strict=True)
        )
        return digest(*parts)[:16]


_EXPECTED = (
    "Expected <class>/*.jpg, <split>/<class>/*.jpg or *.jpg (or "
    f"{', '.join(sorted(_ENDINGS - {'.jpg'}))})"
)


def check_folder(path):
    """The folder at a path, in which `~` is expanded; a ValueError if it is none of images."""
    root = Path(path).expanduser()
    if not root.is_dir():
        kind = "is not a folder" if root.exists() else "does not exist"
        raise ValueError(f"The image folder {root} {kind}.")
    if (root / "config.json").is_file() and list(root.glob("model.weights.h5")) + list(
        root.glob("checkpoints")
    ):
        raise ValueError(f"{root} is the folder of a model, not of images")
    return root


@dataclasses.dataclass
class _Folder:
    """What a folder holds, in a fixed order."""

    path: str
    entries: list  # Paths of images, and `_Folder`s.
    others: collections.Counter  # Other files, by ending.

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


def _scan(path, ancestors=()):
    """The `_Folder` at a path, or `None` if a link has led back up to it."""
    status = os.stat(path)
    identity = status.st_dev, status.st_ino
    if identity in ancestors:
        return None
    if len(ancestors) == _MAX_DEPTH:
        raise ValueError(f"{path} lies more than {_MAX_DEPTH} folders deep")
    with os.scandir(path) as listed:
        visible = sorted((e for e in listed if not e.name.startswith(".")), key=lambda e: e.name)
    entries, others = [], collections.Counter()
    for entry in visible:
        if entry.is_dir():
            if entry.name.casefold() not in LEFT_BEHIND:
                entries.append(_scan(entry.path, (*ancestors, identity)))
        elif entry.is_file() and _ending(entry.path) in _ENDINGS:
            entries.append(entry.path)
        else:
            others[_ending(entry.path) if entry.is_file() else "no file"] += 1
    return _Folder(str(path), [entry for entry in entries if entry is not None], others)


def _only_folder_of_folders(tree):
    """The folder in which the images are, if there is nothing else and it is no split."""
    filled = [folder for folder in tree.folders.values() if folder.count]
    if tree.images or len(filled) != 1 or split_row(os.path.basename(filled[0].path)) is not None:
        return None
    return None if filled[0].images else filled[0]


def _splits(tree, split):
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


def _chosen(splits, split, path):
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


def _natural(name):
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def _ending(path):
    return os.path.splitext(path)[1].lower() or "no ending"


def _listed(counts):
    text = ", ".join(f"{kind} {count}" for kind, count in list(counts.items())[:10])
    return f"{sum(counts.values())} files ({text})"
