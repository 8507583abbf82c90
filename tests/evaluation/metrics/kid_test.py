import itertools
import math

import numpy as np
import pytest

from sagan_tf.evaluation import kernel_inception_distance
from tests.evaluation.errors import message


def normal(num_images, dimension, seed, shift=0.0):
    return shift + np.random.default_rng(seed).standard_normal((num_images, dimension))


def by_loops(real, fake):
    """The unbiased squared MMD: all pairs of different images within, all pairs across."""

    def mean(pairs):
        kernels = [
            (math.fsum(a * b for a, b in zip(x, y, strict=True)) / len(x) + 1) ** 3
            for x, y in pairs
        ]
        return math.fsum(kernels) / len(kernels)

    within = mean(itertools.permutations(real, 2)) + mean(itertools.permutations(fake, 2))
    return within - 2 * mean(itertools.product(real, fake))


def distance_of_all(real, fake, **options):
    """On all images at once."""
    mean, std = kernel_inception_distance(real, fake, num_subsets=1, **options)
    assert std == 0
    return mean


TIES = np.random.default_rng(0).integers(-1, 2, (30, 2))


@pytest.mark.parametrize(
    ("real", "fake", "expected"),
    [
        # (x y + 1)^3: within 1 and 27, across 1, 1, 8, 27 with a mean of 37/4.
        ([[0], [1]], [[1], [2]], 1 + 27 - 37 / 2),
        # (x y / 2 + 1)^3: within 1 and 1, across 1, 1, 8, 8.
        ([[1, 1], [1, -1]], [[0, 0], [2, 0]], 1 + 1 - 9),
        # One image over and over: within k(x, x) = 27 and k(y, y) = 1, across k(x, y) = 1.
        (np.full((6, 4), math.sqrt(2)), np.zeros((6, 4)), 27 + 1 - 2),
    ],
)
def test_by_hand(real, fake, expected):
    assert distance_of_all(real, fake) == pytest.approx(expected, rel=1e-13, abs=1e-12)


@pytest.mark.parametrize(
    ("real", "fake"),
    [
        (normal(2, 1, 0), normal(2, 1, 1)),
        (normal(40, 16, 0), 1.5 * normal(40, 16, 1, shift=0.4)),
        (TIES, np.concatenate([TIES[:10], TIES[:10], np.zeros((10, 2))])),
    ],
)
def test_equals_loops_in_either_order(real, fake):
    expected = by_loops(real.tolist(), fake.tolist())
    assert distance_of_all(real, fake) == pytest.approx(expected, rel=1e-10)
    assert distance_of_all(fake, real) == pytest.approx(expected, rel=1e-10)


def test_unequal_numbers_use_subsets_of_the_smaller():
    real, fake = normal(7, 3, 0), normal(5, 3, 1, shift=0.5)
    possible = [
        by_loops(real[list(rows)].tolist(), fake.tolist())
        for rows in itertools.combinations(range(7), 5)
    ]
    found = [distance_of_all(real, fake, seed=seed) for seed in range(60)]
    nearest = np.abs(np.subtract.outer(found, possible)).min(axis=1)
    assert nearest.max() < 1e-10
    assert len(set(np.round(found, 8))) > 15  # of 21; 60 draws miss 1.1 of them
    # On the average over the subsets it is the estimate of all.
    assert np.mean(possible) == pytest.approx(by_loops(real.tolist(), fake.tolist()), rel=1e-10)
    mean, std = kernel_inception_distance(real, fake, num_subsets=2000)
    assert std == pytest.approx(np.std(possible), rel=0.1)
    assert abs(mean - np.mean(possible)) < 4 * np.std(possible) / math.sqrt(2000)


def test_subsets_have_their_size_and_no_doubles():
    # Every pair of different images has a kernel of 1, whatever the subset; doubles would have 8.
    real, fake = np.array([[1.0], [0], [0], [0], [0]]), np.zeros((5, 1))
    found = kernel_inception_distance(real, fake, num_subsets=200, subset_size=4)
    assert found == (pytest.approx(0, abs=1e-14), pytest.approx(0, abs=1e-14))
    # A pair of a kind out of five of each: the images that differ (k = 8) are both in with a
    # probability of 1/10, and both fakes are like the others: 8 - 1 = 7, else 0.
    real = np.array([[1.0], [1], [0], [0], [0]])
    found = [distance_of_all(real, fake, subset_size=2, seed=seed) for seed in range(300)]
    assert {round(value, 12) for value in found} == {0.0, 7.0}
    assert np.mean(np.array(found) > 1) == pytest.approx(0.1, abs=0.06)  # Sigma is 0.017.


def test_mean_and_deviation_are_over_the_subsets_of_the_seed():
    real, fake = normal(50, 3, 0), normal(40, 3, 1)
    options = {"num_subsets": 2, "subset_size": 20}
    mean, std = kernel_inception_distance(real, fake, **options)
    second = 2 * mean - distance_of_all(real, fake, subset_size=20)
    # Of two numbers the deviation of the population is half their difference.
    assert std == pytest.approx(abs(mean - second), rel=1e-10)
    assert std > 0.01
    assert kernel_inception_distance(real, fake, **options, seed=0) == (mean, std)
    assert kernel_inception_distance(real, fake, **options, seed=1) != (mean, std)


def test_real_and_fake_are_drawn_apart():
    # With the same rows of both, a set and itself would be at exactly the same distance always.
    features = normal(40, 3, 0)
    _, std = kernel_inception_distance(features, features, num_subsets=50, subset_size=10)
    same_rows = [
        by_loops(features[rows], features[rows])
        for rows in (np.random.default_rng(seed).permutation(40)[:10] for seed in range(50))
    ]
    assert std > 1.5 * np.std(same_rows)


def test_bad_arguments_are_refused():
    real = normal(5, 3, 0)
    assert message(kernel_inception_distance, real, real, num_subsets=0) == (
        "`num_subsets` must be at least 1 and `subset_size` at least 2. Received: num_subsets=0, "
        "subset_size=1000"
    )
    assert "subset_size=1" in message(kernel_inception_distance, real, real, subset_size=1)
    assert "2 images of each kind" in message(kernel_inception_distance, real[:1], real)
