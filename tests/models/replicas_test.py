"""`fit` under MirroredStrategy, on two logical CPUs in a process of their own."""

import keras
import numpy as np
import pytest

from sagan_tf import SAGAN, Discriminator, Generator
from tests.autodiff import TENSORFLOW
from tests.two_replicas import two_replicas

pytestmark = pytest.mark.skipif(not TENSORFLOW, reason="tf.distribute is TensorFlow's")

STEPS = 3


def trained():
    """Trains a small SAGAN by SGD on a few batches of 8, under the strategy in force."""
    import tensorflow as tf

    keras.utils.set_random_seed(0)
    sagan = SAGAN(
        Generator(16, 1, 3, base_channels=4, latent_dim=8),
        Discriminator(16, 1, 3, base_channels=4),
        ema_decay=0.5,
    )
    for gate in sagan.gates.values():
        gate.assign(0.5)
    sagan.compile(keras.optimizers.SGD(1e-3), keras.optimizers.SGD(4e-3))
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (STEPS * 8, 16, 16, 1)).astype("float32")
    labels = rng.integers(3, size=STEPS * 8).astype("int32")
    dataset = tf.data.Dataset.from_tensor_slices((images, labels)).batch(8)
    sagan.fit(dataset, epochs=1, shuffle=False, verbose=0)
    return sagan


def trained_on_two(strategy):
    """Returns the weights on both replicas."""
    with strategy.scope():
        sagan = trained()
    local = [strategy.experimental_local_results(weight.value) for weight in sagan.weights]
    return [[np.asarray(values[replica]) for values in local] for replica in (0, 1)]


def test_two_replicas_stay_equal_and_equal_one_with_the_whole_batch():
    with two_replicas() as run:
        first, second = run(trained_on_two)
    sagan = trained()
    for weight, one, two in zip(sagan.weights, first, second, strict=True):
        np.testing.assert_array_equal(one, two, err_msg=weight.path)
        np.testing.assert_allclose(one, weight.numpy(), atol=1e-5, err_msg=weight.path)
