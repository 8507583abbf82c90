import itertools

import numpy as np
import pytest
import tensorflow as tf

from sagan_tf.data import load, open_source, pipeline
from tests.data.samples import Numbered


@pytest.fixture(params=["memory", "streamed"])
def storage(request, monkeypatch):
    """Runs a test both ways: images decoded at once, and one by one."""
    if request.param == "streamed":
        monkeypatch.setattr(pipeline, "MAX_BYTES_IN_MEMORY", 0)


def batches(source, batch_size, count=None, **options):
    """The batches as lists of (number of the image, is flipped)."""
    dataset = load(source, 2, batch_size, channels=1, **options)
    found = []
    for images, labels in itertools.islice(dataset.as_numpy_iterator(), count):
        columns = np.rint((images[:, 0, :, 0] + 1) * 127.5).astype(int)
        numbers, flipped = columns.max(axis=1) - 1, columns.argmax(axis=1) == 1
        np.testing.assert_array_equal(labels, numbers % 10)
        found.append(list(zip(numbers.tolist(), flipped.tolist(), strict=True)))
    return found


def numbers(source, batch_size, count=None, **options):
    found = itertools.chain.from_iterable(batches(source, batch_size, count, **options))
    return [number for number, _ in found]


def flips(source, batch_size, count=None, **options):
    found = itertools.chain.from_iterable(batches(source, batch_size, count, **options))
    return [flipped for _, flipped in found]


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
    images, labels = next(iter(dataset))
    assert images.shape == (48, 20, 20, channels)
    assert images.numpy().min() == -1
    assert images.numpy().max() == 1
    assert set(labels.numpy()) <= set(range(10))


@pytest.mark.usefixtures("storage")
def test_every_epoch_is_another_permutation():
    epochs = np.reshape(numbers(Numbered(50), 10, 20), (4, 50))
    np.testing.assert_array_equal(np.sort(epochs), [range(50)] * 4)
    assert len({tuple(epoch) for epoch in epochs}) == 4
    assert list(range(50)) not in epochs.tolist()


@pytest.mark.usefixtures("storage")
def test_the_seed_decides():
    first = batches(Numbered(50), 10, 10, flip=True)
    assert batches(Numbered(50), 10, 10, flip=True) == first
    assert batches(Numbered(50), 10, 10, flip=True, seed=1) != first


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize("start", [1, 4, 11])
def test_start_passes_over_batches(start):
    whole = batches(Numbered(23), 6, 16, flip=True, seed=7)
    assert batches(Numbered(23), 6, 16 - start, flip=True, seed=7, start=start) == whole[start:]


@pytest.mark.usefixtures("storage")
def test_start_passes_over_batches_of_a_single_epoch():
    whole = batches(Numbered(23), 6, repeat=False)
    assert batches(Numbered(23), 6, repeat=False, start=3) == whole[3:]
    assert batches(Numbered(23), 6, repeat=False, start=4) == []
    assert [int(load(Numbered(23), 2, 6, repeat=False, start=s).cardinality()) for s in (3, 9)] == [
        1,
        0,
    ]


def test_start_may_be_far_away():
    assert sorted(numbers(Numbered(50), 10, 5, start=5 * 10**9)) == list(range(50))


@pytest.mark.parametrize("options", [{}, {"shuffle": False}, {"flip": True}])
def test_images_are_the_same_in_memory_and_streamed(monkeypatch, options):
    in_memory = batches(Numbered(23), 6, 10, **options)
    monkeypatch.setattr(pipeline, "MAX_BYTES_IN_MEMORY", 0)
    assert batches(Numbered(23), 6, 10, **options) == in_memory


def test_order_does_not_depend_on_the_batch_size():
    assert batches(Numbered(23), 4, 15, flip=True) == [
        batch[half : half + 4]
        for batch in batches(Numbered(23), 12, 5, flip=True)
        for half in (0, 4, 8)
    ]


@pytest.mark.usefixtures("storage")
def test_a_single_epoch_in_order():
    options = {"shuffle": False, "repeat": False}
    dataset = load(Numbered(23), 2, 6, **options)
    assert int(dataset.cardinality()) == 4
    assert [len(labels) for _, labels in dataset] == [6, 6, 6, 5]
    assert numbers(Numbered(23), 6, **options) == list(range(23))
    assert sorted(numbers(Numbered(23), 6, repeat=False)) == list(range(23))


@pytest.mark.usefixtures("storage")
def test_repeats_for_ever_in_full_batches():
    assert numbers(Numbered(5), 3, 4, shuffle=False) == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 0, 1]


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize("size", [1, 2, 3])
def test_batches_may_be_bigger_than_the_data_set(size):
    (found,) = batches(Numbered(size), 6, 1)
    for epoch in np.reshape([number for number, _ in found], (-1, size)):
        assert sorted(epoch) == list(range(size))


