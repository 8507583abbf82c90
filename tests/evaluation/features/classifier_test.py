"""Classifiers: trained the same way every time, and what they make of images."""

import pathlib
import random

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from scipy.special import softmax

from sagan_tf.data import Subset, find_dataset, pipeline
from sagan_tf.evaluation import Classifier
from sagan_tf.evaluation.features import classifier as module
from sagan_tf.evaluation.features.classifier_network import CLASSIFIER_NETWORKS, shifted
from tests.data.samples import encoded
from tests.evaluation.errors import message
from tests.evaluation.features.stripes import IMAGES, Stripes, exchanged, same, share_right, trained

ROOT = pathlib.Path(__file__).parents[3]


def test_the_accuracy_is_that_on_the_images_held_out(tmp_path):
    classifier = trained(tmp_path, steps=30)
    assert classifier.accuracy == share_right(classifier, Stripes(), 8) > 0.5
    assert classifier.description["accuracy"] == classifier.accuracy
    assert classifier.description["num_held_out"] == 12
    assert classifier.predicts_labels


def test_features_and_probabilities_are_the_network_s(classifier):
    """The convolutions once more, by what is not Keras."""
    names = ("stem", "down_4", "conv_4", "logits")
    *convolutions, logits = [classifier._network.get_layer(name) for name in names]
    x = IMAGES.astype(np.float64) / 127.5 - 1.0
    for layer in convolutions:
        kernel = layer.kernel.numpy().astype(np.float64)
        x = tf.nn.relu(tf.nn.conv2d(x, kernel, layer.strides, "SAME") + layer.bias.numpy())
    expected = x.numpy().mean(axis=(1, 2))
    features, probabilities = classifier(IMAGES)
    np.testing.assert_allclose(features, expected, atol=1e-4)
    expected = softmax(expected @ logits.kernel.numpy() + logits.bias.numpy(), axis=1)
    np.testing.assert_allclose(probabilities, expected, atol=1e-4)
    assert features.shape == (70, 64)


@pytest.mark.parametrize(("height", "width"), [(20, 30), (5, 7)])
def test_images_of_another_size_are_resized_as_by_pillow_without_rounding(
    classifier, height, width
):
    images = np.random.default_rng(3).integers(0, 256, (2, height, width, 1), np.uint8)
    planes = [Image.fromarray(image[..., 0].astype(np.float32)) for image in images]
    resized = [plane.resize((8, 8), Image.Resampling.BILINEAR) for plane in planes]
    inputs = np.stack([np.asarray(plane) for plane in resized])[..., None] / 127.5 - 1
    expected = classifier._network(inputs, training=False)[0]
    np.testing.assert_allclose(classifier(images)[0], expected, atol=1e-4)


def test_gray_images_have_three_channels_and_colors_are_no_gray(classifier, tmp_path):
    colors = trained(tmp_path, channels=3)
    for mine, expected in zip(colors(IMAGES), colors(IMAGES.repeat(3, axis=-1)), strict=True):
        np.testing.assert_array_equal(mine, expected)
    found = message(classifier, IMAGES.repeat(3, axis=-1))
    assert found.startswith("The classifier was trained on gray images. Received: ")


def test_one_of_the_package_knows_no_labels_of_other_data():
    digits = find_dataset("digits")
    classifier = Classifier.bundled("digits_classifier")
    assert classifier.fingerprint == Classifier.trained_on(digits, 16, 1).fingerprint
    assert classifier.description["name"] == "digits_classifier"
    assert not classifier.predicts_labels
    found = message(Classifier.bundled, "digits")
    assert found == "Unknown classifier: digits. Valid: cifar10_classifier, digits_classifier"


