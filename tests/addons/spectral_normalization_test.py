"""What docs/from_other_code.md says of tfa.layers.SpectralNormalization."""

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_addons as tfa

KERNEL = np.diag([4.0, 2.0, 1.0]).astype("float32")


@pytest.fixture
def layer():
    layer = tfa.layers.SpectralNormalization(tf.keras.layers.Dense(3, use_bias=False))
    layer.build((None, 3))
    layer.layer.kernel.assign(KERNEL)
    layer.u.assign([[1.0, 0.0, 0.0]])  # The first singular vector: converged.
    return layer


def test_inference_is_not_normalized_until_a_training_step_was(layer):
    np.testing.assert_allclose(layer(np.eye(3), training=False), KERNEL)
    np.testing.assert_allclose(layer(np.eye(3), training=True), KERNEL / 4)
    np.testing.assert_allclose(layer(np.eye(3), training=False), KERNEL / 4)
    layer.layer.kernel.assign_add(KERNEL)  # As an optimizer would.
    np.testing.assert_allclose(layer(np.eye(3), training=False), KERNEL * 1.25)


def test_training_overwrites_the_kernel(layer):
    layer(np.eye(3), training=True)
    np.testing.assert_allclose(layer.layer.kernel, KERNEL / 4)


def test_no_gradient_flows_through_sigma(layer):
    upstream = np.arange(9, dtype="float32").reshape(3, 3) + 1
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(np.eye(3), training=True) * upstream)
    gradient = tape.gradient(loss, layer.layer.kernel)
    # That of W / sigma would be orthogonal to W; theirs is as if the layer had no normalization.
    np.testing.assert_allclose(gradient, upstream)
    assert np.sum(gradient * KERNEL) > 1
