import collections
import itertools

import numpy as np
import pytest
import tensorflow as tf

from sagan_tf.data.ordering import coins, shuffled


def permutations(size, epochs, seed=0):
    """One row per epoch."""
    positions = tf.tile(tf.range(size, dtype=tf.int64), [len(epochs)])
    epochs = tf.repeat(tf.constant(epochs, tf.int64), size)
    return shuffled(positions, epochs, seed, size).numpy().reshape(-1, size)


@pytest.mark.parametrize("size", [1, 2, 3, 255, 256, 257, 1797, 65_537])
def test_every_epoch_is_a_permutation(size):
    orders = permutations(size, [0, 1])
    assert orders.dtype == np.int64
    np.testing.assert_array_equal(np.sort(orders), [range(size)] * 2)


def test_all_orders_are_equally_likely():
    counts = collections.Counter(map(tuple, permutations(4, range(6000)).tolist()))
    assert len(counts) == 24
    chi_squared = sum((count - 250) ** 2 / 250 for count in counts.values())
    assert 9 < chi_squared < 50  # 23 degrees of freedom: 99.8 % lie in between.


def test_epochs_are_unrelated():
    """Two permutations share one place on average, whatever their length."""
    orders = permutations(1797, range(40))
    shared = [np.sum(a == b) for a, b in itertools.combinations(orders, 2)]
    np.testing.assert_allclose(np.mean(shared), 1, atol=0.15)  # 780 pairs: sigma is 0.036.
    assert np.abs(np.corrcoef(orders) - np.eye(40)).max() < 0.12  # Sigma is 0.024.


def test_neighbours_are_unrelated():
    for order in permutations(1797, range(5)):
        for lag in (1, 2, 16, 64):
            assert abs(np.corrcoef(order[lag:], order[:-lag])[0, 1]) < 0.12


@pytest.mark.parametrize("epoch", [256, 2**16, 10**9, 2**32])
def test_no_epoch_repeats_the_first(epoch):
    first, other = permutations(1797, [0, epoch])
    assert np.sum(first == other) < 10


@pytest.mark.parametrize("seed", [1, 256, 2**16, 2**31, 2**32 - 1])
def test_no_seed_repeats_the_first(seed):
    assert np.sum(permutations(1797, [0]) == permutations(1797, [0], seed)) < 10


def test_order_is_frozen():
    """Runs that were begun with an earlier version must go on in the same order."""
    assert permutations(8, [0, 3], seed=5).tolist() == ORDER
    assert coins(tf.range(16, dtype=tf.int64), 5).numpy().astype(int).tolist() == COINS


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_coins_are_fair_and_unrelated(seed):
    indices = tf.range(100_000, dtype=tf.int64)
    heads = coins(indices, seed).numpy()
    assert heads.dtype == bool
    np.testing.assert_allclose(heads.mean(), 0.5, atol=0.008)  # Sigma is 0.0016.
    np.testing.assert_allclose((heads == coins(indices, 7).numpy()).mean(), 0.5, atol=0.008)
    for lag in (1, 2, 64, 1797):
        np.testing.assert_allclose((heads[lag:] == heads[:-lag]).mean(), 0.5, atol=0.008)
