"""Folders of images, one sub-folder per class."""

import os
from pathlib import Path

import numpy as np

from sagan_tf.config import unknown_name
from sagan_tf.data.source import Example, Source

_EXTENSIONS = (".jpg", ".jpeg", ".png")
_SPLITS = frozenset({"train", "training", "val", "valid", "validation", "dev", "test", "testing"})


class ImageFolder(Source):
    """JPEG and PNG files in `path/<class>/` or `path/<split>/<class>/`.

    Files may lie deeper within a class. Hidden files and folders are passed over. A folder is
    read as split when `path/<split>`, or a sub-folder with the name of a usual split (`train`,
    `test`, `validation`, ...), holds class folders; otherwise its only split is `train`. Labels
    follow the sorted class names, over all splits, so that they agree between splits.

    Args:
        path: str or path of the folder; `~` is expanded.
        split: str. Defaults to `"train"`.

    Raises:
        ValueError: if the folder, its classes or the split do not exist.
    """

    def __init__(self, path, split="train"):
        root = check_folder(path)
        folders = _folders(root)
        if any(_classes(root / name) for name in folders if name == split or name in _SPLITS):
            classes_by_split = {name: _classes(root / name) for name in folders}
            splits = [name for name, classes in classes_by_split.items() if classes]
            if split not in splits:
                raise unknown_name(f"split of {root}", split, splits)
            base, classes = root / split, sorted(set().union(*classes_by_split.values()))
        else:
            base, classes = root, _classes(root)
            _check_flat(root, classes, split)

        super().__init__(str(base), classes)
        files = [list(_images(base / name)) if name in _folders(base) else [] for name in classes]
        self._paths = [path for paths in files for path in paths]
        self._labels = np.repeat(np.arange(len(classes)), [len(paths) for paths in files])

    def __len__(self):
        return len(self._paths)

    def read(self, index):
        path = self._paths[index]
        return Example(Path(path).read_bytes(), int(self._labels[index]), path)


def check_folder(path):
    """The folder at a path, in which `~` is expanded; a ValueError if there is none."""
    root = Path(path).expanduser()
    if not root.is_dir():
        kind = "is not a folder" if root.exists() else "does not exist"
        raise ValueError(f"The image folder {root} {kind}.")
    return root


def _check_flat(root, classes, split):
    layout = f"Expected {root}/<class>/*.jpg or {root}/<split>/<class>/*.jpg (or .jpeg, .png)"
    if not classes:
        found = "images but no class folders" if any(_images(root)) else "no images"
        raise ValueError(f"{root} holds {found}. {layout}.")
    if _SPLITS.issuperset(classes):
        raise ValueError(f"{root}/{classes[0]} holds images but no class folders. {layout}.")
    if split != "train":
        raise ValueError(
            f"{root} has no splits, only classes, which are all `train`. Received: split={split}"
        )


def _folders(folder):
    """Names of the folders in `folder`, sorted; links to folders count."""
    with os.scandir(folder) as entries:
        return sorted(e.name for e in entries if e.is_dir() and not e.name.startswith("."))


def _classes(folder):
    return [name for name in _folders(folder) if any(_images(os.path.join(folder, name)))]


def _images(folder):
    """Yields the paths of the images in and below `folder` in a fixed order."""
    with os.scandir(folder) as entries:
        visible = sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: e.name)
    for entry in visible:
        if entry.is_dir(follow_symlinks=False):  # A link could lead back up.
            yield from _images(entry.path)
        elif entry.name.lower().endswith(_EXTENSIONS):
            yield entry.path
