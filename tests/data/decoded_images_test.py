import itertools
import multiprocessing

import numpy as np
import pytest

from sagan_tf.data import find_dataset, load, pipeline
from tests.data.samples import Numbered


@pytest.fixture(autouse=True)
def streamed(monkeypatch):
    """No data set is small enough for the memory."""
    monkeypatch.setattr(pipeline, "MAX_BYTES_IN_MEMORY", 0)


def batches(source, count=12, **options):
    dataset = load(source, 2, 6, channels=1, seed=3, **options)
    return [list(map(np.asarray, each)) for each in itertools.islice(dataset, count)]


def assert_same(ours, theirs):
    for mine, other in zip(ours, theirs, strict=True):
        for one, another in zip(mine, other, strict=True):
            np.testing.assert_array_equal(one, another)


@pytest.mark.parametrize("options", [{"flip": True}, {"start": 7}, {"repeat": False}])
def test_batches_are_the_same_and_nothing_is_decoded_again(tmp_path, options, monkeypatch):
    expected = batches(Numbered(23), **options)
    assert_same(batches(Numbered(23), **options, decoded_dir=tmp_path), expected)
    (folder,) = tmp_path.iterdir()
    assert {file.name for file in folder.iterdir()} == {"images.npy", "labels.npy"}
    monkeypatch.setattr(Numbered, "read", None)
    assert_same(batches(Numbered(23), **options, decoded_dir=tmp_path), expected)


def test_what_the_images_depend_on_makes_others(make_folder, tmp_path_factory):
    root, cache = make_folder("a.bmp", "b.bmp"), tmp_path_factory.mktemp("cache")
    for number, options in enumerate(
        ({}, {"fit": "pad"}, {"image_size": 8}, {"channels": 1}, {"num_classes": 9}), start=1
    ):
        for _ in range(2):
            load(root, **{"image_size": 4, "batch_size": 1, **options}, decoded_dir=cache)
        assert len(list(cache.iterdir())) == number
    (root / "c.bmp").write_bytes((root / "a.bmp").read_bytes())
    load(find_dataset(root), 4, 1, decoded_dir=cache)
    assert len(list(cache.iterdir())) == number + 1


@pytest.mark.parametrize("name", ["images.npy", "labels.npy"])
def test_what_is_damaged_is_decoded_again(tmp_path, caplog, name):
    expected = batches(Numbered(23), decoded_dir=tmp_path)
    (folder,) = tmp_path.iterdir()
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-3])
    assert_same(batches(Numbered(23), decoded_dir=tmp_path), expected)
    assert f"{folder} is damaged, and the images are decoded again" in caplog.text
    assert (folder / name).read_bytes() == content


def test_an_unreadable_image_leaves_nothing_behind(make_folder, tmp_path):
    root = make_folder("images/a.png", "images/b.png") / "images"
    (root / "b.png").write_bytes(b"?")
    cache = tmp_path / "cache"
    with pytest.raises(ValueError, match="^Cannot decode .*b.png: not an image"):
        load(root, 4, 1, decoded_dir=cache)
    assert list(cache.iterdir()) == []
    images, _ = next(iter(load(root, 4, 2, skip_corrupt=True, decoded_dir=cache)))
    np.testing.assert_array_equal(images[0], images[1])


def build(directory, barrier, queue):
    from sagan_tf.data.decoded_images import DecodedImages
    from sagan_tf.data.image_reader import ImageReader

    source = Numbered(200)
    barrier.wait()
    images, labels = DecodedImages(directory, source, ImageReader(source, 2, 1), (2, 2, 1))(
        np.arange(200)
    )
    queue.put((int(images.max(axis=(1, 2, 3)).sum(dtype=int)), int(labels.sum())))


def test_two_processes_may_make_it_at_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    barrier, queue = context.Barrier(2), context.Queue()
    processes = [context.Process(target=build, args=(tmp_path, barrier, queue)) for _ in range(2)]
    for process in processes:
        process.start()
    found = [queue.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
    expected = sum(range(1, 201)), sum(number % 10 for number in range(200))
    assert found == [expected, expected]
    assert [path.name.split("_")[0] for path in tmp_path.iterdir()] == ["decoded"]
