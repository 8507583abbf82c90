import re

import numpy as np
import pytest
from absl import logging

from sagan_tf.data import ImageFolder
from sagan_tf.data.image_reader import ImageReader
from tests.data.samples import Numbered


@pytest.fixture
def warnings(monkeypatch):
    """The warnings that are logged."""
    lines = []
    monkeypatch.setattr(logging, "warning", lambda text, *args: lines.append(text % args))
    return lines


@pytest.fixture
def broken(make_folder):
    """Six images, of which the second, third and last are broken; their value is their index."""
    root = make_folder(
        *(f"cat/{index}.png" for index in range(3)), *(f"dog/{i}.png" for i in "345")
    )
    for name in ("cat/1.png", "dog/5.png"):
        (root / name).write_bytes((root / name).read_bytes()[:-30])
    (root / "cat/2.png").write_bytes(b"")
    return ImageFolder(root)


def test_reads_one_image():
    image, label = ImageReader(Numbered(12), 2, channels=1)(np.int64(11))
    np.testing.assert_array_equal(image, [[[12], [0]]] * 2)
    assert image.dtype == np.uint8
    assert label == 1
    assert label.dtype == np.int32


@pytest.mark.parametrize("size", [1, 255, 256, 257, 700])
def test_reads_all_images(size):
    class Bright(Numbered):
        def read(self, index):
            return super().read(index % 250)

    images, labels = ImageReader(Bright(size), 2, channels=3).read_all()
    assert images.shape == (size, 2, 2, 3)
    assert images.dtype == np.uint8
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(images[:, 0, 0, 2], np.arange(size) % 250 + 1)
    np.testing.assert_array_equal(labels, np.arange(size) % 250 % 10)


def test_a_broken_image_is_an_error_that_names_it(broken):
    expected = r"^Cannot decode .*/cat/1\.png: .+\. Repair or remove it, .*\(--skip_corrupt\)\.$"
    with pytest.raises(ValueError, match=expected) as caught:
        ImageReader(broken, 4).read_all()
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match=r"/cat/2\.png: empty file\. Repair"):
        ImageReader(broken, 4)(2)


def test_a_missing_image_is_an_error_that_names_it(make_folder):
    root = make_folder("cat/a.png")
    reader = ImageReader(ImageFolder(root), 4)
    (root / "cat/a.png").unlink()
    with pytest.raises(ValueError, match=r"^Cannot read an image: .*/cat/a\.png"):
        reader(0)


def test_broken_images_are_replaced_by_the_next(broken, warnings):
    images, labels = ImageReader(broken, 4, skip_corrupt=True).read_all()
    assert images[:, 0, 0, 0].tolist() == [0, 3, 3, 3, 4, 0]
    assert labels.tolist() == [0, 1, 1, 1, 1, 0]
    assert len(warnings) == 1
    expected = r"/.*: unreadable images so far, replaced by others: 3\. The first: .*/cat/1\.png: "
    assert re.match(expected, warnings[0])


@pytest.mark.parametrize("order", [range(6), range(5, -1, -1), [2, 2, 1, 5, 0]])
def test_the_replacement_does_not_depend_on_the_order(broken, warnings, order):
    reader = ImageReader(broken, 4, skip_corrupt=True)
    found = {index: int(reader(index)[0][0, 0, 0]) for index in order}
    expected = dict(enumerate([0, 3, 3, 3, 4, 0]))
    assert found == {index: expected[index] for index in order}
    assert 1 <= len(warnings) <= 3
    assert "others: 3" in warnings[-1]


def test_nothing_is_logged_when_all_is_well(warnings):
    ImageReader(Numbered(5), 2, skip_corrupt=True).read_all()
    assert warnings == []


def test_if_all_are_broken_that_is_an_error(make_folder):
    root = make_folder(*(f"cat/{index}.png" for index in range(40)))
    for path in root.glob("cat/*"):
        path.write_bytes(b"nothing")
    reader = ImageReader(ImageFolder(root), 4, skip_corrupt=True)
    expected = r"^None of the images of .* can be read\. Cannot decode .*/cat/0\.png: not an image$"
    for read in (reader.read_all, lambda: reader(7)):
        with pytest.raises(ValueError, match=expected):
            read()


@pytest.mark.parametrize("skip_corrupt", [False, True])
def test_labels_out_of_range_name_the_image(skip_corrupt):
    reader = ImageReader(Numbered(9), 2, num_classes=7, skip_corrupt=skip_corrupt)
    assert reader(6)[1] == 6
    expected = r"^Labels must be in \[0, 7\)\. Received: label 7 of number 7$"
    for read in (reader.read_all, lambda: reader(7)):
        with pytest.raises(ValueError, match=expected):
            read()


def test_negative_labels_are_out_of_range():
    class Unlabelled(Numbered):
        def read(self, index):
            return super().read(index)._replace(label=-1)

    assert ImageReader(Unlabelled(3), 2)(0)[1] == -1
    with pytest.raises(ValueError, match="label -1 of number 0"):
        ImageReader(Unlabelled(3), 2, num_classes=10)(0)
