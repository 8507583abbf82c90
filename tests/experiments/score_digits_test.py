import numpy as np
import pytest

from experiments.score_digits import halves, real_digits, reduced, score
from sagan_tf import SAGAN


@pytest.fixture(scope="module")
def digits():
    return real_digits()


def test_reduction_is_the_mean_of_two_by_two():
    images = np.full((1, 16, 16, 1), -1.0)
    images[0, :2, 2:4, 0] = [[1.0, 1.0], [-1.0, -1.0]]
    expected = np.zeros((1, 64))
    expected[0, 1] = 8.0
    np.testing.assert_allclose(reduced(images), expected)


def test_halves_of_the_real_digits_are_like_each_other(digits):
    real, labels = digits
    first, second = halves(len(real))
    assert set(first) | set(second) == set(range(1797))
    figures = score(real, labels, real[second], real_subset=first)
    assert figures["recognised"] > 0.98
    assert min(figures[name] for name in ("precision", "recall", "coverage")) > 0.94


def test_copies_of_one_digit_per_class_are_recognised_but_not_varied(digits):
    real, labels = digits
    examples = real[[np.flatnonzero(labels == digit)[0] for digit in range(10)]]
    figures = score(real, labels, examples[labels])
    assert figures["recognised"] > 0.9
    assert figures["recall"] < 0.01
    assert figures["coverage"] < 0.2


def test_noise_is_neither(digits):
    real, labels = digits
    noise = np.random.default_rng(0).uniform(0, 16, real.shape)
    figures = score(real, labels, noise)
    assert figures["recognised"] < 0.2
    assert figures["precision"] == figures["coverage"] == 0


def test_the_shipped_digits_are_what_was_asked_for_and_varied(digits):
    real, labels = digits
    fake = SAGAN.from_preset("sagan_digits_16").generate(labels, seed=0)
    figures = score(real, labels, reduced(fake))
    assert figures["recognised"] >= 0.985
    assert figures["coverage"] >= 0.85
    assert figures["recall"] >= 0.5
