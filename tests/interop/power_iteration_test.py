import keras
import numpy as np
import pytest

from sagan_tf.interop.power_iteration import find_u
from sagan_tf.layers import SpectralNormalization


def _norm(kernel, u):
    """The norm by which our layer divides, from its output."""
    layer = SpectralNormalization(keras.layers.Dense(kernel.shape[-1], use_bias=False))
    layer.build((None, kernel.shape[0]))
    layer.kernel.assign(kernel)
    layer.u.assign(u)
    normalized, _ = layer.normalized_kernel()
    return np.linalg.norm(kernel) / np.linalg.norm(normalized)


@pytest.mark.parametrize("shape", [(7, 4), (4, 7), (5, 5), (9, 1)])
def test_one_iteration_gives_the_norm(shape):
    kernel = np.random.default_rng(3).standard_normal(shape).astype("float32")
    values = np.linalg.svd(kernel, compute_uv=False).astype("float64")
    for share in (0.0, 1e-4, 0.3, 0.7, 0.999, 1.0):
        sigma = values[-1] + share * (values[0] - values[-1])
        u = find_u(kernel, sigma)
        assert u.shape == (1, shape[-1])
        # The layer computes it in float32.
        error = abs(_norm(kernel, u) - sigma)
        assert error < 1e-6 * sigma + 1e-7 * values[0]
    for sigma in (1.01 * values[0], 0.99 * values[-1], -values[0]):
        assert find_u(kernel, sigma) is None


def test_kernels_without_one_or_with_equal_singular_values():
    assert find_u(np.zeros((3, 2), "float32"), 1.0) is None
    kernel = 2.0 * np.eye(4, dtype="float32")
    assert _norm(kernel, find_u(kernel, 2.0)) == pytest.approx(2.0, rel=1e-6)
    # A convolution's kernel, of rank one.
    kernel = np.ones((3, 3, 2, 4), "float32")
    norm = np.linalg.norm(kernel)
    assert np.isfinite(find_u(kernel, norm)).all()
    # It has but one, from which kernels may have moved a little.
    assert find_u(kernel, (1 - 1e-5) * norm) is not None
    assert find_u(kernel, 0.5 * norm) is None
