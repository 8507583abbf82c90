import numpy as np
import pytest

from sagan_tf.data import Arrays, load
from sagan_tf.models import preset
from sagan_tf.training import train


def pixels(count=6, size=16, channels=3):
    shape = (count, size, size, channels)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("channels", [1, 3])
def test_arrays_are_a_data_set(channels):
    images, labels = pixels(channels=channels), [2, 0, 0, 2, 0, 2]
    source = Arrays(images, labels)
    assert (len(source), source.class_names, source.empty_classes) == (6, ("0", "1", "2"), ("1",))
    options = {"channels": channels, "shuffle": False, "repeat": False}
    found, of_found = next(load(source, 16, 6, **options).as_numpy_iterator())
    np.testing.assert_array_equal(np.rint((found + 1) * 127.5), images)
    np.testing.assert_array_equal(of_found, labels)
    assert Arrays(images).describe() == "6 images without classes"
    assert Arrays(images, labels, ["a", "b", "c", "d"]).num_classes == 4
    named = Arrays(images, [*"bccbcb"], ["a", "b", "c"])
    assert [named.read(index).label for index in range(6)] == [1, 2, 2, 1, 2, 1]


def test_the_digest_is_that_of_the_content():
    images, labels = pixels(600, 2), [0, 1] * 300
    others = images.copy()
    others[-1] ^= 1
    same = Arrays(images[::-1][::-1], tuple(labels), name="elsewhere")
    assert same.digest() == Arrays(images, labels).digest()
    made = (Arrays(images, labels), Arrays(others, labels), Arrays(images, labels[::-1]))
    assert len({source.digest() for source in (*made, Arrays(images[:-1], labels[:-1]))}) == 4


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((pixels() / 255,), TypeError, "Pixels must be uint8"),
        ((pixels()[0],), ValueError, "must have shape"),
        ((pixels(channels=3)[..., :2],), ValueError, "must have shape"),
        ((pixels(), [0, 1]), ValueError, r"`labels` must have shape \(6,\), .* Received: \(2,\)"),
        ((pixels(), [0] * 5 + [-1]), ValueError, r"`labels` must be in \[0, 1\). Received: -1"),
        ((pixels(), [0] * 5 + [3], ["a"]), ValueError, r"`labels` must be in \[0, 1\). Rec.*: 3"),
        ((pixels(), [0.5] * 6), ValueError, "`labels` must be a list of ints"),
        ((pixels(), None, ["a"]), ValueError, "`class_names` need `labels`"),
        ((pixels(), ["a"] * 6), ValueError, "`labels` that are names need `class_names`"),
        ((pixels(), ["a", "c"] * 3, ["a", "b"]), ValueError, "Unknown class: c"),
        ((pixels(), [0] * 6, [10]), TypeError, "`class_names` must be a list of str.* 10"),
    ],
)
def test_other_arrays_are_errors(arguments, error, message):
    with pytest.raises(error, match=message):
        Arrays(*arguments)


def test_training_on_arrays_and_going_on(tmp_path):
    source = Arrays(pixels(8, channels=1), [0, 1] * 4, ["cat", "hen"])
    config = preset("sagan_digits_16").override(base_channels=4, latent_dim=4, batch_size=4)
    options = {"adapt_classes": True, "source": source}
    train(config.override(steps=1), tmp_path, **options)
    sagan = train(config.override(steps=1), tmp_path, **options)
    assert (sagan.class_names, sagan.recipe.dataset) == (("cat", "hen"), "arrays")
    options["source"] = Arrays(pixels(8, channels=1)[::-1], [0, 1] * 4, ["cat", "hen"])
    with pytest.raises(ValueError, match="other images, 8 there, 8 here"):
        train(config.override(steps=1), tmp_path, **options)
    with pytest.raises(ValueError, match="^`split` and `evaluate_split` are of a data set"):
        train(config.override(split="train[:50%]"), tmp_path, **options)
