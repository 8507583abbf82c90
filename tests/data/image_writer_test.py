import os

import numpy as np
import pytest
from PIL import Image

from sagan_tf.data import ImageFolder, folder_names, write_image_arrays, write_image_folder
from sagan_tf.images import from_uint8


def batches(channels=3, labels=(0, 2, 2, 0, 2), size=2):
    """Batches of random images, and all pixels together."""
    shape = (len(labels), 5, 7, channels)
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype="uint8")
    parts = [slice(start, start + size) for start in range(0, len(labels), size)]
    return [(from_uint8(pixels[part]), np.array(labels)[part]) for part in parts], pixels


@pytest.mark.parametrize("channels", [1, 3])
def test_a_folder_is_read_as_it_was_written(tmp_path, channels):
    given, pixels = batches(channels)
    write_image_folder(tmp_path / "new" / "images", given, ["cat", "dog", "eel"])
    found = ImageFolder(tmp_path / "new" / "images")
    assert found.class_names == ("cat", "eel")
    names = [os.path.relpath(found.read(index).name, found.name) for index in range(len(found))]
    assert names == [f"cat/{n:06}.png" for n in (0, 3)] + [f"eel/{n:06}.png" for n in (1, 2, 4)]
    for name in names:
        read = np.asarray(Image.open(tmp_path / "new" / "images" / name))
        np.testing.assert_array_equal(read.reshape(5, 7, channels), pixels[int(name[-10:-4])])
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["images"]


def test_without_classes_the_files_lie_in_the_folder_itself(tmp_path):
    write_image_folder(tmp_path / "images", batches()[0])
    found = ImageFolder(tmp_path / "images")
    assert (len(found), found.class_names) == (5, ())


def test_an_error_leaves_what_was_there(tmp_path):
    given, _ = batches()
    write_image_folder(tmp_path / "images", given)
    given[1] = (np.full((2, 5, 7, 3), np.nan), given[1][1])
    for write in (
        lambda: write_image_folder(tmp_path / "images", given, "abc"),
        lambda: write_image_arrays(tmp_path / "x.npz", given, (5, 5, 7, 3)),
    ):
        with pytest.raises(ValueError, match="must not be NaN"):
            write()
    assert [path.name for path in tmp_path.iterdir()] == ["images"]
    assert len(ImageFolder(tmp_path / "images")) == 5


def test_arrays_are_those_of_numpy(tmp_path):
    given, pixels = batches(1)
    write_image_arrays(tmp_path / "x.npz", given, pixels.shape)
    with np.load(tmp_path / "x.npz", allow_pickle=False) as found:
        assert sorted(found) == ["images", "labels"]
        np.testing.assert_array_equal(found["images"], pixels)
        np.testing.assert_array_equal(found["labels"], [0, 2, 2, 0, 2])
        assert (found["images"].dtype, found["labels"].dtype) == (np.uint8, np.int32)


@pytest.mark.parametrize(
    ("names", "folders"),
    [
        (["great white shark", "käse", "v1.5", "what?"],) * 2,
        (["a/b", "..", ".hidden", "x\n"], ["a_b", "_.", "_hidden", "x_"]),
        (["a/b", "a_b", "a\\b"], ["a_b_0", "a_b", "a_b_2"]),
        (["a/b", "a_b", "a_b_0"], ["a_b_0_", "a_b", "a_b_0"]),
        (["", "cat", " ", "lost+found"], ["_0", "cat", " _2", "lost+found_3"]),
        # As long as others are among them, splits are read as classes.
        (["train", "plane", "test"],) * 2,
        (["test", "train"], ["test_0", "train_1"]),
        (["é", "e\u0301"], ["é", "é_1"]),
        (["x" * 300, "x" * 301], ["x" * 200, "x" * 200 + "_1"]),
    ],
)
def test_every_class_has_a_folder(tmp_path, names, folders):
    assert folder_names(names) == folders
    labels = range(len(names))
    write_image_folder(tmp_path / "images", batches(1, labels)[0], names)
    assert sorted(ImageFolder(tmp_path / "images").class_names) == sorted(folders)


def test_classes_keep_their_order_by_number(tmp_path):
    names = list(map(str, range(12)))
    write_image_folder(tmp_path / "images", batches(1, range(12))[0], names)
    found = ImageFolder(tmp_path / "images")
    assert found.class_names == tuple(names)
    assert [found.read(index).label for index in range(12)] == list(range(12))
