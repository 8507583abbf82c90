import numpy as np
import pytest

from sagan_tf.evaluation import Gaussian, frechet_distance
from tests.evaluation.errors import message

RNG = np.random.default_rng(3)
REAL, FAKE = (
    RNG.standard_normal((60, 5)) @ RNG.standard_normal((5, 5)),
    RNG.standard_normal((50, 5)),
)
MEAN, COVARIANCE = REAL.mean(axis=0), np.cov(REAL.T)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_published_gaussian_is_as_good_as_the_features(tmp_path, dtype):
    path = tmp_path / "real.npz"
    np.savez(path, mu=MEAN.astype(dtype), sigma=COVARIANCE.astype(dtype))
    gaussian = Gaussian.read(path)
    assert gaussian.dimension == 5
    mean, root = gaussian.mean_and_root()
    tolerance = {"rtol": 1e-9, "atol": 1e-9} if dtype == "float64" else {"rtol": 1e-5, "atol": 1e-5}
    np.testing.assert_allclose(mean, MEAN, **tolerance)
    np.testing.assert_allclose(root.T @ root, COVARIANCE, **tolerance)
    expected = frechet_distance(REAL, FAKE)
    np.testing.assert_allclose(frechet_distance(gaussian, FAKE), expected, rtol=1e-5)
    np.testing.assert_allclose(frechet_distance(FAKE, gaussian), expected, rtol=1e-5)
    assert frechet_distance(gaussian, gaussian) < 1e-9


def test_fewer_images_than_features_make_a_singular_covariance():
    few = RNG.standard_normal((3, 5))
    gaussian = Gaussian(few.mean(axis=0), np.cov(few.T))
    np.testing.assert_allclose(
        frechet_distance(gaussian, FAKE), frechet_distance(few, FAKE), rtol=1e-6
    )


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        ({"mu": MEAN}, "must hold the arrays mu and sigma"),
        ({"mu": MEAN, "sigma": COVARIANCE[:4]}, "Received: (5,) and (4, 5)"),
        ({"mu": COVARIANCE, "sigma": COVARIANCE}, "Received: (5, 5) and (5, 5)"),
        ({"mu": MEAN[:0], "sigma": COVARIANCE[:0, :0]}, "Received: (0,) and (0, 0)"),
        ({"mu": MEAN, "sigma": np.full((5, 5), np.nan)}, "Received: NaN or infinity"),
        ({"mu": MEAN, "sigma": np.arange(25.0).reshape(5, 5)}, "must be symmetric"),
        ({"mu": MEAN, "sigma": -COVARIANCE}, "must not have negative eigenvalues"),
        ({"mu": MEAN, "sigma": np.array([["a"]])}, "holds no mean and covariance: could not"),
        ({"mu": MEAN, "sigma": np.array([object()])}, "allow_pickle=False"),
    ],
)
def test_what_is_no_gaussian_is_named(tmp_path, arrays, expected):
    path = tmp_path / "real.npz"
    np.savez(path, **arrays)
    text = message(Gaussian.read, path)
    assert str(path) in text
    assert expected in text


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut off"])
def test_what_is_no_archive_is_named(tmp_path, content):
    path = tmp_path / "real.npz"
    path.write_bytes(content)
    assert str(path) in message(Gaussian.read, path)
    np.save(tmp_path / "array.npy", MEAN)
    assert "array.npy" in message(Gaussian.read, tmp_path / "array.npy")
    assert "nowhere" in message(Gaussian.read, tmp_path / "nowhere")
