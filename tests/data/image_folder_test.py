import os
import re

import pytest

from sagan_tf.data import ImageFolder


def listing(folder, root):
    """(label, path relative to `root`) of all images, in order."""
    examples = [folder.read(index) for index in range(len(folder))]
    return [(label, name.removeprefix(f"{root}/")) for _, label, name in examples]


def test_classes_are_folders(make_folder):
    root = make_folder("dog/b.png", "dog/a.jpg", "cat/z.JPEG", "cat/c.PNG", "cat/x.JpG")
    folder = ImageFolder(root)
    assert folder.class_names == ("cat", "dog")
    assert folder.num_classes == 2
    assert folder.name == str(root)
    cats = [(0, f"cat/{name}") for name in ("c.PNG", "x.JpG", "z.JPEG")]
    assert listing(folder, root) == [*cats, (1, "dog/a.jpg"), (1, "dog/b.png")]
    assert folder.read(0).encoded == (root / "cat/c.PNG").read_bytes()


def test_images_may_lie_deeper_and_behind_links(make_folder):
    root = make_folder("cat/tabby/old/a.png", "cat/b.png", "elsewhere/deep/c.png")
    images = root / "images"
    images.mkdir()
    (images / "cat").symlink_to(root / "cat")
    (images / "dog").symlink_to(root / "elsewhere" / "deep")
    (root / "cat" / "loop").symlink_to(root / "cat")
    assert listing(ImageFolder(images), images) == [
        (0, "cat/b.png"),
        (0, "cat/tabby/old/a.png"),
        (1, "dog/c.png"),
    ]


def layout(make_folder, text):
    """A folder with the images of a text such as "cat/2.png dog/1.jpg": so many of each."""
    names = []
    for part in text.split():
        folder, _, file = part.rpartition("/")
        count, _, ending = file.partition(".")
        names += [f"{folder or '.'}/{index}.{ending}" for index in range(int(count))]
    return make_folder(*names)


@pytest.mark.parametrize(
    ("files", "split", "line"),
    [
        ("cat/2.jpg hen/1.png", "train", "3 images in 2 classes: cat 2, hen 1"),
        ("cat/1.jpg", "train", "1 images in 1 class: cat 1"),
        # The endings of raster formats, in either case.
        (
            "a/1.webp b/1.BMP c/1.gif d/1.tif e/1.TIFF f/1.jfif",
            "train",
            "6 images in 6 classes: a 1, b 1, c 1, d 1, e 1, f 1",
        ),
        # Natural order.
        ("10/1.png 9/1.png 2/1.png", "train", "3 images in 3 classes: 2 1, 9 1, 10 1"),
        # What is hidden, or left behind by systems.
        (
            "cat/1.png cat/@eaDir/2.jpg $RECYCLE.BIN/S-1/2.jpg @eaDir/1.jpg lost+found/1.png "
            ".git/1.png ._cat/1.png cat/.thumbnails/1.png x.y/1.png __MACOSX/cat/1.png",
            "train",
            "2 images in 2 classes: cat 1, x.y 1",
        ),
        (
            "cat/1.png cat/3.heic cat/1.txt /2.pdf /1.png",
            "train",
            "1 images in 1 class: cat 1; passed over: 7 files (.heic 3, .pdf 2, "
            ".txt 1, .png beside the classes 1)",
        ),
        # Splits, in either case and by other words; strangers beside them.
        (
            "train/cat/2.png test/cat/1.png backup/old/3.png",
            "train",
            "2 images in 1 class: cat 2; passed over: 3 files (backup/ 3)",
        ),
        (
            "train/cat/2.png backup/old/3.png",
            "train",
            "2 images in 1 class: cat 2; passed over: 3 files (backup/ 3)",
        ),
        ("Training/cat/2.png Testing/cat/1.png", "train", "2 images in 1 class: cat 2"),
        ("Training/cat/2.png Testing/cat/1.png", "test", "1 images in 1 class: cat 1"),
        ("train/cat/2.png VAL/cat/1.png", "validation", "1 images in 1 class: cat 1"),
        # Classes are those of train, and of the split that is read.
        (
            "train/cat/1.png train/dog/1.png test/ape/1.png test/dog/1.png",
            "train",
            "2 images in 2 classes: cat 1, dog 1",
        ),
        (
            "train/cat/1.png train/dog/1.png test/ape/1.png test/dog/1.png",
            "test",
            "2 images in 3 classes: cat 0, dog 1, ape 1",
        ),
        # One name in two Unicode forms.
        ("A\u0308pfel/1.png \u00c4pfel/1.png", "train", "2 images in 1 class: \u00c4pfel 2"),
        # A flat folder, and flat splits.
        ("/3.png", "train", "3 images without classes"),
        ("train/3.png test/1.png", "test", "1 images without classes"),
        # One level too deep.
        ("inner/cat/1.png inner/dog/1.png", "train", "2 images in 2 classes: cat 1, dog 1"),
        ("a/b/train/cat/1.png a/b/test/cat/2.png", "test", "2 images in 1 class: cat 2"),
        # A class may be called train.
        (
            "bus/old/1.png car/old/1.png train/old/1.png",
            "train",
            "3 images in 3 classes: bus 1, car 1, train 1",
        ),
        ("train/1.png x/1.png", "train", "2 images in 2 classes: train 1, x 1"),
        ("train/a/1.png x/a/1.png", "all", "2 images in 2 classes: train 1, x 1"),
        ("holdout/dog/1.png rest/cat/1.png", "holdout", "1 images in 1 class: dog 1"),
    ],
)
def test_layouts(make_folder, files, split, line):
    assert ImageFolder(layout(make_folder, files), split).describe() == line


