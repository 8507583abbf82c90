import itertools

import numpy as np
import pytest
import tensorflow as tf

from sagan_tf.data import find_dataset, load, pipeline
from tests.data.samples import Numbered


@pytest.fixture(params=["memory", "streamed"])
def storage(request, monkeypatch):
    """Runs a test both ways: images decoded at once, and one by one."""
    if request.param == "streamed":
        monkeypatch.setattr(pipeline, "MAX_BYTES_IN_MEMORY", 0)


def batches(size, batch_size, count=None, **options):
    """Batches of `Numbered(size)`, as lists of (number of the image, is flipped)."""
    dataset = load(Numbered(size), 2, batch_size, channels=1, **options)
    found = []
    for images, labels in itertools.islice(dataset.as_numpy_iterator(), count):
        columns = np.rint((images[:, 0, :, 0] + 1) * 127.5).astype(int)
        numbers, flipped = columns.max(axis=1) - 1, columns.argmax(axis=1) == 1
        np.testing.assert_array_equal(labels, numbers % 10)
        found.append(list(zip(numbers.tolist(), flipped.tolist(), strict=True)))
    return found


def listing(*args, **options):
    """The numbers of the images and whether they are flipped, in two arrays."""
    return np.concatenate(batches(*args, **options)).T


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("repeat", [True, False])
def test_shapes_types_and_range(digits_dir, channels, repeat):
    dataset = load("digits", 20, 48, channels=channels, repeat=repeat, data_dir=digits_dir)
    static = 48 if repeat else None
    assert dataset.element_spec == (
        tf.TensorSpec((static, 20, 20, channels), tf.float32),
        tf.TensorSpec((static,), tf.int32),
    )
    images, labels = next(dataset.as_numpy_iterator())
    assert images.shape == (48, 20, 20, channels)
    assert (images.min(), images.max()) == (-1, 1)
    assert set(labels) <= set(range(10))


def test_the_seed_decides_the_order():
    first = batches(50, 10, 10, flip=True)
    assert batches(50, 10, 10, flip=True) == first
    assert batches(50, 10, 10, flip=True, seed=1) != first


@pytest.mark.usefixtures("storage")
def test_start_passes_over_batches():
    options = {"flip": True, "seed": 7}
    assert batches(23, 6, 5, start=11, **options) == batches(23, 6, 16, **options)[11:]
    assert sorted(listing(50, 10, 5, start=5 * 10**9)[0]) == list(range(50))
    once = batches(23, 6, repeat=False)
    for start in (3, 4, 9):
        assert batches(23, 6, repeat=False, start=start) == once[start:]
        remaining = load(Numbered(23), 2, 6, repeat=False, start=start).cardinality()
        assert int(remaining) == len(once[start:])


@pytest.mark.parametrize("options", [{}, {"shuffle": False}, {"flip": True}])
def test_images_are_the_same_in_memory_and_streamed(monkeypatch, options):
    in_memory = batches(23, 6, 10, **options)
    monkeypatch.setattr(pipeline, "MAX_BYTES_IN_MEMORY", 0)
    assert batches(23, 6, 10, **options) == in_memory


