"""`fit` under MirroredStrategy, on two logical CPUs in a process of their own."""

import numpy as np
import pytest

from sagan_tf.losses.augmentation import AUGMENTATIONS
from tests.autodiff import TENSORFLOW
from tests.tiny import compiled, fit
from tests.two_replicas import two_replicas

pytestmark = pytest.mark.skipif(not TENSORFLOW, reason="tf.distribute is TensorFlow's")


def trained():
    """Trains a small SAGAN by SGD on a few batches of 8, under the strategy in force."""
    sagan = compiled(augmentation=tuple(AUGMENTATIONS), adaptive_augmentation=True)
    sagan.augmentation_probability.value.assign(0.5)
    fit(sagan, steps=3)
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
