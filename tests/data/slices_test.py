import collections
import shutil

import numpy as np
import pytest

from sagan_tf.data import ImageFolder, find_dataset
from sagan_tf.data.slices import have_common_images, held_out_split, spread_order


@pytest.fixture
def pets(make_folder):
    sizes = {"cat": 20, "dog": 10, "eel": 1}
    return make_folder(*(f"{name}/{i}.png" for name, size in sizes.items() for i in range(size)))


def names(root, split):
    folder = ImageFolder(root, split)
    return [folder.read(index).name for index in range(len(folder))]


@pytest.mark.parametrize(
    ("split", "line"),
    [
        ("train[:90%]", "28 images in 3 classes: cat 18, dog 9, eel 1"),
        ("train[90%:]", "3 images in 3 classes: cat 2, dog 1, eel 0"),
        ("train[:10]", "10 images in 3 classes: cat 7, dog 3, eel 0"),
        ("all[-50%:]", "16 images in 3 classes: cat 10, dog 5, eel 1"),
        ("train[:12.5%]+train[27:]", "8 images in 3 classes: cat 6, dog 2, eel 0"),
    ],
)
def test_a_slice_has_its_share_of_each_class(pets, split, line):
    assert ImageFolder(pets, split).describe() == line
    assert ImageFolder(pets, split).class_names == ("cat", "dog", "eel")


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("train", "test", False),
        ("train[:90%]", "train[90%:]", False),
        ("train[:90%]", "train[89:]", True),
        ("train[:90%]", "train", True),
        ("train[10%:90%]", "train[:10%]+train[90%:]", False),
        ("train[10%:90%]", "train[:11%]+train[90%:]", True),
        ("train+test", "test[:5]", True),
        ("train", "all", True),
        ("all[:50%]", "all[50%:]", False),
    ],
)
def test_common_images(first, second, expected):
    assert have_common_images(first, second, {"train": 100, "test": 10, "all": 110}.get) is expected
    assert have_common_images(second, first, {"train": 100, "test": 10, "all": 110}.get) is expected


def test_a_slice_and_what_it_leaves_over_are_the_whole(pets):
    whole = names(pets, "train")
    for split in ("train[:90%]", "train[10%:]", "train[7:-33%]", "train[3:4]"):
        part, rest = names(pets, split), names(pets, held_out_split(split))
        assert not set(part) & set(rest)
        assert sorted(part + rest) == sorted(whole)
        assert part == [name for name in whole if name in part]  # in the same order
    assert len({ImageFolder(pets, s).digest() for s in ("train", "train[:9]", "train[9:18]")}) == 3


def test_a_slice_depends_on_the_names_alone(pets, tmp_path):
    first = names(pets, "train[:50%]")
    shutil.copytree(pets, tmp_path / "other" / "place")
    moved = names(tmp_path / "other" / "place", "train[:50%]")
    assert moved == [name.replace(str(pets), str(tmp_path / "other/place")) for name in first]
    # It is no run of files by their names, as it would be of pictures in the order of a film.
    order = np.array(spread_order([f"{i:04}" for i in range(1000)], [0] * 1000))
    assert abs(np.corrcoef(order, np.arange(1000))[0, 1]) < 0.1
    counts = collections.Counter(
        label % 10 for label in spread_order(map(str, range(100)), [0] * 100)[:50]
    )
    assert max(counts.values()) < 10


def test_splits_have_slices(make_folder):
    root = make_folder(*(f"{split}/a/{i}.png" for split in ("train", "test") for i in range(10)))
    assert len(ImageFolder(root, "test[:30%]")) == 3
    assert all("/test/" in name for name in names(root, "test[:30%]"))


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("train[:90%", r"^`split` must be the name of one, .* Received: train\[:90%$"),
        ("train[5]", "^`split` must be the name of one"),
        ("train[:a]", "^`split` must be the name of one"),
        ("train[:3]+test[:4]", "^`split` must be the name of one"),
        ("test[:3]", "has no splits, only classes, .* Received: split=test.:3."),
        ("train[:32]", "^`split` has a bound out of range, of 31 images. Received: 32"),
        ("train[:101%]", "^`split` has a bound out of range"),
        ("train[5:5]", r"^The slice of `split`=train\[5:5\] has none of 31 images"),
    ],
)
def test_other_slices_are_errors(pets, split, message):
    with pytest.raises(ValueError, match=message):
        ImageFolder(pets, split)


@pytest.mark.parametrize(
    ("split", "rest"),
    [
        ("train", None),
        ("train[:90%]", "train[90%:]"),
        ("train[200:]", "train[:200]"),
        ("train[10%:-5%]", "train[:10%]+train[-5%:]"),
        ("train[:3]+train[9:]", None),
        ("train[:]", None),
        ("train[", None),
    ],
)
def test_what_a_slice_leaves_over(split, rest, digits_dir):
    assert held_out_split(split) == rest
    if rest:
        sizes = [len(find_dataset("digits", each, data_dir=digits_dir)) for each in (split, rest)]
        assert sum(sizes) == 1797