@pytest.mark.usefixtures("storage")
def test_a_single_epoch_or_full_batches_for_ever():
    once = {"shuffle": False, "repeat": False}
    assert int(load(Numbered(23), 2, 6, **once).cardinality()) == 4
    assert [len(batch) for batch in batches(23, 6, **once)] == [6, 6, 6, 5]
    assert listing(23, 6, **once)[0].tolist() == list(range(23))
    assert sorted(listing(23, 6, repeat=False)[0]) == list(range(23))
    assert listing(5, 3, 4, shuffle=False)[0].tolist() == [*range(5), *range(5), 0, 1]
    for size in (1, 2, 3):  # A batch may be bigger than the data set.
        epochs = np.reshape(listing(size, 6, 1)[0], (-1, size))
        np.testing.assert_array_equal(np.sort(epochs), [range(size)] * (6 // size))


def test_flips_half_of_the_images_anew_in_every_epoch():
    by_epoch = np.reshape(listing(200, 100, 20, flip=True, shuffle=False)[1], (10, 200))
    np.testing.assert_allclose(by_epoch.mean(), 0.5, atol=0.05)  # Sigma is 0.011.
    np.testing.assert_allclose(by_epoch.mean(axis=0).std(), 0.158, atol=0.03)  # 0.5/sqrt(10).
    assert not any(listing(200, 100, 20, shuffle=False)[1])


def test_images_of_folders(make_folder):
    root = make_folder("train/cat/0.png", "train/dog/1.jpg", "test/eel/2.png")
    images, labels = next(iter(load(root, 4, 1, split="test", shuffle=False, channels=1)))
    np.testing.assert_allclose(images, np.full((1, 4, 4, 1), 2 / 127.5 - 1), atol=1e-6)
    assert labels.numpy().tolist() == [2]


def test_a_source_that_is_open_already(digits_dir):
    source = find_dataset("digits", data_dir=digits_dir)
    ours, theirs = (next(iter(d)) for d in (load(source), load("digits", data_dir=digits_dir)))
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(mine, other)
    for options in ({"split": "test"}, {"data_dir": "elsewhere"}, {"download": True}):
        with pytest.raises(ValueError, match="`split`, `data_dir` and `download` belong to"):
            load(source, **options)


def test_numbers_are_integers():
    for name in ("image_size", "batch_size", "seed", "start", "num_classes"):
        for value in (2.0, "2", True):
            with pytest.raises(TypeError, match=f"`{name}` must be an integer. .*: {value!r}"):
                load(Numbered(5), **{name: value})
    load(Numbered(5), np.int64(2), np.int32(3), start=np.int64(1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 0}, "`image_size` must be at least 1. Received: 0"),
        ({"batch_size": 0}, "`batch_size` must be at least 1. Received: 0"),
        ({"channels": 4}, r"`channels` must be 1 \(gray\) or 3 \(RGB\). Received: channels=4"),
        ({"seed": -1}, "`seed` must be at least 0. Received: -1"),
        ({"seed": 2**63}, r"`seed` must be below 2\*\*63. Received: 9223372036854775808"),
        ({"start": -1}, "`start` must be at least 0. Received: -1"),
        ({"num_classes": 0}, "`num_classes` must be at least 1. Received: 0"),
        ({"num_classes": 9}, "numbered has 10 classes, more than `num_classes`. .*num_classes=9"),
        ({"name_or_path": Numbered(0)}, r"numbered has no images\."),
    ],
)
def test_arguments_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        load(**{"name_or_path": Numbered(5), **options})


@pytest.mark.usefixtures("storage")
def test_a_broken_image_is_an_error_of_load_or_of_the_iteration(make_folder):
    root = make_folder("cat/a.png", "cat/b.png")
    (root / "cat/b.png").write_bytes(b"?")
    expected = rf"\A(.*ValueError: )?Cannot decode {root}/cat/b\.png: not an image .*\. Repair"
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match=expected):
        next(iter(load(root, 4, 2)))
    images, labels = next(iter(load(root, 4, 2, skip_corrupt=True)))
    np.testing.assert_array_equal(images, np.full((2, 4, 4, 3), -1))
    np.testing.assert_array_equal(labels, [0, 0])


@pytest.mark.usefixtures("storage")
def test_labels_out_of_range_are_an_error(pets_dir):
    source = find_dataset("tiny_pets/labels", "unlabeled", data_dir=pets_dir())
    load(source, 4, 2)
    with pytest.raises(
        (ValueError, tf.errors.InvalidArgumentError),
        match=r"Labels must be in \[0, 2\)\. Received: label -1 of tiny_pets/labels/1\.2\.0 unl",
    ):
        next(iter(load(source, 4, 2, num_classes=2)))
