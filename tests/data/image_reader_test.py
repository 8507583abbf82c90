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
    root = make_folder(*(f"{'cat' if index < 3 else 'dog'}/{index}.png" for index in range(6)))
    for name in ("cat/1.png", "dog/5.png"):
        (root / name).write_bytes((root / name).read_bytes()[:-30])
    (root / "cat/2.png").write_bytes(b"")
    return ImageFolder(root)


@pytest.mark.parametrize("size", [1, 255, 256, 257, 700])
def test_reads_one_image_or_all(warnings, size):
    class Bright(Numbered):
        def read(self, index):
            return super().read(index % 250)

    reader = ImageReader(Bright(size), 2, channels=3, skip_corrupt=True)
    images, labels = reader.read_all()
    assert (images.shape, images.dtype, labels.dtype) == ((size, 2, 2, 3), np.uint8, np.int32)
    np.testing.assert_array_equal(images[:, 0, 0, 2], np.arange(size) % 250 + 1)
    np.testing.assert_array_equal(labels, np.arange(size) % 250 % 10)
    image, label = reader(np.int64(size - 1))
    np.testing.assert_array_equal(image, images[-1])
    assert (image.dtype, label, label.dtype) == (np.uint8, labels[-1], np.int32)
    assert warnings == []


def test_a_broken_or_missing_image_is_an_error_that_names_it(broken):
    expected = (
        r"\ACannot decode .*/cat/1\.png: .+; Cannot decode .*/cat/2\.png: empty file; Cannot "
        r"decode .*/dog/5\.png: .+\. Repair or remove them, or pass `skip_corrupt=True`\.\Z"
    )
    with pytest.raises(ValueError, match=expected):
        ImageReader(broken, 4).read_all()
    with pytest.raises(ValueError, match=r"/cat/2\.png: empty file\. Repair"):
        ImageReader(broken, 4)(2)
    broken._paths[0] += ".gone"
    with pytest.raises(
        ValueError, match=r"^Cannot read .*/cat/0\.png\.gone: No such file or directory"
    ):
        ImageReader(broken, 4)(0)


@pytest.mark.parametrize("order", ["all", range(6), range(5, -1, -1), [2, 2, 1, 5, 0]])
def test_broken_images_are_replaced_by_the_next_in_whatever_order(broken, warnings, order):
    reader = ImageReader(broken, 4, skip_corrupt=True)
    if order == "all":
        found = dict(enumerate(zip(*reader.read_all(), strict=True)))
        assert len(warnings) == 1
        expected = r"/.*: unreadable images so far, replaced by others: 3\. The first: .*/cat/1\.p"
        assert re.match(expected, warnings[0])
    else:
        found = {index: reader(index) for index in order}
        assert 1 <= len(warnings) <= 3
        assert "others: 3" in warnings[-1]
    expected = dict(enumerate([(0, 0), (3, 1), (3, 1), (3, 1), (4, 1), (0, 0)]))
    for index, (image, label) in found.items():
        assert (image[0, 0, 0], label) == expected[index]


def test_if_all_are_broken_that_is_an_error(make_folder):
    root = make_folder(*(f"cat/{index}.png" for index in range(40)))
    for path in root.glob("cat/*"):
        path.write_bytes(b"nothing")
    reader = ImageReader(ImageFolder(root), 4, skip_corrupt=True)
    expected = r"^None of the images of .* can be read\. Cannot decode .*/cat/0\.png: not an image "
    for read in (reader.read_all, lambda: reader(7)):
        with pytest.raises(ValueError, match=expected):
            read()


@pytest.mark.parametrize("skip_corrupt", [False, True])
@pytest.mark.parametrize("label", [-1, 7])
def test_labels_out_of_range_name_the_image(label, skip_corrupt):
    class Labeled(Numbered):
        def read(self, index):
            return super().read(index)._replace(label=label if index == 7 else 6)

    assert ImageReader(Labeled(9), 2)(7)[1] == label
    reader = ImageReader(Labeled(9), 2, num_classes=7, skip_corrupt=skip_corrupt)
    assert reader(6)[1] == 6
    expected = rf"^Labels must be in \[0, 7\)\. Received: label {label} of number 7$"
    for read in (reader.read_all, lambda: reader(7)):
        with pytest.raises(ValueError, match=expected):
            read()
