import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from sagan_tf.evaluation import precision_recall_density_coverage
from tests.evaluation.errors import message

NAMES = ("precision", "recall", "density", "coverage")


def score(real, fake, neighbors=5):
    numbers = precision_recall_density_coverage(real, fake, neighbors)
    assert tuple(numbers) == NAMES
    assert all(type(value) is float for value in numbers.values())
    return numbers


def by_sklearn(real, fake, neighbors):
    """From nearest neighbors alone; for integers the squared distances are exact."""

    def fitted(points):
        return NearestNeighbors(algorithm="brute").fit(points)

    def radii(points):
        return fitted(points).kneighbors(n_neighbors=neighbors)[0][:, -1]  # leaves itself out

    real_radii, fake_radii = radii(real), radii(fake)
    by_fake, real_order = fitted(real).kneighbors(fake, len(real))
    by_real, fake_order = fitted(fake).kneighbors(real, len(fake))
    inside = by_fake < real_radii[real_order]
    return {
        "precision": inside.any(axis=1).mean(),
        "recall": (by_real < fake_radii[fake_order]).any(axis=1).mean(),
        "density": inside.sum(axis=1).mean() / neighbors,
        "coverage": (by_real[:, 0] < real_radii).mean(),
    }


def integers(num_images, dimension, seed, limit=4):
    random = np.random.default_rng(seed)
    return random.integers(-limit, limit + 1, (num_images, dimension))


def assert_equal(numbers, expected):
    assert numbers == pytest.approx(expected, rel=1e-12, abs=0)


SIX_FOLD = np.repeat(integers(10, 3, 0), 6, axis=0)
POINTS = np.random.default_rng(0).standard_normal((300, 8))


@pytest.mark.parametrize(
    ("real", "fake", "neighbors", "expected"),
    [
        # Real balls (-1, 1), (0, 2), (1, 5), (3, 11); fake balls (-.5, 1.5), (.5, 2.5), (19, 21),
        # (20, 22), (21, 25). Of the fakes 0.5 is in two real balls, 1.5 in two, the others in none.
        # Three real balls have a fake; of the real images 0 and 1 are in a fake ball.
        ([0, 1, 3, 7], [0.5, 1.5, 20, 21, 23], 1, (2 / 5, 2 / 4, 4 / 5, 3 / 4)),
        # Real balls (-3, 3), (-1, 3), (0, 6), (1, 13); fake balls (-2, 4), (1, 4), (1, 7).
        # Fake 1 is in 0's, 1's and 3's (0, 6); 2.5 in all four; 4 in 3's and 7's: 3 + 4 + 2 = 9.
        # Real 0, 1 and 3 are in (-2, 4); 7 lies on the border of (1, 7), which is outside.
        ([0, 1, 3, 7], [1, 2.5, 4], 2, (1, 3 / 4, 9 / (2 * 3), 1)),
        # Real balls (-1, 1) and (0, 2), with fakes on their borders, and one just within. Both real
        # images are in the ball of the first fake, (-4, 2).
        ([0, 1], [-1, 2, 3], 1, (0, 1, 0, 0)),
        ([0, 1], [-1, 2 - 1e-9, 3], 1, (1 / 3, 1, 1 / 3, 1 / 2)),
        # Five copies and the image itself: the fifth neighbor is at no distance, the sixth another.
        (SIX_FOLD, SIX_FOLD[::2], 5, (0, 1, 0, 0)),
        # Each ball has its k nearest but for the border, and itself: k of them without ties.
        (POINTS, POINTS, 5, (1, 1, 1, 1)),
        (POINTS, POINTS + 100, 5, (0, 0, 0, 0)),
    ],
)
def test_by_hand(real, fake, neighbors, expected):
    real, fake = (np.reshape(each, (len(each), -1)) for each in (real, fake))
    assert_equal(score(real, fake, neighbors), dict(zip(NAMES, expected, strict=True)))


@pytest.mark.parametrize("neighbors", [1, 5, 11])
@pytest.mark.parametrize("counts", [(40, 40), (12, 45), (45, 12)])
@pytest.mark.parametrize("dimension, limit", [(1, 20), (5, 2)])
def test_equals_sklearn_with_ties_and_doubles(counts, neighbors, dimension, limit):
    real = integers(counts[0], dimension, 0, limit)
    fake = integers(counts[1], dimension, 1, limit) + 1
    assert_equal(score(real, fake, neighbors), by_sklearn(real, fake, neighbors))


def test_equals_sklearn_over_several_parts_in_any_order():
    real, fake = integers(1800, 4, 0), integers(5000, 4, 1) + 2
    numbers = score(real, fake)
    assert_equal(numbers, by_sklearn(real, fake, 5))
    assert all(0 < value < 1 for value in numbers.values())
    random = np.random.default_rng(2)
    assert score(random.permutation(real), random.permutation(fake)) == numbers
    assert precision_recall_density_coverage(real, fake) == numbers


def test_bad_arguments_are_refused():
    points = integers(9, 3, 0)
    assert message(score, points, points, 0) == "`neighbors` must be at least 1. Received: 0"
    assert "At least 6 images of each kind" in message(score, points[:5], points)
    assert "Received: 9 real, 5 fake" in message(score, points, points[:5])
    assert_equal(score(points[:6], points[:6]), by_sklearn(points[:6], points[:6], 5))
