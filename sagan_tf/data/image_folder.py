"""Folders and zip archives of images, one sub-folder per class or with a table of labels."""

import collections
import os
import unicodedata
import zipfile
from pathlib import Path

import numpy as np

from sagan_tf.data.directory import Directory
from sagan_tf.data.image_tree import (
    ENDINGS,
    chosen_split,
    ending_of,
    in_natural_order,
    only_folder_of_folders,
    split_row,
    splits_of,
)
from sagan_tf.data.label_table import read_table
from sagan_tf.data.slices import parse_split, slice_positions, spread_order
from sagan_tf.data.source import Example, Source
from sagan_tf.data.zip_archive import ZipArchive
from sagan_tf.files import digest


class ImageFolder(Source):
    """Image files in `path/<class>/`, or `path/<split>/<class>/`, or all in `path/`.

    The path may be that of a zip archive of such a folder, which is read as it is. Files count by
    their endings: JPEG, PNG, WebP, BMP, GIF and TIFF. They may lie deeper within a class, and
    behind links. What is hidden, or left behind by the system, is ignored; whatever else is passed
    over is counted by `describe`.

    Folders are splits if their names say so (`train`, `Testing`, `val`, ...) and there are several,
    or one, `split` among them. The classes are those of `train`, if there is such a split, and of
    the split that is read, in natural order: `2` before `10`. Images that lie in no class folder
    are read as a data set without classes. A folder that holds nothing but one folder of folders
    stands for that.

    A file `labels.csv` or `dataset.json` in the folder, or in that of the split, says of which
    class each image is, whatever folders they lie in; see `read_table`.

    A slice of a split, such as `train[:90%]`, has its share of each class. What is in it depends on
    the paths of the images within the folder and on nothing else.

    Args:
        path: str or path of the folder or archive; `~` is expanded.
        split: str, whose upper and lower case do not differ. `"all"` reads the folders as classes
            whatever their names are. Defaults to `"train"`.

    Attributes:
        empty_classes: Tuple of the names of classes of which there is no image in the split.

    Raises:
        ValueError: if the folder or the split does not exist, a class has no images, the folders
            can be read in two ways, a table does not fit the images, or an archive is torn.
    """

    def __init__(self, path, split="train"):
        root = check_folder(path)
        self._files = Directory(root) if root.is_dir() else ZipArchive(root)
        tree = self._files.scan()
        while not tree.tables and (inner := only_folder_of_folders(tree)):
            tree = inner
        whole_split, slices = parse_split(split)
        splits = {} if whole_split == "all" else splits_of(tree, whole_split)
        base = reference = tree
        passed_over = collections.Counter(tree.others)
        if splits:
            base = splits[chosen_split(splits, whole_split, tree.path)]
            reference = next((splits[name] for name in splits if split_row(name) == 0), base)
            for name, folder in tree.folders.items():
                if name not in splits and folder.count:
                    passed_over[f"{name}/"] += folder.count
            passed_over += base.others
        elif whole_split not in ("train", "all"):
            raise ValueError(
                f"{tree.path} has no splits, only classes, which are all `train`. "
                f"Received: split={split}"
            )
        if not base.count:
            found = f", but {_listed(base.all_others())}" if base.all_others() else ""
            raise ValueError(f"{base.path} holds no images{found}. {_EXPECTED}")

        read = self._by_table if tree.tables or base.tables else self._by_folders
        names, images = read(tree, reference, base, passed_over)
        super().__init__(base.path, names)
        if slices is not None:
            images = self._sliced(images, slices, split)
        self._paths = [path for path, _ in images]
        self._labels = np.array([label for _, label in images])
        counts = np.bincount(self._labels, minlength=len(names))[: len(names)]
        self.empty_classes = tuple(names[label] for label in np.flatnonzero(counts == 0))
        self.passed_over = dict(passed_over.most_common())

    def __len__(self):
        return len(self._paths)

    def read(self, index):
        path = self._paths[index]
        return Example(self._files.read(path), int(self._labels[index]), path)

    def describe(self):
        counts = np.bincount(self._labels, minlength=len(self.class_names))
        text = super().describe()
        if self.class_names:
            pairs = list(zip(self.class_names, counts, strict=True))
            shown = ", ".join(f"{name} {count}" for name, count in pairs[:20])
            text += f": {shown}" + (", ..." if len(pairs) > 20 else "")
        return text + (f"; passed over: {_listed(self.passed_over)}" if self.passed_over else "")

    def digest(self):
        """Digest of the paths within the folder and the sizes of the files.

        That of a zip archive is that of the folder.
        """
        parts = (
            f"{self._name_of(path)} {self._files.size(path)} {label}"
            for path, label in zip(self._paths, self._labels, strict=True)
        )
        return digest(*parts)[:16]

    def _name_of(self, path):
        """The path of an image within the folder, the same on all systems."""
        return unicodedata.normalize("NFC", os.path.relpath(path, self.name))

    def _sliced(self, images, slices, split):
        order = spread_order(
            [self._name_of(path) for path, _ in images], [label for _, label in images]
        )
        positions = slice_positions(slices, len(images))
        if not positions:
            raise ValueError(f"The slice of `split`={split} has none of {len(images)} images")
        return [images[index] for index in sorted(order[each] for each in positions)]

    def _by_folders(self, tree, reference, base, passed_over):
        """The names of the classes, and pairs of an image and a label; it adds to `passed_over`."""
        classes = {} if base.is_flat else base.classes()
        known = {} if reference.is_flat else reference.classes()
        names = in_natural_order(known) + in_natural_order(classes.keys() - known.keys())
        images = []
        for label, name in enumerate(names):
            found = [image for folder in classes.get(name, ()) for image in folder.all_images()]
            if name in classes and not found:
                others = _all_others(classes[name])
                reason = f": {_listed(others)} cannot be read" if others else ""
                raise ValueError(
                    f"The class {name} of {base.path} has no images{reason}. Add some, or remove "
                    "its folder"
                )
            images += [(path, label) for path in found]
        for folders in classes.values():
            passed_over += _all_others(folders)
        if not names:
            return names, [(path, 0) for path in base.all_images()]
        for path in (*tree.images, *(base.images if base is not tree else ())):
            passed_over[f"{ending_of(path)} beside the classes"] += 1
        return names, images

    def _by_table(self, tree, reference, base, passed_over):
        """As `_by_folders`, by the table in the folder, or by that of the split."""
        whole = tree if tree.tables else base
        passed_over[ending_of(whole.tables[0])] -= 1
        passed_over += _all_others(base.folders.values())
        table = self._table(whole)
        if table is None:
            return [], [(path, 0) for path in base.all_images()]
        known = table
        if whole is base and reference is not base:
            known = (self._table(reference) if reference.tables else None) or {}
        names = in_natural_order({*known.values()})
        names += in_natural_order({*table.values()} - {*names})
        labels = {name: label for label, name in enumerate(names)}
        return names, [(path, labels[table[path]]) for path in base.all_images()]

    def _table(self, folder):
        if len(folder.tables) > 1:
            found = " and ".join(map(os.path.basename, folder.tables))
            raise ValueError(f"{folder.path} has two tables of labels, {found}: remove one")
        (path,) = folder.tables
        return read_table(path, self._files.read(path), folder.path, folder.all_images())


