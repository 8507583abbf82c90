"""Our networks against values of the official TensorFlow 1 code."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from sagan_tf import losses
from sagan_tf.interop import load_official_checkpoint
from sagan_tf.layers import DownsampleConv2D, UpsampleConv2D
from tests.autodiff import value_and_gradients

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "official_128_feat32"
PREFIX = str(GOLDEN / "model.ckpt")
REFERENCE = np.load(GOLDEN / "reference.npz")
LATENTS, LABELS, REAL, REAL_LABELS, FAKE = (
    REFERENCE[name] for name in ("z", "y", "x", "y_real", "gen_train")
)


@pytest.fixture(scope="module")
def reader():
    return tf.train.load_checkpoint(PREFIX)


@pytest.fixture
def networks():
    return load_official_checkpoint(PREFIX)


@pytest.fixture(params=["fused", "plain"])
def resampling(request, monkeypatch):
    """With our resampling convolutions, and with the official pairs in their place."""

    def upsample_and_convolve(layer, inputs, kernel):
        inputs = ops.repeat(ops.repeat(inputs, 2, axis=1), 2, axis=2)
        return ops.conv(inputs, kernel, padding="same", data_format="channels_last")

    def convolve_and_pool(layer, inputs, kernel):
        outputs = ops.conv(inputs, kernel, padding="same", data_format="channels_last")
        return ops.average_pool(outputs, 2, strides=2, data_format="channels_last")

    if request.param == "plain":
        monkeypatch.setattr(UpsampleConv2D, "convolution_op", upsample_and_convolve)
        monkeypatch.setattr(DownsampleConv2D, "convolution_op", convolve_and_pool)
    return request.param


def test_images(networks):
    generator, _ = networks
    np.testing.assert_allclose(generator((LATENTS, LABELS)), REFERENCE["gen_eval"], atol=1e-5)
    # Two images make the batch statistics of the deepest layers, which amplifies rounding.
    np.testing.assert_allclose(generator((LATENTS, LABELS), training=True), FAKE, atol=1e-4)


def test_logits_and_losses(networks):
    _, discriminator = networks
    real = discriminator((REAL, REAL_LABELS))
    fake = discriminator((FAKE, LABELS))
    for ours, name in (
        (real, "logits_real"),
        (fake, "logits_fake"),
        (losses.hinge.discriminator(real, fake), "d_loss"),
        (losses.hinge.generator(fake), "g_loss"),
    ):
        np.testing.assert_allclose(ours, REFERENCE[name], rtol=0, atol=1e-5, err_msg=name)


def _gradient_errors(loss, network, reader):
    """By official name, the largest error of each gradient relative to its largest entry.

    Some biases have no effect, those before a batch norm for instance: their gradients are rounding
    only. The scale of a bias's gradient is therefore at least that of its kernel's.
    """
    # Weights know their official names by their random values, whatever the loader did.
    names = {reader.get_tensor(n).tobytes(): n for n in reader.get_variable_to_shape_map()}
    variables = network.trainable_variables
    _, gradients = value_and_gradients(loss, variables)
    errors = {}
    for variable, gradient in zip(variables, gradients, strict=True):
        name = names[ops.convert_to_numpy(variable).tobytes()]
        scope, _, leaf = name.rpartition("/")
        kernel = {"biases": f"{scope}/w", "bias": f"{scope}/Matrix"}.get(leaf, name)
        scale = max(np.abs(REFERENCE["grad:" + each]).max() for each in (name, kernel))
        errors[name] = np.abs(gradient - REFERENCE["grad:" + name]).max() / scale
    start = f"grad:model/{network.name[0]}_"
    assert set(errors) == {name[5:] for name in REFERENCE.files if name.startswith(start)}
    assert f"model/{network.name[0]}_non_local/sigma_ratio" in errors
    return errors


def test_discriminator_gradients(networks, reader, resampling):
    _, discriminator = networks

    def loss():
        real = discriminator((REAL, REAL_LABELS), training=True)
        return losses.hinge.discriminator(real, discriminator((FAKE, LABELS)))

    for name, error in _gradient_errors(loss, discriminator, reader).items():
        assert error < 1e-4, name


def test_generator_gradients(networks, reader, resampling):
    generator, discriminator = networks

    def loss():
        images = generator((LATENTS, LABELS), training=True)
        return losses.hinge.generator(discriminator((images, LABELS)))

    for name, error in _gradient_errors(loss, generator, reader).items():
        # The fused sums round differently: on some machines a ReLU near zero flips, which moves
        # the gradients of the layers before it.
        early = name.split("/")[1] in ("g_snh0", "g_block1", "g_block2", "g_block3")
        assert error < (1e-2 if early and resampling == "fused" else 1e-4), name
