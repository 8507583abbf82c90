"""SavedModels of this package in TensorFlow 2.15 with Keras 2, beside tensorflow-addons."""

import os
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_addons as tfa
import tensorflow_datasets as tfds
import tensorflow_hub as hub

FILES = pathlib.Path(os.environ["ADDONS_FILES"])


@pytest.fixture(scope="module", params=["digits", "unconditional", "color"])
def folder(request):
    return FILES / request.param


@pytest.fixture(scope="module")
def path(folder):
    return str(folder / "1")


@pytest.fixture(scope="module")
def reference(folder):
    with np.load(folder / "images.npz") as file:
        return dict(file)


def _tensors(reference, *names):
    return {name: tf.constant(reference[name]) for name in names if name in reference}


def _arguments(reference):
    """What a reusable SavedModel is called on: `[latents, labels]`, or latents alone."""
    inputs = [*_tensors(reference, "latents", "labels").values()]
    return inputs if len(inputs) > 1 else inputs[0]


def _close(images, expected):
    np.testing.assert_allclose(images, expected, rtol=0, atol=1e-5)


def test_the_environment_is_that_of_tensorflow_addons():
    versions = tf.__version__, keras.__version__, tfa.__version__
    assert versions == ("2.15.1", "2.15.0", "0.23.0")
    assert "mnist" in tfds.list_builders()


def test_serving_default(path, reference):
    signature = tf.saved_model.load(path).signatures["serving_default"]
    _close(signature(**_tensors(reference, "latents", "labels"))["images"], reference["images"])


def test_generate(path, reference):
    signatures = tf.saved_model.load(path).signatures
    asked = _tensors(reference, "seeds", "truncation", "labels")
    outputs = {**signatures["generate"](**asked), **signatures["generate_attention"](**asked)}
    assert len(outputs) >= 2
    for name, output in outputs.items():
        _close(output, reference[f"generated_{name}"])


def test_generate_png(path, reference):
    signature = tf.saved_model.load(path).signatures["generate_png"]
    files = signature(**_tensors(reference, "seeds", "truncation", "labels"))["image_bytes"]
    images = np.stack([tf.io.decode_png(file) for file in files])
    expected = (reference["generated_images"] + 1) * 127.5
    np.testing.assert_allclose(images, expected, rtol=0, atol=0.5 + 1e-2)


def test_attention(path, reference):
    signatures = tf.saved_model.load(path).signatures
    maps = signatures["attention"](**_tensors(reference, "latents", "labels"))
    for name, attention in maps.items():
        assert attention.shape == reference[f"generated_{name}"].shape
        np.testing.assert_allclose(np.sum(attention, axis=-1), 1, atol=1e-5)


def test_reusable_saved_model(path, reference):
    module = hub.load(path)
    arguments = _arguments(reference)
    _close(module(arguments), reference["images"])
    seed = int(reference["seeds"][0])
    images = module.generate(reference.get("labels", 4), truncation=0.7, seed=seed)
    _close(images, reference["generated_images"])


def test_hub_layer(path, reference):
    _close(hub.KerasLayer(path)(_arguments(reference)), reference["images"])


def _around(layer, reference):
    inputs = [
        tf.keras.Input(value.shape[1:], dtype=value.dtype)
        for value in _tensors(reference, "latents", "labels").values()
    ]
    return tf.keras.Model(inputs, layer(inputs if len(inputs) > 1 else inputs[0]))


def test_keras_model_around_it(path, reference):
    model = _around(hub.KerasLayer(path), reference)
    _close(model.predict(_arguments(reference), verbose=0), reference["images"])


def test_it_can_be_trained_with_tensorflow_addons(path, reference):
    model = _around(hub.KerasLayer(path, trainable=True), reference)
    assert model.trainable_variables
    model.compile(tfa.optimizers.AdamW(1e-4, 1e-3), "mse")
    target = np.zeros_like(reference["images"])
    losses = model.fit(_arguments(reference), target, epochs=10, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