_EXPECTED = (
    "Expected <class>/*.jpg, <split>/<class>/*.jpg or *.jpg (or "
    f"{', '.join(sorted(ENDINGS - {'.jpg'}))})"
)


def check_folder(path):
    """The folder or zip archive of images at a path, `~` expanded; a ValueError if it is none."""
    root = Path(path).expanduser()
    if not root.exists():
        raise ValueError(f"The image folder {root} does not exist.")
    if root.is_file() and zipfile.is_zipfile(root):
        return root
    if not root.is_dir():
        kind = "no zip archive, or a torn one" if is_archive_name(root) else "not a folder"
        raise ValueError(f"The image folder {root} is {kind}.")
    if (root / "config.json").is_file() and list(root.glob("model.weights.h5")) + list(
        root.glob("checkpoints")
    ):
        raise ValueError(f"{root} is the folder of a model, not of images")
    return root


def is_archive_name(path):
    """Whether a name is that of a zip archive, be it there or not."""
    return os.fspath(path).lower().endswith(".zip")


def _all_others(folders):
    return sum((folder.all_others() for folder in folders), collections.Counter())


def _listed(counts):
    text = ", ".join(f"{kind} {count}" for kind, count in list(counts.items())[:10])
    return f"{sum(counts.values())} files ({text})"
