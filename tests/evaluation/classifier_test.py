"""What a trained classifier makes of images."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf

from sagan_tf.data import Subset, find_dataset
from sagan_tf.data.decoding import decode_image
from sagan_tf.evaluation import Classifier, classifier_training
from tests.evaluation.stripes import IMAGES, Stripes, trained

ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("cache"))


def test_the_accuracy_is_that_on_the_images_held_out(tmp_path):
    classifier = trained(tmp_path, steps=30)
    _, held_out = classifier_training.split(Stripes(), 0.2, 0)
    examples = [held_out.read(index) for index in range(len(held_out))]
    pixels = np.array([decode_image(example.encoded, 8, 1) for example in examples])
    found = classifier.probabilities(pixels).argmax(axis=1)
    right = np.mean(found == [example.label for example in examples])
    assert classifier.accuracy == right
    assert classifier.description["accuracy"] == right
    assert classifier.description["num_held_out"] == len(examples) == 12
    assert right > 0.5


def test_features_and_probabilities_are_the_network_s(classifier):
    """The convolutions once more, by what is not Keras."""
    _, _, weights = _weights(classifier)
    x = IMAGES.astype(np.float64) / 127.5 - 1.0
    for kernel, bias, strides in weights[:-1]:
        x = tf.nn.relu(tf.nn.conv2d(x, kernel, strides, "SAME") + bias)
    expected = x.numpy().mean(axis=(1, 2))
    features, probabilities = classifier(IMAGES)
    np.testing.assert_allclose(features, expected, atol=1e-4)
    kernel, bias, _ = weights[-1]
    exponentials = np.exp(expected @ kernel + bias)
    exponentials /= exponentials.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities, exponentials, atol=1e-4)
    assert features.shape == (70, 64)


def _weights(classifier):
    network = classifier._network
    names = ("stem", "down_4", "conv_4", "logits")
    layers = [network.get_layer(name) for name in names]
    weights = [
        (layer.kernel.numpy().astype(np.float64), layer.bias.numpy(), getattr(layer, "strides", 0))
        for layer in layers
    ]
    return network, names, weights


def test_rows_do_not_depend_on_who_shares_the_batch(classifier):
    together = classifier(IMAGES)
    for part in (slice(0, 1), slice(33, 40), slice(69, 70)):
        for alone, rows in zip(classifier(IMAGES[part]), together, strict=True):
            np.testing.assert_array_equal(alone, rows[part])
    assert [rows.shape for rows in classifier(IMAGES[:0])] == [(0, 64), (0, 3)]


def test_images_of_another_size_are_resized(classifier):
    plain = np.full((1, 8, 8, 1), 77, np.uint8)
    large = np.full((1, 20, 30, 1), 77, np.uint8)
    np.testing.assert_allclose(classifier.features(large), classifier.features(plain), atol=1e-4)
    assert "8x8" in classifier.description["resizer"]


def test_grey_images_have_three_channels_and_colours_are_no_grey(classifier, tmp_path):
    colours = trained(tmp_path, channels=3)
    for mine, expected in zip(colours(IMAGES), colours(IMAGES.repeat(3, axis=-1)), strict=True):
        np.testing.assert_array_equal(mine, expected)
    with pytest.raises(ValueError, match=r"trained on grey images\. Received: .* 3 channels"):
        classifier(IMAGES.repeat(3, axis=-1))


def share_right(classifier, source):
    """Of the images of `source` that are held out, those that the classifier recognises."""
    _, held_out = classifier_training.split(source, 0.2, 0)
    examples = [held_out.read(index) for index in range(len(held_out))]
    pixels = np.array([decode_image(example.encoded, 16, 1) for example in examples])
    found = classifier.probabilities(pixels).argmax(axis=1)
    return np.mean(found == [example.label for example in examples])


@pytest.mark.slow
def test_digits_are_recognised(tmp_path):
    digits = Subset(find_dataset("digits"), np.arange(1700))
    classifier = Classifier.trained_on(digits, 16, 1, cache_dir=tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    assert classifier.accuracy >= 0.97
    assert classifier.predicts_labels
    assert share_right(classifier, digits) == classifier.accuracy


def test_the_classifier_of_the_digits_comes_with_the_package(tmp_path, caplog):
    digits = find_dataset("digits")
    with caplog.at_level("INFO"):
        classifier = Classifier.trained_on(digits, 16, 1, cache_dir=tmp_path / "cache")
    assert "Training a classifier" not in caplog.text
    assert not list(tmp_path.iterdir())
    assert classifier.description["num_held_out"] == 359
    # Other processors may round one image to the other side.
    assert share_right(classifier, digits) == pytest.approx(classifier.accuracy, abs=1.5 / 359)
    card = ROOT / "saved_models" / "sagan_digits_16" / "README.md"
    assert f"`{classifier.fingerprint}`" in card.read_text(encoding="utf-8")
