import math

import numpy as np
import pytest

from sagan_tf.evaluation import inception_score
from tests.evaluation.errors import message


def random_probabilities(num_images, num_classes=10):
    return np.random.default_rng(0).dirichlet(np.full(num_classes, 0.3), num_images)


def by_loops(probabilities, splits):
    """The definition, image by image, with a sum for every logarithm."""
    num_images = len(probabilities)
    scores = []
    for split in range(splits):
        part = probabilities[split * num_images // splits : (split + 1) * num_images // splits]
        marginal = [math.fsum(image[y] for image in part) / len(part) for y in range(len(part[0]))]
        divergences = [
            math.fsum(p * math.log(p / q) for p, q in zip(image, marginal, strict=True) if p > 0)
            for image in part
        ]
        scores.append(math.exp(math.fsum(divergences) / len(part)))
    mean = math.fsum(scores) / splits
    return mean, math.sqrt(math.fsum((score - mean) ** 2 for score in scores) / splits)


@pytest.mark.parametrize(
    ("probabilities", "splits", "expected"),
    [
        # The marginal is (1/2, 1/4, 1/4). One image is sure of the first class: KL = ln 2. The
        # other is between the second and third: KL = ln 2.
        ([[1, 0, 0], [0, 0.5, 0.5]], 1, (2, 0)),
        # Sure and different: 2. Alike: 1. The deviation is that of the population.
        ([[1, 0], [0, 1], [1, 0], [1, 0]], 2, (1.5, 0.5)),
        # Parts are in order, so that each has both classes.
        ([[1, 0], [0, 1], [1, 0], [0, 1]], 2, (2, 0)),
        (np.tile(np.eye(1000), (10, 1)), 10, (1000, 0)),
        (random_probabilities(5), 5, (1, 0)),
        # Sums may be off by rounding.
        (np.full((4, 2), 0.9991 / 2), 1, (1, 0)),
    ],
)
def test_by_hand(probabilities, splits, expected):
    found = inception_score(probabilities, splits)
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-9)
    assert all(type(value) is float for value in found)


@pytest.mark.parametrize("splits", [1, 7, 10, 50])
@pytest.mark.parametrize("num_images", [53, 500])
@pytest.mark.parametrize("tiny", [None, 0.0, 5e-324])
def test_equals_loops(num_images, splits, tiny):
    probabilities = random_probabilities(num_images).astype("float32").astype("float64")
    if tiny is not None:  # Vanishing probabilities do not count.
        probabilities[::2, 3:] = probabilities[:, 5] = tiny
        probabilities /= probabilities.sum(axis=1, keepdims=True)
    expected = by_loops(probabilities.tolist(), splits)
    assert inception_score(probabilities, splits) == pytest.approx(expected, rel=1e-10, abs=1e-10)
    if splits == 10:
        assert inception_score(probabilities) == inception_score(probabilities, 10)
        assert expected[0] > 1.1


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ([1.2, -0.2], "a least value of -0.2, sums from 1 to 1"),
        ([0.5, 0.498], "a least value of 0.498, sums from 0.998 to 1"),
        ([0.5, 0.502], "a least value of 0.5, sums from 1 to 1.002"),
        ([np.nan, 1.0], "NaN or infinity in 1 of 4 rows, the first at index 2"),
    ],
)
def test_what_is_not_a_probability_is_refused(row, expected):
    probabilities = np.full((4, 2), 0.5)
    probabilities[2] = row
    assert expected in message(inception_score, probabilities, 1)


@pytest.mark.parametrize("splits", [0, 6])
def test_splits_are_checked(splits):
    assert message(inception_score, np.full((5, 2), 0.5), splits) == (
        f"`splits` must be from 1 to the number of images. Received: splits={splits}, num_images=5"
    )
