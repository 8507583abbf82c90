import numpy as np
import pytest

from sagan_tf.evaluation import FeatureStatistics, frechet_distance, statistics_of
from sagan_tf.images import from_uint8, to_uint8
from tests.evaluation.errors import message
from tests.evaluation.pixels import Pixels, pixels, probabilities

IMAGES = np.random.default_rng(0).uniform(-1, 1, (150, 16, 16, 1)).astype("float32")
LABELS = np.random.default_rng(1).integers(3, size=150)


@pytest.mark.parametrize("images", [IMAGES, to_uint8(IMAGES), from_uint8(to_uint8(IMAGES))])
def test_everything_is_that_of_the_rounded_pixels(images):
    found = statistics_of(images, Pixels(), LABELS, num_classes=3)
    features = pixels(to_uint8(IMAGES))
    np.testing.assert_array_equal(found.features, features)
    np.testing.assert_array_equal(found.probabilities, probabilities(to_uint8(IMAGES)))
    np.testing.assert_array_equal(found.labels, LABELS)
    np.testing.assert_array_equal(found.class_counts, np.bincount(LABELS))
    mean, _ = found.moments.mean_and_root()
    np.testing.assert_allclose(mean, features.mean(axis=0, dtype="float64"), rtol=1e-12)
    np.testing.assert_allclose(found.moments.covariance(), np.cov(features.T), atol=1e-12)
    for label, moments in found.class_moments.items():
        assert moments.count == np.count_nonzero(label == LABELS)
        assert frechet_distance(moments, features[label == LABELS]) < 1e-12
    assert sorted(found.class_moments) == [0, 1, 2]


@pytest.mark.parametrize("batch", [1, 7, 150])
def test_no_image_is_lost_in_batches_of_any_size(batch):
    whole = statistics_of(IMAGES, Pixels(), LABELS, num_classes=3)
    parts = FeatureStatistics(Pixels(), num_classes=3)
    for start in range(0, 150, batch):
        parts.update(IMAGES[start : start + batch], LABELS[start : start + batch])
    assert parts.num_images == whole.num_images == 150
    np.testing.assert_array_equal(parts.features, whole.features)
    np.testing.assert_array_equal(parts.probabilities, whole.probabilities)
    np.testing.assert_array_equal(parts.moments.covariance(), whole.moments.covariance())


def test_only_the_first_features_are_kept_and_labels_ignored_without_classes():
    found = FeatureStatistics(Pixels(), max_compared=70)
    for start in range(0, 150, 40):
        found.update(IMAGES[start : start + 40], LABELS[start : start + 40])
    np.testing.assert_array_equal(found.features, pixels(to_uint8(IMAGES[:70])))
    assert found.num_images == 150
    assert (found.labels.shape, found.class_counts.shape, found.class_moments) == ((0,), (0,), {})


def test_more_images_than_a_batch_come_in_their_order():
    images, labels = np.tile(IMAGES, (4, 1, 1, 1)), np.tile(LABELS, 4)
    found = statistics_of(images, Pixels(), labels, num_classes=3, by_class=False)
    np.testing.assert_array_equal(found.features, pixels(to_uint8(images)))
    np.testing.assert_array_equal(found.labels, labels)
    assert found.class_moments == {}


@pytest.mark.parametrize(
    ("images", "labels", "expected"),
    [
        (IMAGES, LABELS[:-1], "must be 150 integers, one for each image. Received: shape=(149,)"),
        (IMAGES, LABELS.astype("float32"), "Received: shape=(150,), dtype=float32"),
        (IMAGES, None, "must be 150 integers, one for each image. Received: shape=()"),
        (IMAGES, np.where(np.arange(150) == 140, 3, 0), "in [0, 3). Received: 3 for image 140"),
        (IMAGES, np.where(np.arange(150) == 7, -1, 0), "in [0, 3). Received: -1 for image 7"),
        ((IMAGES + 1) / 2, LABELS, "Images must be in [-1, 1]. Received: values from"),
        (np.where(IMAGES > 0.99, np.nan, IMAGES), LABELS, "must not be NaN"),
        (IMAGES[..., 0], LABELS, "must have shape (num_images, height, width, 1 or 3)"),
    ],
)
def test_bad_input_is_named(images, labels, expected):
    assert expected in message(statistics_of, images, Pixels(), labels, 3)


def test_other_integers_are_no_images():
    images = IMAGES.astype("int32")
    assert "Received: dtype=int32" in message(statistics_of, images, Pixels(), error=TypeError)