def test_a_long_list_of_classes_is_cut(make_folder):
    line = ImageFolder(layout(make_folder, " ".join(f"{n}/1.png" for n in range(30)))).describe()
    assert line.startswith("30 images in 30 classes: 0 1, 1 1, 2 1, ")
    assert line.endswith("19 1, ...")


def test_splits_share_the_order_of_the_classes(make_folder):
    root = make_folder("train/dog/a.png", "train/cat/b.png", "test/eel/c.png", "test/dog/d.png")
    assert listing(ImageFolder(root), root) == [(0, "train/cat/b.png"), (1, "train/dog/a.png")]
    test = ImageFolder(root, "test")
    assert listing(test, root) == [(1, "test/dog/d.png"), (2, "test/eel/c.png")]
    assert test.name == f"{root}/test"


def test_unknown_split_lists_those_that_exist(make_folder):
    root = make_folder("test/cat/a.png", "val/cat/b.png")
    for split in ("holdout", "train", "tset"):
        with pytest.raises(ValueError, match=f"Unknown split of .*: {split}.*Valid: test, val"):
            ImageFolder(root, split)


def test_the_digest_is_that_of_the_images_wherever_they_lie(make_folder, tmp_path):
    root = make_folder("pets/cat/a.png", "pets/dog/b.png")
    digest = ImageFolder(root / "pets").digest()
    (root / "pets").rename(root / "moved")
    assert ImageFolder(f"{root}/../{root.name}/moved/").digest() == digest
    (root / "moved" / "cat" / "a.png").rename(root / "moved" / "cat" / "c.png")
    renamed = ImageFolder(root / "moved").digest()
    (root / "moved" / "cat" / "c.png").write_bytes(b"longer")
    assert len({digest, renamed, ImageFolder(root / "moved").digest()}) == 3


def test_what_is_no_regular_file_is_passed_over(make_folder):
    root = make_folder("cat/a.png")
    os.mkfifo(root / "cat" / "b.png")
    (root / "cat" / "c.png").symlink_to(root / "nowhere.png")
    assert ImageFolder(root).describe().endswith("cat 1; passed over: 2 files (no file 2)")


@pytest.mark.parametrize(
    ("files", "split", "message"),
    [
        ("", "train", "{root} holds no images. Expected <class>/*.jpg, <split>/<class>/*.jpg or "),
        ("cat/2.heic", "train", "{root} holds no images, but 2 files (.heic 2). Expected"),
        ("cat/1.png", "test", "{root} has no splits, only classes, which are all `train`."),
        (
            "cat/1.png hen/2.heic",
            "train",
            "The class hen of {root} has no images: 2 files (.heic 2) cannot be read. Add ",
        ),
        (
            "train/a/1.png x/a/1.png",
            "train",
            "{root} can be read in two ways: train is a split, or",
        ),
        ("train/a/1.png x/1.png", "train", "{root} can be read in two ways: train is a split, or"),
        (
            "/".join("abcdefghijklmnopqrstuvwxyzabcdefghijkl") + "/1.png",
            "train",
            "{root}/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u/v/w/x/y/z/a/b/c/d/e/f lies more than",
        ),
    ],
)
def test_other_layouts_are_errors(make_folder, files, split, message):
    root = layout(make_folder, files)
    with pytest.raises(ValueError, match=rf"\A{re.escape(message.format(root=root))}.*\Z"):
        ImageFolder(root, split)


def test_an_empty_class_and_a_model_s_folder_are_errors(make_folder):
    root = make_folder("cat/a.png")
    (root / "hen").mkdir()
    with pytest.raises(ValueError, match="^The class hen of .* has no images. Add some"):
        ImageFolder(root)
    for name in ("config.json", "model.weights.h5"):
        (root / name).touch()
    with pytest.raises(ValueError, match="is the folder of a model, not of images"):
        ImageFolder(root)


def test_a_missing_folder_and_a_file_are_errors(tmp_path):
    (tmp_path / "file").touch()
    for name, what in (("no", "does not exist"), ("file", "is not a folder")):
        with pytest.raises(ValueError, match=f"The image folder {tmp_path}/{name} {what}."):
            ImageFolder(tmp_path / name)


def test_home_is_expanded(make_folder, monkeypatch):
    monkeypatch.setenv("HOME", str(make_folder("pets/cat/a.png")))
    assert len(ImageFolder("~/pets")) == 1
