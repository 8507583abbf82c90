import json
import multiprocessing
import os
import shutil
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from sagan_tf.data import ImageFolder, find_dataset, load


def zipped(root, path, method=zipfile.ZIP_DEFLATED):
    """A zip archive of all that is in a folder."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for file in sorted(root.rglob("*")):
            archive.write(file, file.relative_to(root))
    return path


@pytest.fixture
def pets(make_folder):
    return make_folder("test/cat/0.png", "test/dog/1.jpg", "train/cat/2.png", "train/dog/3.png")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_archive_is_read_as_its_folder_is(pets, tmp_path, method):
    (pets / "train" / "x.txt").touch()
    archive = zipped(pets, tmp_path / "pets.zip", method)
    for split in ("train", "test", "train[:50%]"):
        ours, theirs = (find_dataset(path, split) for path in (archive, pets))
        assert (ours.class_names, ours.digest()) == (theirs.class_names, theirs.digest())
        assert ours.describe() == theirs.describe()
        for index in range(len(theirs)):
            mine, other = ours.read(index), theirs.read(index)
            assert mine[:2] == other[:2]
            assert mine.name == other.name.replace(str(pets), str(archive))
    images, labels = (
        np.concatenate(part) for part in zip(*load(archive, 4, 1, repeat=False), strict=True)
    )
    assert images.shape == (2, 4, 4, 3)
    assert sorted(labels) == [0, 1]


def test_names_that_begin_alike_have_the_order_of_the_folder(make_folder, tmp_path):
    root = make_folder("a/cat/day/0.png", "a/cat/day-2/1.png", "a/cat/day 3/2.png") / "a"
    assert ImageFolder(zipped(root, tmp_path / "x.zip")).digest() == ImageFolder(root).digest()


def test_tables_and_one_folder_within_an_archive(make_folder, tmp_path):
    root = make_folder("made/00000/a.png", "made/00000/b.png")
    labels = {"labels": [["00000/a.png", 3], ["00000/b.png", 1]]}
    (root / "made" / "dataset.json").write_text(json.dumps(labels))
    folder = ImageFolder(zipped(root, tmp_path / "x.zip"))
    assert folder.class_names == ("1", "3")
    assert [folder.read(index).label for index in range(2)] == [1, 0]
    assert folder.name == f"{tmp_path}/x.zip/made"


def test_what_systems_leave_behind_and_odd_names(tmp_path):
    names = ("cat/0.png", "dog\\1.png", "./cat/2.png", "../up.png", "/etc/3.png", "a//b.png")
    left = ("__MACOSX/cat/._0.png", ".hidden/4.png", "cat/.5.png", "empty/", "notes.TXT")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for name in (*names, *left):
            archive.writestr(name, b"" if name.endswith("/") else b"?")
    line = "2 images in 2 classes: cat 1, dog 1; passed over: 5 files (odd name 4, .txt 1)"
    assert ImageFolder(tmp_path / "x.zip").describe() == line


def read_in_child(folder, expected, queue):
    contents = [folder.read(index % len(folder)).encoded for index in range(300)]
    queue.put(contents == expected)


def test_threads_and_processes_read_at_the_same_time(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(60):
            archive.writestr(f"{number}.png", np.random.default_rng(number).bytes(5_000))
    folder = ImageFolder(tmp_path / "x.zip")
    expected = [folder.read(index % 60).encoded for index in range(300)]
    # As tf.data, PyTorch's loaders and servers do it: a process that begins as a copy of this one.
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    children = [
        context.Process(target=read_in_child, args=(folder, expected, queue)) for _ in range(2)
    ]
    for child in children:
        child.start()
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda index: folder.read(index % 60).encoded, range(300)))
    assert found == expected
    assert [queue.get(timeout=60) for _ in children] == [True, True]
    for child in children:
        child.join()


def test_names_and_the_home(pets, tmp_path, monkeypatch):
    zipped(pets, tmp_path / "pets.zip")
    shutil.copy(tmp_path / "pets.zip", tmp_path / "no_ending")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name in ("pets.zip", "~/pets.zip", "./pets.zip", "no_ending"):
        assert len(find_dataset(name)) == 2
    with pytest.raises(ValueError, match=r"^The image folder missing\.zip does not exist\.$"):
        find_dataset("missing.zip")
    os.mkfifo(tmp_path / "pipe.zip")
    with pytest.raises(ValueError, match=r"pipe\.zip is no zip archive, or a torn one\.$"):
        find_dataset("pipe.zip")
