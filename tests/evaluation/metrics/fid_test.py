import itertools
import math

import numpy as np
import pytest
import scipy.linalg

from sagan_tf.evaluation import Moments, frechet_distance, intra_class_frechet_distance
from tests.evaluation.errors import message


def features_of(mean, covariance):
    """Features with exactly these moments: a point to both sides of the mean on each axis."""
    factor = np.linalg.cholesky(covariance).T
    factor = factor * math.sqrt((2 * len(factor) - 1) / 2)
    return np.asarray(mean) + np.concatenate([factor, -factor])


def normal(num_images, dimension, seed, spectrum=1.0):
    """Gaussian features, rotated, with a mean of their own; `spectrum` are the deviations."""
    random = np.random.default_rng(seed)
    rotation = np.linalg.qr(random.standard_normal((dimension, dimension)))[0]
    scaled = random.standard_normal((num_images, dimension)) * spectrum
    return scaled @ rotation + 0.03 * random.standard_normal(dimension)


def pair(num_real, num_fake, dimension, smallest=1.0):
    spectrum = np.geomspace(1, smallest, dimension)
    real, fake = normal(num_real, dimension, 0, spectrum), normal(num_fake, dimension, 1, spectrum)
    return real, 1.3 * fake


def trace(features):
    return features.var(axis=0, ddof=1).sum()


def by_formula(real, fake, trace_of_root):
    difference = real.mean(axis=0) - fake.mean(axis=0)
    return difference @ difference + trace(real) + trace(fake) - 2 * trace_of_root


def by_matrix_root(real, fake):
    """The formula as it is written, with scipy's root of the product of the covariances."""
    root = scipy.linalg.sqrtm(np.cov(real, rowvar=False) @ np.cov(fake, rowvar=False))
    return by_formula(real, fake, np.trace(root.real))


def by_nuclear_norm(real, fake):
    """The same from the features: tr (X'X Y'Y)^(1/2) is the nuclear norm of X Y'."""
    roots = [(each - each.mean(axis=0)) / math.sqrt(len(each) - 1) for each in (real, fake)]
    return by_formula(real, fake, np.linalg.norm(roots[0] @ roots[1].T, "nuc"))


# Two images of a kind in 2,048 dimensions, of variance 2 along one direction each: the first axis,
# and the diagonal of the first two.
TWO_IMAGES = np.zeros((2, 2, 2048))
TWO_IMAGES[0, :, 0] = -1, 1
TWO_IMAGES[1, :, :2] = np.array([[-1], [1]]) / math.sqrt(2)


@pytest.mark.parametrize(
    ("real", "fake", "expected"),
    [
        # Means 1 and 10, variances 2 and 8: 9^2 + (sqrt(2) - sqrt(8))^2.
        ([[0], [2]], [[8], [12]], 83),
        # (1 - 3)^2 + (2 - 4)^2 + 3^2 + 4^2.
        (features_of([0, 0], np.diag([1, 4])), features_of([3, 4], np.diag([9, 16])), 33),
        # The covariances do not commute: the product has trace 10 and determinant 12, and the
        # squared trace of a 2x2 root is the trace plus twice the root of the determinant.
        (
            features_of([5, -5], [[2, 1], [1, 2]]),
            features_of([5, -5], [[1, 0], [0, 4]]),
            9 - 2 * math.sqrt(10 + 2 * math.sqrt(12)),
        ),
        # |X Y'| = 2 cos(45 degrees): 2 + 2 - 2 sqrt(2).
        (*TWO_IMAGES, 4 - 2 * math.sqrt(2)),
    ],
)
def test_by_hand(real, fake, expected):
    assert frechet_distance(real, fake) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    "dimension, num_real, num_fake, smallest",
    [
        (64, 5000, 1500, 1),
        (512, 1300, 1100, 1e-3),
        pytest.param(2048, 5000, 4500, 1, marks=pytest.mark.soak),
    ],
)
def test_full_rank_equals_the_matrix_root(dimension, num_real, num_fake, smallest):
    real, fake = pair(num_real, num_fake, dimension, smallest)
    assert frechet_distance(real, fake) == pytest.approx(by_matrix_root(real, fake), rel=1e-8)


@pytest.mark.parametrize(
    "dimension, num_real, num_fake, smallest",
    [
        # Covariances have the square of this condition: the matrix root is off by 2e-8 at 1e-6, by
        # 5e-8 at 1e-12 (measured in 512 dimensions) and no judge any more.
        (8, 24, 16, 1e-12),
        (300, 900, 600, 1e-6),
        (64, 63, 65, 0.01),
        (64, 500, 2, 0.01),
        (512, 30, 200, 0.01),
        pytest.param(2048, 2500, 500, 0.01, marks=pytest.mark.soak),
    ],
)
def test_ill_conditioned_or_rank_deficient_equals_the_nuclear_norm(
    dimension, num_real, num_fake, smallest
):
    real, fake = pair(num_real, num_fake, dimension, smallest)
    expected = by_nuclear_norm(real, fake)
    rel = 1e-12 if min(num_real, num_fake) > dimension else 1e-11
    assert frechet_distance(real, fake) == pytest.approx(expected, rel=rel)


