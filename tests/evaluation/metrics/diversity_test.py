import numpy as np
import pytest
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.neighbors import NearestNeighbors

from sagan_tf.evaluation import nearest_neighbor_ratio, nearest_neighbors, pairwise_diversity
from tests.evaluation.errors import message


def normal(num_images, dimension, seed):
    return np.random.default_rng(seed).standard_normal((num_images, dimension))


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ([[0, 0], [3, 0], [0, 4]], 4),  # The sides of a triangle: 3, 4 and 5.
        ([[0, 0], [0, 0], [3, 4], [3, 4]], 20 / 6),  # Of six pairs two are doubles.
        (np.repeat(normal(1, 8, 0), 50, axis=0), 0),
    ],
)
def test_diversity_by_hand(features, expected):
    assert pairwise_diversity(features) == pytest.approx(expected, rel=1e-15)
    scaled = pairwise_diversity(3 * np.asarray(features) + 7)
    assert scaled == pytest.approx(3 * expected, rel=1e-12)


@pytest.mark.parametrize("num_images", [2, 2000])
def test_diversity_is_of_all_images_up_to_two_thousand(num_images):
    features = normal(num_images, 16, 0).astype("float32")
    features[-1] = 1e9  # At this distance from all others, so that its absence would be noticed.
    doubles = features.astype("float64")
    distances = euclidean_distances(doubles)[np.triu_indices(num_images, 1)]
    for seed in (0, 1):
        assert pairwise_diversity(features, seed) == pytest.approx(distances.mean(), rel=1e-9)
    assert pairwise_diversity(features) == pairwise_diversity(doubles)


def test_of_more_images_some_are_taken_and_none_twice():
    features = normal(6000, 4, 0)
    found = [pairwise_diversity(features, seed) for seed in range(3)]
    assert len(set(found)) == 3 and pairwise_diversity(features) == found[0]
    # Of 2001 numbers 2000 are left. The sum over pairs of |i - j| is (n^3 - n) / 6 without the
    # missing one: its distances to all others.
    numbers = np.arange(2001)
    whole = (2001**3 - 2001) / 6
    possible = [(whole - np.abs(numbers - each).sum()) / (2000 * 1999 / 2) for each in numbers]
    assert np.abs(np.array(possible) - pairwise_diversity(numbers[:, None])).min() < 1e-9


@pytest.mark.parametrize(
    ("num_images", "num_reference", "neighbors"), [(30, 40, 1), (30, 40, 40), (6000, 1500, 5)]
)
def test_neighbors_equal_sklearn(num_images, num_reference, neighbors):
    features, reference = normal(num_images, 16, 0), normal(num_reference, 16, 1)
    features[-1] = reference[7]  # An image finds itself.
    distances, indices = nearest_neighbors(features, reference, neighbors)
    search = NearestNeighbors(algorithm="brute").fit(reference)
    expected_distances, expected_indices = search.kneighbors(features, neighbors)
    assert distances.dtype == np.float64 and indices.dtype.kind == "i"
    np.testing.assert_allclose(distances, expected_distances, rtol=1e-10, atol=1e-7)
    np.testing.assert_array_equal(indices, expected_indices)
    assert (distances[-1, 0], indices[-1, 0]) == (0, 7)
    if neighbors == 5:
        np.testing.assert_array_equal(nearest_neighbors(features, reference)[0], distances)


def test_ties_are_neighbors_at_the_same_distance():
    features, reference = np.random.default_rng(0).integers(-2, 3, (2, 60, 2))
    distances, indices = nearest_neighbors(features, reference, 20)
    every = np.sqrt(((features[:, None] - reference) ** 2).sum(axis=-1))
    np.testing.assert_array_equal(distances, np.sort(every, axis=1)[:, :20])
    np.testing.assert_array_equal(np.take_along_axis(every, indices, axis=1), distances)
    assert all(len(set(row)) == 20 for row in indices.tolist())


REAL = normal(100, 16, 0)


@pytest.mark.parametrize(
    ("real", "fake", "expected"),
    [
        # Real images are 1, 1, 2 and 4 from the nearest other: 1.5. Fakes are 3, 1 and 9 off: 3.
        ([[0], [1], [3], [7]], [[-3], [8], [16]], 3 / 1.5),
        # But for doubles the nearest others are 3, 3, 2, 2 and 7 off: 3. The fake is 1 off.
        ([[0], [0], [3], [5], [12]], [[4]], 1 / 3),
        (REAL, REAL[::-2], 0),
        (REAL, np.repeat(REAL[:2], 30, axis=0), 0),
    ],
)
def test_ratio_by_hand(real, fake, expected):
    ratio = nearest_neighbor_ratio(real, fake)
    assert ratio == pytest.approx(expected, rel=1e-14, abs=0)
    # It has no unit, and doubles of all images change nothing.
    real, fake = np.asarray(real, float), np.asarray(fake, float)
    assert nearest_neighbor_ratio(np.repeat(real, 7, axis=0), np.tile(fake, (2, 1))) == ratio
    assert nearest_neighbor_ratio(1e6 * real - 7, 1e6 * fake - 7) == pytest.approx(ratio, rel=1e-9)


def test_bad_arguments_are_refused():
    one = np.zeros((1, 3))
    assert message(pairwise_diversity, one) == "Diversity needs at least 2 images. Received: 1"
    assert message(pairwise_diversity, np.full((4, 3), np.nan)).startswith("`features` must ")
    for neighbors in (0, 10):
        assert message(nearest_neighbors, normal(3, 2, 0), normal(9, 2, 1), neighbors) == (
            f"`neighbors` must be from 1 to 9. Received: {neighbors}"
        )
    assert "Received: 0 real, 3 fake" in message(nearest_neighbors, np.zeros((3, 3)), one[:0])
    assert message(nearest_neighbor_ratio, np.repeat(one, 6, axis=0), one) == (
        "The 6 real images all have the same features"
    )
    assert "Received: 1 real, 0 fake" in message(nearest_neighbor_ratio, one, one[:0])
