"""The SavedModel as a module of TensorFlow Hub, in Keras 2 too."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub
import tf_keras

from sagan_tf.models import draw_latents, fold_spectral_norm
from sagan_tf.models.sampling import run_generator

LATENTS = draw_latents(3, 8, seed=0)
LABELS = np.array([0, 1, 2], "int32")


@pytest.fixture
def module(path):
    return hub.load(str(path))


@pytest.fixture(scope="module")
def expected(sagan):
    return run_generator(sagan.ema_generator, LATENTS, LABELS, return_attention=True)


@pytest.mark.parametrize("structure", [tuple, list])
def test_it_is_called_like_the_generator(module, expected, structure):
    images = module(structure([tf.constant(LATENTS), tf.constant(LABELS)]))
    np.testing.assert_allclose(images, expected[0], atol=1e-5)


def test_its_variables_are_the_folded_weights_and_training_moves_the_statistics(sagan, module):
    folded = fold_spectral_norm(sagan.ema_generator)
    folded.trainable = True  # The EMA generator is frozen.
    for name in ("variables", "trainable_variables"):
        for variable, weight in zip(getattr(module, name), getattr(folded, name), strict=True):
            np.testing.assert_allclose(variable, weight, atol=1e-6, strict=True)
    assert len(module.trainable_variables) < len(module.variables)
    assert list(module.regularization_losses) == []

    images = module((tf.constant(LATENTS), tf.constant(LABELS)), training=True)
    np.testing.assert_allclose(images, folded((LATENTS, LABELS), training=True), atol=1e-5)
    for moved, weight in zip(module.variables, folded.weights, strict=True):
        np.testing.assert_allclose(moved, weight, atol=1e-5)


@pytest.mark.parametrize(
    ("rows", "labels", "message"),
    [
        (3, [0, 1, 3], "labels must be in"),
        (3, [0], "must have the same number of rows"),
        (0, [], "latents must have at least 1 row"),
    ],
)
def test_wrong_input_moves_no_statistics(module, rows, labels, message):
    before = [variable.numpy() for variable in module.variables]
    inputs = tf.constant(LATENTS[:rows]), tf.constant(labels, tf.int32)
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        module(inputs, training=True)
    for variable, value in zip(module.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)


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
    for label, truncation, wrong in ((3, 1.0, "labels"), (0, 0.0, "truncation")):
        with pytest.raises(tf.errors.InvalidArgumentError, match=f"{wrong} must be in"):
            module.generate(tf.constant([label]), truncation)


def test_a_module_without_classes_and_attention(plain_sagan, plain_path):
    module = hub.load(str(plain_path))
    assert not hasattr(module, "attention")
    expected = run_generator(plain_sagan.ema_generator, LATENTS, np.zeros(3))
    np.testing.assert_allclose(module(tf.constant(LATENTS)), expected, atol=1e-5)
    module(tf.constant(LATENTS), training=True)
    two = module.signatures["generate"](seeds=tf.constant([4, 5]), truncation=tf.ones(2))["images"]
    np.testing.assert_allclose(module.generate(2, seed=4), two, atol=1e-5)
    assert module.generate(num_images=0).shape == (0, 16, 16, 1)
    with pytest.raises(tf.errors.InvalidArgumentError, match="num_images must be at least 0"):
        module.generate(-1)


def test_a_keras_layer_gives_the_same_images_and_can_be_fine_tuned(path, expected):
    """Towards black images: three steps of descent, each of which lessens the loss."""
    assert not hub.KerasLayer(str(path)).trainable_variables
    layer = hub.KerasLayer(str(path), trainable=True)
    latents = tf_keras.Input((8,))
    labels = tf_keras.Input((), dtype="int32")
    model = tf_keras.Model([latents, labels], layer((latents, labels)))
    images = model.predict([LATENTS, LABELS], verbose=0)
    np.testing.assert_allclose(images, expected[0], atol=1e-5)

    model.compile(tf_keras.optimizers.SGD(0.1), "mse")
    before = [variable.numpy() for variable in layer.trainable_variables]
    assert before
    target = np.full((3, 16, 16, 1), -1.0, "float32")
    losses = [model.train_on_batch([LATENTS, LABELS], target) for _ in range(4)]
    assert losses == sorted(losses, reverse=True)
    pairs = zip(layer.trainable_variables, before, strict=True)
    assert np.mean([np.any(variable.numpy() != old) for variable, old in pairs]) > 0.8
    # The signatures have the variables, not copies of them: they serve what was learnt.
    module = layer.resolved_object
    inputs = {"latents": tf.constant(LATENTS), "labels": tf.constant(LABELS)}
    served = module.signatures["serving_default"](**inputs)["images"]
    np.testing.assert_allclose(served, module(tuple(inputs.values())), atol=1e-5)
    assert np.abs(served - expected[0]).max() > 1e-3
