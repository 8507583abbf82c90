"""Random integers without TensorFlow, against TensorFlow's own."""

import keras
import numpy as np
import pytest

from sagan_tf.philox import fold_in, random_bits

if keras.backend.backend() != "tensorflow":
    pytest.skip("TensorFlow says what is right", allow_module_level=True)

import tensorflow as tf

SEEDS = [(0, 0), (3, 1), (-5, 7), (2**31 - 1, -1), (-(2**31), 2**31 - 1)]
LONG_SEEDS = [(123456789012345, -4), (2**63 - 1, ~5)]


def drawn(seed, count, dtype):
    seed = tf.constant(seed, dtype)
    return tf.random.stateless_uniform((count,), seed, None, None, "int32", "philox").numpy()


@pytest.mark.parametrize("count", [1, 4, 5, 1003])
@pytest.mark.parametrize("seed", [*SEEDS, *LONG_SEEDS])
def test_bits(seed, count):
    expected = drawn(seed, count, "int64")
    np.testing.assert_array_equal(random_bits(seed, count).astype("int32"), expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_seeds_that_arrays_hold(seed):
    folded = tf.random.fold_in(tf.constant(seed, "int32"), -3, "philox")
    found = fold_in(tuple(np.int32(part) for part in seed), np.int32(-3))
    np.testing.assert_array_equal(found, folded)
    np.testing.assert_array_equal(random_bits(found, 9).astype("int32"), drawn(folded, 9, "int32"))


def test_under_a_compiler_of_jax():
    jax = pytest.importorskip("jax")

    @jax.jit
    def bits(first, second, data):
        return random_bits(fold_in((first, second), data), 11)

    for seed in SEEDS:
        expected = random_bits(fold_in(seed, -2), 11)
        found = bits(*map(np.int32, seed), np.int32(-2))
        np.testing.assert_array_equal(found, expected)
