"""The SavedModel as a module of TensorFlow Hub, in Keras 2 too."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub
import tf_keras

from sagan_tf.export import export_saved_model
from sagan_tf.models import draw_latents, fold_spectral_norm
from sagan_tf.models.sampling import run_generator

LATENTS = draw_latents(3, 8, seed=0)
LABELS = np.array([0, 1, 2], "int32")


@pytest.fixture(scope="module")
def module(path):
    return hub.load(str(path))


@pytest.fixture(scope="module")
def expected(sagan):
    return run_generator(sagan.ema_generator, LATENTS, LABELS, return_attention=True)


@pytest.mark.parametrize("structure", [tuple, list])
def test_it_is_called_like_the_generator(module, expected, structure):
    images = module(structure([tf.constant(LATENTS), tf.constant(LABELS)]))
    np.testing.assert_allclose(images, expected[0], atol=1e-5)


def test_training_takes_and_moves_the_statistics_of_the_batch(sagan, path):
    module = hub.load(str(path))
    folded = fold_spectral_norm(sagan.ema_generator)
    images = module((tf.constant(LATENTS), tf.constant(LABELS)), training=True)
    np.testing.assert_allclose(images, folded((LATENTS, LABELS), training=True), atol=1e-5)
    for moved, weight in zip(module.variables, folded.weights, strict=True):
        np.testing.assert_allclose(moved, weight, atol=1e-5)


@pytest.mark.parametrize(
    ("rows", "labels", "message"),
    [
        (3, [0, 1, 3], "labels must be in"),
        (3, [0, 1, -1], "labels must be in"),
        (3, [0], "must have the same number of rows"),
        (0, [], "latents must have at least 1 row"),
    ],
)
def test_wrong_input_moves_no_statistics(path, rows, labels, message):
    module = hub.load(str(path))
    before = [variable.numpy() for variable in module.variables]
    inputs = tf.constant(LATENTS[:rows]), tf.constant(labels, tf.int32)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        module(inputs, training=True)
    for variable, value in zip(module.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)


def test_its_variables_are_the_folded_weights(sagan, module):
    folded = fold_spectral_norm(sagan.ema_generator)
    folded.trainable = True  # the average is not
    for name in ("variables", "trainable_variables"):
        theirs = getattr(module, name)
        ours = getattr(folded, name)
        assert [variable.shape for variable in theirs] == [weight.shape for weight in ours]
        for variable, weight in zip(theirs, ours, strict=True):
            np.testing.assert_allclose(variable, weight, atol=1e-6)
    assert len(module.trainable_variables) < len(module.variables)
    assert list(module.regularization_losses) == []


def test_generate_and_attention(module, expected):
    labels = tf.constant(LABELS)
    served = module.signatures["generate"](
        labels=labels, seeds=tf.constant([4, 5, 6]), truncation=tf.fill((3,), 0.5)
    )
    images = module.generate(labels, truncation=0.5, seed=4)
    np.testing.assert_allclose(images, served["images"], atol=1e-5)
    assert module.generate(labels).shape == (3, 16, 16, 1)
    (attention,) = module.attention(tf.constant(LATENTS), labels).values()
    np.testing.assert_allclose(attention, expected[1]["attention_8"], atol=1e-5)


@pytest.mark.parametrize(
    ("labels", "truncation", "message"),
    [([3], 1.0, "labels must be in"), ([0], 0.0, "truncation must be in")],
)
def test_generate_checks_its_input(module, labels, truncation, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        module.generate(tf.constant(labels), truncation=truncation)


def test_an_unconditional_module(make_sagan, tmp_path):
    sagan = make_sagan(num_classes=None)
    module = hub.load(str(export_saved_model(sagan, tmp_path)))
    expected = run_generator(sagan.ema_generator, LATENTS)
    np.testing.assert_allclose(module(tf.constant(LATENTS)), expected, atol=1e-5)
    assert module.generate(2).shape == (2, 16, 16, 1)
    assert module.generate(0).shape == (0, 16, 16, 1)
    with pytest.raises(tf.errors.InvalidArgumentError, match="num_images must be at least 0"):
        module.generate(-1)
    assert module.attention(tf.constant(LATENTS))["attention_8"].shape == (3, 64, 16)


def test_a_keras_layer_gives_the_same_images(path, expected):
    layer = hub.KerasLayer(str(path))
    assert not layer.trainable_variables
    latents = tf_keras.Input((8,))
    labels = tf_keras.Input((), dtype="int32")
    model = tf_keras.Model([latents, labels], layer((latents, labels)))
    images = model.predict([LATENTS, LABELS], verbose=0)
    np.testing.assert_allclose(images, expected[0], atol=1e-5)


def test_a_keras_layer_can_be_fine_tuned(path):
    """Towards black images: three steps of descent, each of which lessens the loss."""
    layer = hub.KerasLayer(str(path), trainable=True)
    latents = tf_keras.Input((8,))
    labels = tf_keras.Input((), dtype="int32")
    model = tf_keras.Model([latents, labels], layer((latents, labels)))
    model.compile(tf_keras.optimizers.SGD(0.1), "mse")
    before = [variable.numpy() for variable in layer.trainable_variables]
    assert before
    target = np.full((3, 16, 16, 1), -1.0, "float32")
    losses = [model.train_on_batch([LATENTS, LABELS], target) for _ in range(4)]
    assert losses == sorted(losses, reverse=True)
    changed = [
        np.abs(variable.numpy() - old).max() > 0
        for variable, old in zip(layer.trainable_variables, before, strict=True)
    ]
    assert np.mean(changed) > 0.8
