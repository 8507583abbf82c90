import numpy as np
import pytest

from sagan_tf.evaluation import FeatureStatistics, frechet_distance, inception_score, statistics_of
from sagan_tf.visualization import to_uint8
from tests.evaluation.pixels import Pixels, pixels, probabilities


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).uniform(-1, 1, (150, 16, 16, 1)).astype("float32")


@pytest.fixture(scope="module")
def labels():
    return np.random.default_rng(1).integers(3, size=150)


def test_everything_is_that_of_the_rounded_pixels(images, labels):
    found = statistics_of(images, Pixels(), labels, num_classes=3)
    features = pixels(to_uint8(images))
    np.testing.assert_array_equal(found.features, features)
    np.testing.assert_array_equal(found.labels, labels)
    mean, _ = found.moments.mean_and_root()
    np.testing.assert_allclose(mean, features.mean(axis=0, dtype="float64"), rtol=1e-12)
    np.testing.assert_allclose(found.moments.covariance(), np.cov(features.T), atol=1e-12)
    expected = probabilities(to_uint8(images))
    np.testing.assert_allclose(found.inception_score.result(), inception_score(expected))
    np.testing.assert_array_equal(found.recognised, expected.argmax(axis=1) == labels)
    for label in range(3):
        mine = found.of_class(label)
        assert mine.count == np.count_nonzero(labels == label)
        assert frechet_distance(mine, features[labels == label]) < 1e-12


def test_eight_bits_there_and_back():
    """Real images, which were uint8, are compared as they were."""
    values = np.arange(256, dtype="uint8").reshape(1, 16, 16, 1)
    back = to_uint8(values.astype("float32") / 127.5 - 1.0)
    np.testing.assert_array_equal(back, values)


@pytest.mark.parametrize("batch", [1, 7, 150])
def test_no_image_is_lost_in_batches_of_any_size(images, labels, batch):
    whole = statistics_of(images, Pixels(), labels, num_classes=3)
    parts = FeatureStatistics(Pixels(), 150, num_classes=3)
    for start in range(0, 150, batch):
        parts.update(images[start : start + batch], labels[start : start + batch])
    assert parts.moments.count == 150
    np.testing.assert_array_equal(parts.features, whole.features)
    np.testing.assert_array_equal(parts.moments.covariance(), whole.moments.covariance())
    np.testing.assert_allclose(parts.inception_score.result(), whole.inception_score.result())


def test_only_the_first_features_are_kept(images):
    found = FeatureStatistics(Pixels(), 150, max_compared=70)
    for start in range(0, 150, 40):
        found.update(images[start : start + 40])
    np.testing.assert_array_equal(found.features, pixels(to_uint8(images[:70])))
    assert found.moments.count == 150
    assert found.labels.shape == (0,)


def test_moments_of_classes_can_be_left_out(images, labels):
    found = statistics_of(images, Pixels(), labels, num_classes=3, by_class=False)
    assert found.class_moments == {}
    np.testing.assert_array_equal(found.labels, labels)
    assert found.recognised.shape == (150,)


@pytest.mark.parametrize(
    ("change", "num_classes", "message"),
    [
        (lambda x: x[:-1], 3, "must be 150 integers, one for each image. Received: shape=(149,)"),
        (lambda x: np.append(x, 0), 3, "Received: shape=(151,), dtype=int64"),
        (lambda x: x.astype("float32"), 3, "Received: shape=(150,), dtype=float32"),
        (lambda x: None, 3, "must be 150 integers, one for each image. Received: shape=()"),
        (lambda x: np.where(np.arange(150) == 140, 3, x), 3, "[0, 3). Received: 3 for image 140"),
        (lambda x: np.where(np.arange(150) == 7, -1, x), 3, "[0, 3). Received: -1 for image 7"),
        (lambda x: x, None, "`labels` need `num_classes`"),
    ],
)
def test_wrong_labels(images, labels, change, num_classes, message):
    with pytest.raises(ValueError, match=".") as info:
        statistics_of(images, Pixels(), change(labels), num_classes)
    assert message in str(info.value)
    assert "\n" not in str(info.value)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda x: (x + 1) / 2, ValueError, "Images must be in [-1, 1]. Received: values from"),
        (lambda x: np.where(x > 0.99, np.nan, x), ValueError, "must not be NaN"),
        (lambda x: to_uint8(x), TypeError, "must be floats in [-1, 1]. Received: dtype=uint8"),
        (lambda x: x[..., 0], ValueError, "must have shape (num_images, height, width, 1 or 3)"),
    ],
)
def test_wrong_images(images, change, error, message):
    with pytest.raises(error) as info:
        statistics_of(change(images), Pixels())
    assert message in str(info.value)
    assert "\n" not in str(info.value)
