import itertools
import tracemalloc

import numpy as np
import pytest

from sagan_tf.evaluation import Moments
from tests.evaluation.errors import message

BLOCK = 1024  # rows that are taken up at once, in up to as many dimensions
DIMENSION = 5


def normal(num_images, dimension=DIMENSION, seed=0):
    """Correlated features whose deviations differ."""
    random = np.random.default_rng(seed)
    mixing = random.standard_normal((dimension, dimension)) / np.sqrt(dimension)
    return random.standard_normal((num_images, dimension)) @ mixing + random.uniform(-3, 3)


def assert_identical(moments, others):
    assert moments.count == others.count
    for ours, theirs in zip(moments.mean_and_root(), others.mean_and_root(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def relative_error(value, expected):
    return np.abs(value - expected).max() / np.abs(expected).max()


@pytest.mark.parametrize(
    ("features", "mean", "covariance"),
    [
        # Deviations (-2, -1), (0, 2), (2, -1): squares 8, 6 and product 0, over 2.
        ([[0, 0], [2, 3], [4, 0]], [2, 1], [[4, 0], [0, 3]]),
        # Deviations (-1, -2), (1, 2) about (1, 3): squares 2, 8 and product 4, over 1.
        ([[0, 1], [2, 5]], [1, 3], [[2, 4], [4, 8]]),
        ([[0.1, -7.3, 1e3]] * 100, [0.1, -7.3, 1e3], np.zeros((3, 3))),
    ],
)
def test_by_hand(features, mean, covariance):
    moments = Moments.of(features)
    assert moments.count == len(features)
    np.testing.assert_allclose(moments.mean_and_root()[0], mean, rtol=1e-12)
    np.testing.assert_allclose(moments.covariance(), covariance, rtol=1e-15, atol=1e-15)
    assert Moments.of(moments) is moments


@pytest.mark.parametrize(
    ("num_images", "dimension"),
    [(2, 5), (BLOCK - 1, 5), (BLOCK + 1, 5), (3333, 5), (1200, 1100)],
)
@pytest.mark.parametrize("mean", [0.0, 1e6])
def test_equals_two_passes_of_extended_precision(num_images, dimension, mean):
    features = mean + normal(num_images, dimension)
    moments = Moments.of(features)
    _, root = moments.mean_and_root()
    assert root.shape[1] == dimension and len(root) <= max(dimension, num_images + 1)
    np.testing.assert_array_equal(moments.covariance(), root.T @ root)
    exact = features.astype("longdouble")
    centered = (exact - exact.mean(axis=0)) / np.sqrt(np.longdouble(num_images - 1))
    if dimension > 100:  # Without BLAS the product takes minutes.
        centered = centered.astype("float64")
    expected = centered.T @ centered
    assert relative_error(moments.mean_and_root()[0], exact.mean(axis=0)) < 1e-12
    assert relative_error(moments.covariance(), expected) < 1e-12


@pytest.mark.parametrize("sizes", [(1,), (7,), (BLOCK,), (4000,), (0, 3, 1500, 1, 200)])
@pytest.mark.parametrize("num_images", [500, 2 * BLOCK, 3333])
def test_batches_order_in_memory_and_precision_do_not_matter(num_images, sizes):
    features = normal(num_images).astype("float32")
    moments, start, sizes = Moments(DIMENSION), 0, itertools.cycle(sizes)
    while start < num_images:
        batch = np.array(features[start : (start := start + next(sizes))], order="F")
        moments.update(batch)
        batch[:] = 7  # A batch may be used again.
    assert_identical(moments, Moments.of(features.astype("float64")))


def test_reading_does_not_disturb():
    features = normal(2500)
    moments = Moments(DIMENSION)
    for start in range(0, len(features), 500):
        moments.update(features[start : start + 500])
        for each in moments.mean_and_root():
            each[:] = 7  # What was read is the reader's.
        assert_identical(moments, Moments.of(features[: start + 500]))


@pytest.mark.parametrize("batch_size", [1, 100, 5000])
def test_memory_is_constant(batch_size):
    dimension = 64
    batch, moments, held = normal(batch_size, dimension), Moments(dimension), []
    tracemalloc.start()
    try:
        for _ in range(2):
            for _ in range(6 * BLOCK // batch_size + 1):
                moments.update(batch)
            moments.covariance()
            held.append(tracemalloc.get_traced_memory()[0] / 8)
    finally:
        tracemalloc.stop()
    assert moments.count > 10 * BLOCK
    # A block at most, the factor, and up to 40 numbers' worth of bookkeeping for each waiting row.
    assert max(held) < (BLOCK + dimension) * dimension + 40 * BLOCK
    assert max(held) > dimension**2 / 2  # the factor at least: the count is real


@pytest.mark.parametrize("num_images", [0, 1])
def test_a_covariance_needs_two_images(num_images):
    moments = Moments.of(np.ones((num_images, DIMENSION)))
    for read in (moments.mean_and_root, moments.covariance):
        assert message(read) == f"A covariance needs at least 2 images. Received: {num_images}"


@pytest.mark.parametrize("features", [np.ones((3, 6)), np.full((3, DIMENSION), np.nan)])
def test_bad_features_are_refused_and_leave_no_trace(features):
    moments = Moments.of(normal(20))
    assert "`features` must " in message(moments.update, features)
    assert_identical(moments, Moments.of(normal(20)))
