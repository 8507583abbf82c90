import json
import re

import pytest

from sagan_tf.data import ImageFolder
from tests.data.image_folder_test import listing


def with_table(make_folder, content, *images, name="labels.csv"):
    root = make_folder(*images)
    (root / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


IMAGES = ("a.png", "b.jpg", "deep/c.png")
ROWS = "a.png,hen\nb.jpg,cat\ndeep/c.png,hen\n"


@pytest.mark.parametrize(
    "content",
    [
        ROWS,
        "file,label\n" + ROWS,
        # As a spreadsheet on Windows writes it, in another order, with other ways to write a path.
        b"\xef\xbb\xbfName,Class\r\n" + b'deep\\c.png,hen\r\n\r\n"./b.jpg", cat \r\n a.png,hen',
    ],
)
def test_a_table_says_of_which_class_an_image_is(make_folder, content):
    root = with_table(make_folder, content, *IMAGES)
    folder = ImageFolder(root)
    assert folder.class_names == ("cat", "hen")
    assert listing(folder, root) == [(1, "a.png"), (0, "b.jpg"), (1, "deep/c.png")]
    assert folder.describe() == "3 images in 2 classes: cat 1, hen 2"


def test_numbers_are_names_in_natural_order(make_folder):
    rows = "a.png,10\nb.jpg,2\ndeep/c.png,2\n"
    assert ImageFolder(with_table(make_folder, rows, *IMAGES)).class_names == ("2", "10")


def test_the_table_of_stylegan(make_folder):
    images = ("00000/img00000000.png", "00000/img00000001.png", "00001/img00000002.png")
    labels = [[name, number] for name, number in zip(images, (6, 0, 6), strict=True)]
    root = with_table(make_folder, json.dumps({"labels": labels}), *images, name="dataset.json")
    folder = ImageFolder(root)
    assert folder.class_names == ("0", "6")
    assert [label for label, _ in listing(folder, root)] == [1, 0, 1]
    (root / "dataset.json").write_text('{"labels": null}')
    assert ImageFolder(root).describe() == "3 images without classes"


def test_splits_and_tables(make_folder):
    images = ("train/a.png", "train/b.png", "test/c.png")
    rows = "train/a.png,hen\ntrain/b.png,cat\ntest/c.png,ape\n"
    root = with_table(make_folder, rows, *images)
    # One for all: its classes are those of both splits.
    assert ImageFolder(root).describe() == "2 images in 3 classes: ape 0, cat 1, hen 1"
    assert ImageFolder(root).empty_classes == ("ape",)
    assert listing(ImageFolder(root, "test"), root) == [(0, "test/c.png")]
    assert len(ImageFolder(root, "all")) == 3
    # One in each: the classes are those of train, and of the split that is read.
    (root / "labels.csv").unlink()
    (root / "train/labels.csv").write_text("a.png,hen\nb.png,cat\n")
    (root / "test/labels.csv").write_text("c.png,ape\n")
    assert ImageFolder(root).class_names == ("cat", "hen")
    assert listing(ImageFolder(root, "test"), root) == [(2, "test/c.png")]


def test_a_table_in_the_only_folder_and_what_is_passed_over(make_folder):
    root = make_folder("inner/images/cat/a.png", "inner/images/x.txt", "inner/images/hen/b.png")
    (root / "inner" / "labels.csv").write_text("images/cat/a.png,1\nimages/hen/b.png,1\n")
    line = "2 images in 1 class: 1 2; passed over: 1 files (.txt 1)"
    assert ImageFolder(root).describe() == line


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("labels.csv", ROWS + "d.png,cat", "names 1 image that is not there: d.png"),
        (
            "labels.csv",
            ROWS + "../a.png,cat\n/etc/x.png,cat",
            "names 2 images that are not there: ../a.png, /etc/x.png",
        ),
        ("labels.csv", "a.png,cat\nb.jpg,hen", "has no class for 1 image: deep/c.png"),
        ("labels.csv", "", "has no class for 3 images: a.png, b.jpg, deep/c.png"),
        ("labels.csv", ROWS + "./a.png,hen", "names 1 image more than once: a.png"),
        ("labels.csv", "a.png\nb.jpg", "must have two columns, .* in row 1: 'a.png'"),
        ("labels.csv", ROWS + "x.png,cat,3", "must have two columns, .* in row 4: 'x.png,cat,3'"),
        ("labels.csv", "a.png;cat", "must have two columns, a file name and a class, with a comma"),
        ("labels.csv", "a.png,\nb.jpg,cat", "has no class for 1 image: a.png"),
        ("labels.csv", b"a.png,\xff\xfe", "is not a table of text"),
        ("labels.csv", 'a.png,"cat\nb.jpg,hen', "is not a table of text"),
        ("dataset.json", "{", "is not valid JSON"),
        ("dataset.json", "[" * 100_000, "is not valid JSON"),
        ("dataset.json", "[]", 'must hold {"labels": .* It has no `labels`'),
        ("dataset.json", '{"labels": 3}', "must hold"),
        ("dataset.json", '{"labels": [["a.png", [0, 1]]]}', r"must hold .* Received: \[\"a.png"),
        ("dataset.json", '{"labels": [["a.png", null]]}', "must hold .* Received"),
        ("dataset.json", '{"labels": [["a.png", true]]}', "must hold .* Received"),
        ("dataset.json", '{"labels": [["a.png", 1]]}', "has no class for 2 images: b.jpg, deep/c"),
    ],
)
def test_a_table_that_does_not_fit_is_one_clear_line(make_folder, name, content, message):
    root = with_table(make_folder, content, *IMAGES, name=name)
    with pytest.raises(ValueError, match=rf"\A{re.escape(str(root / name))} {message}.*\Z"):
        ImageFolder(root)


def test_two_tables_are_one_too_many(make_folder):
    root = with_table(make_folder, ROWS, *IMAGES)
    (root / "dataset.json").write_text('{"labels": null}')
    expected = "has two tables of labels, dataset.json and labels.csv: remove one"
    with pytest.raises(ValueError, match=expected):
        ImageFolder(root)