RANDOM = np.random.default_rng(0)
DEGENERATE = [
    np.zeros((30, 8)),
    np.repeat(RANDOM.standard_normal((1, 8)), 30, axis=0),
    np.repeat(RANDOM.standard_normal((3, 8)), 10, axis=0),
    RANDOM.standard_normal((30, 1)) * np.ones(8),
    RANDOM.standard_normal((30, 8)),
]


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_degenerate_features_have_exact_distances(scale):
    for real, fake in itertools.product(DEGENERATE, repeat=2):
        real, fake = scale * real, scale * fake
        distance = frechet_distance(real, fake)
        assert math.isfinite(distance) and distance >= 0
        rounding = 1e-14 * scale**2 * 8
        assert distance == pytest.approx(by_nuclear_norm(real, fake), rel=1e-12, abs=rounding)


@pytest.mark.parametrize(
    ("num_images", "dimension", "smallest"), [(2, 3, 1), (3000, 64, 1e-8), (300, 512, 1)]
)
def test_no_distance_to_itself(num_images, dimension, smallest):
    features = normal(num_images, dimension, 0, np.geomspace(1, smallest, dimension))
    limit = 1e-13 * trace(features)
    assert 0 <= frechet_distance(features, features) <= limit
    assert frechet_distance(features, features[::-1]) <= limit
    # The limit is no licence: a shift of a millionth of the deviation is seen.
    shifted = features + 1e-6 * math.sqrt(trace(features))
    assert frechet_distance(features, shifted) > 2 * limit


@pytest.mark.parametrize("num_fake", [20, 300])
def test_scale_order_rotation_shift_and_precision(num_fake):
    real, fake = (each.astype("float32").astype("float64") for each in pair(200, num_fake, 64))
    distance = frechet_distance(real, fake)
    assert distance > 1
    assert frechet_distance(fake, real) == pytest.approx(distance, rel=1e-13)
    assert frechet_distance(1e6 * real, 1e6 * fake) == pytest.approx(1e12 * distance, rel=1e-12)
    rotation = np.linalg.qr(np.random.default_rng(5).standard_normal((64, 64)))[0]
    assert frechet_distance(real @ rotation, fake @ rotation) == pytest.approx(distance, rel=1e-12)
    assert frechet_distance(real @ rotation, fake) != pytest.approx(distance, rel=1e-3)
    shift = rotation[0]
    expected = distance + 1 + 2 * shift @ (fake.mean(axis=0) - real.mean(axis=0))
    assert frechet_distance(real, fake + shift) == pytest.approx(expected, rel=1e-12)
    assert frechet_distance(real.astype("float32"), fake.astype("float32")) == distance
    assert frechet_distance(real, Moments.of(fake)) == distance
    assert frechet_distance(Moments.of(real), Moments.of(fake)) == distance


@pytest.mark.parametrize(
    "real, fake, expected",
    [
        (np.ones((5, 3)), np.ones((5, 4)), "Received: 3 and 4 dimensions"),
        (np.ones((5, 3)), Moments(4), "Received: 3 and 4 dimensions"),
        (np.ones((1, 3)), np.ones((5, 3)), "at least 2 images. Received: 1"),
        (np.ones((5, 3)), np.full((5, 3), np.nan), "in 5 of 5 rows"),
    ],
)
def test_bad_features_are_refused(real, fake, expected):
    assert expected in message(frechet_distance, real, fake)


def test_classes_by_hand():
    # A shift of 3 and one of 1: (9 + 1) / 2, each class counting the same, whatever its images.
    real = {"cat": np.array([[0.0], [2]]), "dog": [[0], [2], [0], [2]]}
    fake = {"dog": [[1], [3], [1], [3]], "cat": Moments.of([[3], [5]])}
    mean, distances = intra_class_frechet_distance(real, fake)
    assert distances == {"cat": pytest.approx(9), "dog": pytest.approx(1)}
    assert mean == pytest.approx(5) and type(mean) is float


@pytest.mark.parametrize("few", [{}, {4: np.zeros((0, 3))}, {4: np.ones((1, 3))}])
def test_a_class_with_too_few_images_is_named(few):
    whole = {label: normal(9, 3, label) for label in (1, 4)}
    part = {1: whole[1], **few}
    count = len(few.get(4, ()))
    expected = "Every class needs at least 2 real and 2 fake images. Received: "
    for pair, counts in ((whole, part), (9, count)), ((part, whole), (count, 9)):
        found = message(intra_class_frechet_distance, *pair)
        assert found == f"{expected}{counts[0]} real and {counts[1]} fake of class 4"
    assert message(intra_class_frechet_distance, {}, {}) == "There are no classes"
