from pathlib import Path

import pytest

from sagan_tf.data import BUNDLED, ImageFolder, open_source
from sagan_tf.data.tfds_source import TfdsSource


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_data_sets_need_no_download(tmp_path, name):
    source = open_source(name, data_dir=tmp_path)
    assert len(source) > 0
    assert source.num_classes == len(source.class_names)
    assert source.read(0).label in range(source.num_classes)
    assert list(tmp_path.glob(f"{name}/*/dataset_info.json"))


def test_default_is_the_digits(digits_dir):
    source = open_source(data_dir=digits_dir)
    assert len(source) == 1797
    assert source.class_names == tuple("0123456789")
    assert source.name == "digits/1.0.0 train"


@pytest.mark.parametrize("spell", [str, Path, lambda path: f"{path}/"])
def test_folders(make_folder, spell):
    source = open_source(spell(make_folder("test/cat/a.png", "train/dog/b.png")), "test")
    assert isinstance(source, ImageFolder)
    assert source.read(0).label == 0


def test_relative_folders(make_folder, monkeypatch):
    monkeypatch.chdir(make_folder("pets/cat/a.png"))
    for path in ("pets", "./pets", ".", "../" + Path.cwd().name):
        assert isinstance(open_source(path), ImageFolder)


def test_names_that_cannot_be_tfds_names_are_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in ("./pets", "/pets", "~/pets", Path("cifar10")):
        with pytest.raises(ValueError, match=r"^The image folder .* does not exist\.$"):
            open_source(path)


def test_tfds_names(pets_dir):
    source = open_source("tiny_pets/labels", "train[:3]", data_dir=str(pets_dir()))
    assert isinstance(source, TfdsSource)
    assert len(source) == 3


def test_bundled_names_come_before_folders_and_folders_before_tfds(
    make_folder, monkeypatch, digits_dir
):
    monkeypatch.chdir(make_folder("digits/cat/a.png", "cifar10/cat/a.png"))
    assert isinstance(open_source("digits", data_dir=digits_dir), TfdsSource)
    assert isinstance(open_source("./digits"), ImageFolder)
    assert isinstance(open_source("cifar10"), ImageFolder)


def test_home_in_data_dir_is_expanded(digits_dir, monkeypatch):
    monkeypatch.setenv("HOME", str(digits_dir.parent))
    source = open_source("digits", data_dir=f"~/{digits_dir.name}")
    assert str(digits_dir) in source._builder.data_dir


@pytest.mark.parametrize("name", [None, 3, b"digits"])
def test_names_are_strings(name):
    with pytest.raises(TypeError, match=r"`name_or_path` must be a string or a path. Received: "):
        open_source(name)


def test_splits_are_strings():
    with pytest.raises(TypeError, match=r"`split` must be a string. Received: None"):
        open_source("digits", None)
