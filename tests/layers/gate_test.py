"""Layers that a gate lets in by and by."""

import numpy as np
import pytest
from keras import ops

from sagan_tf.layers import GatedResidualBlock, SelfAttention
from tests.autodiff import value_and_gradients

INPUTS = np.random.default_rng(7).standard_normal((2, 6, 4, 16)).astype("float32")


@pytest.mark.parametrize("layer_class", [SelfAttention, GatedResidualBlock])
def test_is_the_identity_while_the_gate_is_zero(layer_class):
    layer = layer_class()
    layer.build(INPUTS.shape)
    np.testing.assert_array_equal(layer(INPUTS, training=True), INPUTS)
    variables = layer.trainable_variables
    _, gradients = value_and_gradients(lambda: ops.sum(layer(INPUTS) ** 2), variables)
    moving = {v.name for v, g in zip(variables, gradients, strict=True) if np.any(g)}
    assert moving == {"gate"}
