"""What all kinds of features share."""

import pathlib

import numpy as np
import pytest

from sagan_tf.evaluation import Features
from sagan_tf.evaluation.features.features import cache_directory
from tests.evaluation.errors import message

RNG = np.random.default_rng(3)


class Sums(Features):
    """Sums over space as features, of all values as the one probability; it logs its batches."""

    batch_size = 4

    def __init__(self):
        super().__init__("sums", 3, 1, "12ab", file="none.pb")
        self.shapes = []

    def _run(self, images):
        self.shapes.append(images.shape)
        sums = images.sum(axis=(1, 2), dtype=np.float32)
        return np.where(sums == 0, np.nan, sums), sums.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("num_images", [0, 4, 11])
def test_all_rows_come_from_batches_of_one_shape(num_images):
    images = RNG.integers(1, 256, (num_images, 5, 6, 3), np.uint8)
    sums = Sums()
    features, probabilities = sums(images)
    assert sums.shapes == [(4, 5, 6, 3)] * -(-num_images // 4)
    assert features.dtype == probabilities.dtype == np.float32
    np.testing.assert_array_equal(features, images.astype(int).sum(axis=(1, 2)))
    np.testing.assert_array_equal(probabilities[:, 0], images.astype(int).sum(axis=(1, 2, 3)))


def test_what_is_not_finite_is_an_error():
    images = np.ones((7, 2, 2, 3), np.uint8)
    images[[5, 6]] = 0
    expected = "The features of sums are NaN or infinite for 2 of 7 images, the first at index 5"
    assert expected in message(Sums(), images)
    assert "must be uint8" in message(Sums(), images.astype("float32"), error=TypeError)


def test_the_cache_is_where_the_user_has_it(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_directory() == tmp_path / "sagan_tf"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/someone")
    assert cache_directory() == pathlib.Path("/home/someone/.cache/sagan_tf")
    assert cache_directory("~/here") == pathlib.Path("/home/someone/here")
