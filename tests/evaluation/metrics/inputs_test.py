import numpy as np
import pytest
from sklearn.metrics.pairwise import euclidean_distances

from sagan_tf.evaluation.metrics.inputs import check_features, check_pair, distance_rows
from tests.evaluation.errors import message


@pytest.mark.parametrize("dtype", ["float16", "float64", "uint8"])
def test_features_become_doubles_in_the_order_of_rows(dtype):
    features = np.arange(12, dtype=dtype).reshape(3, 4).T
    checked = check_features(features)
    assert checked.dtype == np.float64 and checked.flags.c_contiguous
    assert checked.tolist() == features.tolist()
    checked[:] = 7
    assert features[0, 0] == 0
    assert check_features(np.zeros((0, 3))).shape == (0, 3)
    assert check_features([[np.finfo("float64").max]] * 2).shape == (2, 1)


BROKEN = np.zeros((7, 3), "float32")
BROKEN[2, 1] = np.nan
BROKEN[5] = np.inf, 0, -np.inf  # They do not cancel: two rows, three values.


@pytest.mark.parametrize(
    ("features", "options", "expected"),
    [
        (np.zeros(3), {}, "`features` must have shape (num_images, d). Received: shape=(3,)"),
        (np.zeros((4, 2, 2)), {}, "Received: shape=(4, 2, 2)"),
        (np.zeros((4, 3)), {"name": "x", "dimension": 5}, "`x` must have shape (num_images, 5)."),
        (BROKEN, {"name": "y"}, "`y` must be finite. Received: NaN or infinity in 2 of 7 rows, "),
        (BROKEN, {}, "the first at index 2"),
    ],
)
def test_bad_features_are_named(features, options, expected):
    assert expected in message(check_features, features, **options)


@pytest.mark.parametrize(
    ("real", "fake", "expected"),
    [
        (np.ones((2, 3)), np.ones((5, 3)), "At least 3 images of each kind are needed. "),
        (np.ones((5, 3)), np.ones((0, 3)), "Received: 5 real, 0 fake"),
        (np.ones((5, 3)), np.ones((5, 4)), "features of the same network. Received: 3 and 4 dim"),
        (BROKEN, np.ones((5, 3)), "`real` must be finite."),
        (np.ones((5, 3)), BROKEN, "`fake` must be finite."),
    ],
)
def test_bad_pairs_are_named(real, fake, expected):
    assert expected in message(check_pair, real, fake, minimum=3)
    assert [len(each) for each in check_pair(np.ones((3, 2)), np.ones((3, 2)), 3)] == [3, 3]


def matrix(points, others):
    return np.concatenate(list(distance_rows(points, others)))


@pytest.mark.parametrize("num_points", [1, 6000])
def test_distances_equal_sklearn(num_points):
    random = np.random.default_rng(0)
    # Integers, of which sklearn's `|x|^2 + |y|^2 - 2 x y` is exact. 6,000 rows come in parts.
    points = random.integers(-9, 10, (num_points, 7)).astype(float)
    others = random.integers(-9, 10, (1500, 7)).astype(float)
    expected = euclidean_distances(points, others, squared=True)
    np.testing.assert_array_equal(matrix(points, others), expected)
    # Far from the origin differences are exact.
    np.testing.assert_array_equal(matrix(points + 1e12, others + 1e12), expected)
    assert (len(list(distance_rows(points, others))) > 1) == (num_points == 6000)


@pytest.mark.parametrize("dimension", [1, 2048])
def test_distances_are_symmetric_zero_between_doubles_and_independent_of_the_row(dimension):
    points = np.random.default_rng(0).standard_normal((600, dimension))
    points[7] = points[590]
    distances = matrix(points, points)
    np.testing.assert_array_equal(distances, distances.T)
    assert np.argwhere(np.triu(distances == 0, 1)).tolist() == [[7, 590]]
    np.testing.assert_array_equal(np.diag(distances), np.zeros(600))
    np.testing.assert_array_equal(matrix(points[5:9], points[3:4]), distances[5:9, 3:4])