@pytest.mark.slow
def test_digits_are_recognized(tmp_path):
    digits = Subset(find_dataset("digits"), np.arange(1700))
    classifier = Classifier.trained_on(digits, 16, 1, cache_dir=tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    assert classifier.accuracy == share_right(classifier, digits, 16) >= 0.97


def test_a_fifth_is_held_out_and_does_not_train(classifier, tmp_path):
    """Another image there is another accuracy at most; elsewhere it is another network."""
    parts = module._split(Stripes(), 12)
    names = [[part.read(index).name for index in range(len(part))] for part in parts]
    assert [len(part) for part in names] == [48, 12]
    assert sorted([*names[0], *names[1]]) == sorted(f"stripe {index}" for index in range(60))
    for part, unchanged in zip(names, (False, True), strict=True):
        index = int(part[3].removeprefix("stripe "))
        source = Stripes(exchanged=exchanged(index, encoded=encoded(np.zeros((8, 8), np.uint8))))
        other = trained(tmp_path, source)
        assert same(classifier, other) is unchanged
        assert (classifier.fingerprint == other.fingerprint) is unchanged


def test_large_data_sets_are_sampled_and_have_more_steps(tmp_path, trainings, monkeypatch):
    class Repeated(Stripes):
        def read(self, index):
            found.append(index)
            return Stripes().read(index % 60)

    monkeypatch.setattr(module, "_MAX_LABELS", 1000)
    for num_images in (60, 50_000, 1_000_000):
        found = []
        trained(tmp_path, Repeated(size=num_images), steps=None)
    assert [key["steps"] for key in trainings] == [600, 3125, 10_000]
    # Once for the key, and once for the labels.
    assert sorted(found) == sorted(2 * list(range(0, 1_000_000, 1001)))


@pytest.mark.parametrize(
    ("source", "options", "expected"),
    [
        (Stripes(class_names=None), {}, "number of classes of stripes is not known: pass `num_cl"),
        (Stripes(size=0), {}, "stripes has no images."),
        (Stripes(), {"steps": 0}, "`steps` must be at least 1. Received: 0"),
        (Stripes(), {"image_size": 0}, "`image_size` must be at least 1. Received: 0"),
        (Stripes(), {"channels": 4}, "`channels` must be 1 (gray) or 3 (RGB)"),
        (Stripes(classes=1, class_names="a"), {}, "at least 2 classes. Received: num_classes=1"),
        (Stripes(size=4), {}, "2 images of each class. stripes has 1 of class 1"),
        (Stripes(), {"num_classes": 4}, "stripes has 0 of class 3"),
        (Stripes(), {"num_classes": 2}, "stripes has 3 classes, more than `num_classes`"),
        (Stripes(exchanged=exchanged(7, label=-1)), {}, "Received: label -1 of stripe 7"),
        (Stripes(exchanged=exchanged(7, encoded=b"?")), {}, "Cannot decode stripe 7: not an im"),
        (Stripes(exchanged={7: OSError("gone")}), {}, "Cannot read an image: gone"),
    ],
)
def test_what_cannot_be_trained_is_an_error(source, options, expected, tmp_path):
    assert expected in message(trained, tmp_path, source, **options)
    assert not list(tmp_path.iterdir())


def test_broken_images_can_be_skipped(tmp_path):
    broken = exchanged(7, encoded=b"?") | {8: OSError("gone")}
    trained(tmp_path, Stripes(exchanged=broken), skip_corrupt=True)


@pytest.mark.parametrize("image_size", [1, 9])
def test_images_may_have_any_size(tmp_path, image_size):
    classifier = trained(tmp_path, image_size=image_size, steps=1)
    assert classifier.description["input_size"] == image_size
    assert classifier(IMAGES[:2])[0].shape == (2, 64)


@pytest.mark.parametrize("name", CLASSIFIER_NETWORKS)
def test_features_are_scaled_and_logits_are_not(name):
    network = CLASSIFIER_NETWORKS[name].build(8, 1, 3)
    batches = np.random.default_rng(0).uniform(-1, 1, (3, 20, 8, 8, 1)).astype("float32")
    before = [np.asarray(outputs) for outputs in network(batches[0])]
    module._scale_features(network, batches)
    features = np.concatenate([np.asarray(network(images)[0]) for images in batches])
    assert np.mean(features**2) == pytest.approx(1.0, rel=1e-5)
    after = [np.asarray(outputs) for outputs in network(batches[0])]
    np.testing.assert_allclose(after[1], before[1], rtol=1e-4, atol=1e-5)
    alive = before[0] > 1e-3
    ratios = after[0][alive] / before[0][alive]
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-4)


def test_the_network_for_natural_images(tmp_path):
    """It learns as the other one does, is kept under another key, and is deterministic."""
    options = {"architecture": "residual", "steps": 6, "image_size": 16}
    first = trained(tmp_path / "one", **options)
    assert first.description["architecture"] == "residual"
    assert first(IMAGES)[0].shape[-1] == 256
    assert same(first, trained(tmp_path / "two", **options))
    assert same(first, trained(tmp_path / "one", **options))
    with pytest.raises(ValueError, match=r"Unknown architecture: resdual. Did you mean residual\?"):
        trained(tmp_path, architecture="resdual")


def test_shifts_are_a_function_of_the_step():
    images = tf.reshape(tf.range(2 * 16 * 16, dtype=tf.float32), (2, 16, 16, 1))
    found = [shifted(images, tf.constant(step, tf.int64)).numpy() for step in range(40)]
    assert all(each.shape == images.shape for each in found)
    np.testing.assert_array_equal(found[3], shifted(images, tf.constant(3, tf.int64)))
    corners = {float(each[0, 0, 0, 0]) for each in found}
    second = [float(each[1, 0, 0, 0]) - 256 for each in found]
    assert set(second) <= corners and second != [float(each[0, 0, 0, 0]) for each in found]
    # The corner is an image's pixel at most two rows or columns away, mirrored at the edge.
    assert corners <= {16.0 * row + column for row in range(3) for column in range(3)}
    assert len(corners) > 4


def test_two_trainings_end_with_the_same_bits(classifier, tmp_path, monkeypatch):
    again = trained(tmp_path / "again")
    assert same(classifier, again)
    assert classifier.description == again.description
    assert not same(classifier, trained(tmp_path, steps=5))
    # Whatever the policy, and if images are streamed.
    monkeypatch.setattr(pipeline, "MAX_BYTES_IN_MEMORY", 0)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        other = trained(tmp_path / "other")
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
        assert same(classifier, other)
    finally:
        keras.config.set_dtype_policy("float32")


def _draws():
    keras_objects = [
        keras.layers.Dense(1),
        keras.layers.Conv2D(1, 1),
        keras.Sequential(),
        keras.optimizers.Adam(),
        keras.metrics.Mean(),
        keras.losses.SparseCategoricalCrossentropy(),
    ]
    numbers = tf.random.uniform(()), keras.random.uniform(())
    names = [each.name for each in keras_objects]
    return [random.random(), np.random.rand(), *map(float, numbers), *names]


def test_global_random_states_and_names_are_left_alone(tmp_path):
    found = []
    for disturbed in (False, True, True):
        keras.utils.clear_session()
        keras.utils.set_random_seed(1)
        if disturbed:
            trained(tmp_path)(IMAGES)  # It is trained, and then comes from the cache.
        found.append(_draws())
    assert found[0] == found[1] == found[2]