@pytest.mark.usefixtures("storage")
def test_flips_half_of_the_images_anew_in_every_epoch():
    options = {"flip": True, "shuffle": False}
    by_epoch = np.reshape(flips(Numbered(200), 100, 20, **options), (10, 200))
    np.testing.assert_allclose(by_epoch.mean(), 0.5, atol=0.05)  # Sigma is 0.011.
    np.testing.assert_allclose(by_epoch.mean(axis=0).std(), 0.158, atol=0.03)  # 0.5/sqrt(10).
    assert not any(flips(Numbered(200), 100, 20, shuffle=False))


def test_images_of_folders(make_folder):
    root = make_folder("train/cat/0.png", "train/dog/1.jpg", "test/eel/2.png")
    images, labels = next(iter(load(root, 4, 1, split="test", shuffle=False, channels=1)))
    np.testing.assert_allclose(images, np.full((1, 4, 4, 1), 2 / 127.5 - 1), atol=1e-6)
    assert labels.numpy().tolist() == [2]


def test_a_source_is_opened_once(digits_dir):
    source = open_source("digits", data_dir=digits_dir)
    for mine, other in zip(
        next(iter(load(source))), next(iter(load("digits", data_dir=digits_dir))), strict=True
    ):
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize(
    "options", [{"split": "test"}, {"data_dir": "elsewhere"}, {"download": True}]
)
def test_what_opens_a_source_does_not_fit_an_open_one(options):
    with pytest.raises(ValueError, match="`split`, `data_dir` and `download` belong to"):
        load(Numbered(5), **options)


@pytest.mark.parametrize("name", ["image_size", "batch_size", "seed", "start", "num_classes"])
@pytest.mark.parametrize("value", [2.0, "2", True])
def test_numbers_are_integers(name, value):
    with pytest.raises(TypeError, match=f"`{name}` must be an integer. Received: {value!r}"):
        load(Numbered(5), **{name: value})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 0}, "`image_size` must be at least 1. Received: 0"),
        ({"batch_size": 0}, "`batch_size` must be at least 1. Received: 0"),
        ({"channels": 4}, "`channels` must be 1 or 3. Received: 4"),
        ({"seed": -1}, "`seed` must be at least 0. Received: -1"),
        ({"seed": 2**63}, r"`seed` must be below 2\*\*63. Received: 9223372036854775808"),
        ({"start": -1}, "`start` must be at least 0. Received: -1"),
        ({"num_classes": 0}, "`num_classes` must be at least 1. Received: 0"),
        (
            {"num_classes": 9},
            "numbered has 10 classes, more than `num_classes`. Received: num_classes=9",
        ),
    ],
)
def test_numbers_are_in_range(options, message):
    with pytest.raises(ValueError, match=message):
        load(Numbered(5), **options)


def test_numpy_integers_are_integers():
    load(Numbered(5), np.int64(2), np.int32(3), start=np.int64(1))


def test_an_empty_data_set_is_an_error():
    with pytest.raises(ValueError, match=r"numbered has no images\."):
        load(Numbered(0))


def test_a_broken_image_is_an_error_of_load(make_folder):
    root = make_folder("cat/a.png", "cat/b.png")
    (root / "cat/b.png").write_bytes(b"?")
    with pytest.raises(ValueError, match=r"^Cannot decode .*/cat/b\.png: not an image\. Repair"):
        load(root, 4, 2)
    images, labels = next(iter(load(root, 4, 2, skip_corrupt=True)))
    np.testing.assert_array_equal(images, np.full((2, 4, 4, 3), -1))
    np.testing.assert_array_equal(labels, [0, 0])


def test_a_broken_image_stops_a_streamed_iteration(make_folder, monkeypatch):
    monkeypatch.setattr(pipeline, "MAX_BYTES_IN_MEMORY", 0)
    root = make_folder("cat/a.png", "cat/b.png")
    (root / "cat/b.png").write_bytes(b"?")
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        next(iter(load(root, 4, 2)))
    first_line = caught.value.message.splitlines()[0]
    assert f"ValueError: Cannot decode {root}/cat/b.png: not an image. Repair" in first_line
    images, _ = next(iter(load(root, 4, 2, skip_corrupt=True)))
    np.testing.assert_array_equal(images, np.full((2, 4, 4, 3), -1))


@pytest.mark.usefixtures("storage")
def test_labels_out_of_range_are_an_error(pets_dir):
    source = open_source("tiny_pets/labels", "unlabelled", data_dir=pets_dir())
    load(source, 4, 2)
    with pytest.raises(
        (ValueError, tf.errors.InvalidArgumentError),
        match=r"Labels must be in \[0, 2\)\. Received: label -1 of tiny_pets/labels/1\.2\.0 unl",
    ):
        next(iter(load(source, 4, 2, num_classes=2)))
