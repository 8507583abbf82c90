import collections
import itertools

import numpy as np
import pytest

from sagan_tf.data.ordering import index_batches


def epochs(size, count, first=0, **options):
    """Indices and coins, one row per epoch."""
    found = index_batches(size, size, start=first, **options).take(count).as_numpy_iterator()
    indices, coins = zip(*found, strict=True)
    return np.stack(indices), np.stack(coins)


@pytest.mark.parametrize("size", [1, 2, 257, 1797, 2**16 + 1])
def test_every_epoch_is_a_permutation(size):
    orders, _ = epochs(size, 2)
    assert orders.dtype == np.int64
    np.testing.assert_array_equal(np.sort(orders), [range(size)] * 2)


def test_all_orders_are_equally_likely():
    counts = collections.Counter(map(tuple, epochs(4, 3000)[0].tolist()))
    assert len(counts) == 24
    chi_squared = sum((count - 125) ** 2 / 125 for count in counts.values())
    assert 9 < chi_squared < 50  # 23 degrees of freedom: 99.7 % lie in between.


def test_epochs_and_neighbors_are_unrelated():
    """Two permutations share one place on average, whatever their length."""
    orders, _ = epochs(1797, 40)
    shared = [np.sum(a == b) for a, b in itertools.combinations(orders, 2)]
    np.testing.assert_allclose(np.mean(shared), 1, atol=0.15)  # 780 pairs: sigma is 0.036.
    assert np.abs(np.corrcoef(orders) - np.eye(40)).max() < 0.12  # Sigma is 0.024.
    for order in orders[:5]:
        for lag in (1, 2, 16, 64):
            assert abs(np.corrcoef(order[lag:], order[:-lag])[0, 1]) < 0.12


@pytest.mark.parametrize(
    ("epoch", "seed"),
    [(1, 0), (256, 0), (2**16, 0), (2**32, 0), (0, 1), (0, 256), (0, 2**16), (0, 2**63 - 1)],
)
def test_no_epoch_and_no_seed_repeats_the_first(epoch, seed):
    (first, first_coins), (other, other_coins) = epochs(1797, 1), epochs(1797, 1, epoch, seed=seed)
    assert np.sum(first == other) < 10
    np.testing.assert_allclose(np.mean(first_coins == other_coins), 0.5, atol=0.06)


def test_coins_are_fair_and_unrelated():
    _, coins = epochs(1797, 50)
    assert coins.dtype == bool
    np.testing.assert_allclose(coins.mean(), 0.5, atol=0.008)  # Sigma is 0.0017.
    np.testing.assert_allclose((coins[1:] == coins[:-1]).mean(), 0.5, atol=0.008)
    for lag in (1, 2, 64):
        np.testing.assert_allclose((coins[:, lag:] == coins[:, :-lag]).mean(), 0.5, atol=0.008)


def test_order_is_frozen():
    """Runs that were begun with an earlier version must go on in the same order."""
    orders, coins = epochs(8, 2, first=3, seed=5)
    assert orders.tolist() == [[3, 1, 7, 5, 2, 4, 0, 6], [1, 2, 6, 4, 0, 7, 3, 5]]
    assert coins.astype(int).tolist() == [[0, 1, 0, 1, 1, 1, 0, 0], [1, 1, 0, 0, 1, 0, 0, 1]]


@pytest.mark.parametrize("batch_size", [4, 50])
@pytest.mark.parametrize("repeat", [True, False])
@pytest.mark.parametrize("shuffle", [True, False])
def test_start_passes_over_batches_and_their_size_changes_no_order(batch_size, repeat, shuffle):
    def listing(start, count, size=batch_size):
        batches = index_batches(23, size, shuffle, repeat, seed=7, start=start)
        found = batches.take(count).as_numpy_iterator()
        return [list(zip(*map(np.ndarray.tolist, batch), strict=True)) for batch in found]

    whole = listing(0, 13)
    assert len(whole) == (13 if repeat else min(13, -(-23 // batch_size)))
    for start in (1, 6, 12):
        assert listing(start, 13 - start) == whole[start:]
    one_by_one = itertools.chain(*listing(0, 13 * batch_size, size=1))
    assert list(itertools.chain(*whole)) == list(one_by_one)
