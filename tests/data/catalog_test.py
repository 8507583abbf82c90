import subprocess
import sys
from pathlib import Path

import pytest

import sagan_tf.data
from sagan_tf.data import ImageFolder, find_dataset, find_held_out
from sagan_tf.data.tfds_source import TfdsSource


def test_default_is_the_digits_and_home_in_data_dir_is_expanded(digits_dir, monkeypatch):
    monkeypatch.setenv("HOME", str(digits_dir.parent))
    source = find_dataset(data_dir=f"~/{digits_dir.name}")
    assert str(digits_dir) in source._builder.data_dir
    assert len(source) == 1797
    assert source.class_names == tuple("0123456789")
    assert source.read(0).label == 0
    assert source.name == "digits/1.0.0 train"


def test_folders(make_folder, monkeypatch):
    root = make_folder("pets/test/cat/a.png", "pets/train/dog/b.png")
    monkeypatch.chdir(root)
    for path in ("pets", "./pets", "pets/", f"../{root.name}/pets", Path("pets"), root / "pets"):
        source = find_dataset(path, "test")
        assert isinstance(source, ImageFolder)
        assert source.class_names == ("dog", "cat")


def test_names_that_cannot_be_tfds_names_are_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in ("./pets", "/pets", "~/pets", Path("cifar10")):
        with pytest.raises(ValueError, match=r"^The image folder .* does not exist\.$"):
            find_dataset(path)


def test_a_name_that_is_also_a_folder_is_an_error_that_says_how_to_name_each(
    make_folder, monkeypatch, digits_dir
):
    monkeypatch.chdir(make_folder("digits/cat/a.png", "cifar10/cat/a.png", "pets/cat/a.png"))
    for name in ("digits", "cifar10"):
        expected = f"^{name} is both .*: write ./{name} for the folder, or tfds:{name} for the data"
        with pytest.raises(ValueError, match=expected):
            find_dataset(name)
        assert isinstance(find_dataset(f"./{name}"), ImageFolder)
        assert isinstance(find_dataset(f"{name}/"), ImageFolder)
    assert isinstance(find_dataset("pets"), ImageFolder)
    assert isinstance(find_dataset("tfds:digits", data_dir=digits_dir), TfdsSource)
    with pytest.raises(ValueError, match="cifar10/.* is not prepared in"):
        find_dataset("tfds:cifar10", data_dir=digits_dir)


def test_names_and_splits_are_strings():
    for name in (None, 3, b"digits"):
        with pytest.raises(TypeError, match=r"`name_or_path` must be a string or a path. Rec"):
            find_dataset(name)
        with pytest.raises(TypeError, match=rf"`split` must be a string. Received: {name!r}"):
            find_dataset("digits", name)


def test_every_name_of_the_package_is_there():
    assert {"find_dataset", "load"} <= set(sagan_tf.data.__all__) <= set(dir(sagan_tf.data))
    assert all(getattr(sagan_tf.data, name) for name in sagan_tf.data.__all__)


def test_what_is_given_is_checked_without_tensorflow(make_folder):
    """So that a program says in under a second that there is no such data set or split."""
    program = f"""
import sys
from sagan_tf.data import find_dataset
find_dataset({str(make_folder("test/cat/a.png"))!r}, "test")
assert not any(name.startswith("tensorflow") for name in sys.modules)
try:
    find_dataset("cifar11")
except ValueError as error:
    print(error)
assert "tensorflow" not in sys.modules
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout.startswith("'cifar11' is neither a folder"), result.stderr


def test_what_a_slice_leaves_over(make_folder, digits_dir):
    root = make_folder(*(f"cat/{number}.png" for number in range(10)))
    source, split = find_held_out(root, "train[:80%]")
    assert (len(source), split) == (2, "train[80%:]")
    source, split = find_held_out("digits", "train[100:1000]", data_dir=digits_dir)
    assert (len(source), split) == (897, "train[:100]+train[1000:]")
    for whole in ("train", "train[:100%]", "train[:50%]+train[60%:]"):
        assert find_held_out(root, whole) is None
        assert find_held_out("digits", whole, data_dir=digits_dir) is None
    assert source.read(100).label == find_dataset("digits", data_dir=digits_dir).read(1000).label
