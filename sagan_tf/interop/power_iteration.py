"""The state of power iteration that gives a certain norm."""

import numpy as np

# How far a norm may lie beyond the singular values by rounding.
_TOLERANCE = 5e-5


def find_u(kernel, sigma):
    """The `u` by which `SpectralNormalization` divides a kernel by `sigma`, or `None`.

    One power iteration from `u = cos(t) u_1 + sin(t) u_k`, where `u_1` and `u_k` are singular
    vectors of the largest singular value `s_1` and of another one, gives the norm
    `sqrt((cos(t)^2 s_1^4 + sin(t)^2 s_k^4) / (cos(t)^2 s_1^2 + sin(t)^2 s_k^2))`. It takes all
    values from `s_k` to `s_1`, so that any norm between the singular values has a `u`. That of code
    whose power iteration has not converged, or lags behind the kernel, is one of these.

    Args:
        kernel: Array whose last axis is that of the outputs.
        sigma: float, the norm.

    Returns:
        Float32 array `(1, outputs)`; `None` if `sigma` is not between the singular values.
    """
    matrix = np.reshape(kernel, (-1, kernel.shape[-1])).astype("float64")
    wide = matrix.shape[0] < matrix.shape[1]
    # The smaller of the two products has the same singular values.
    squares, vectors = np.linalg.eigh(matrix @ matrix.T if wide else matrix.T @ matrix)
    values = np.sqrt(np.maximum(squares, 0.0))
    largest, smallest = values[-1], values[0]
    if not smallest * (1 - _TOLERANCE) <= sigma <= largest * (1 + _TOLERANCE) or not largest:
        return None
    # The nearest one below keeps most of the other vector, and the two well apart from zero.
    other = max(np.searchsorted(values, sigma, side="right") - 1, 0)
    first, second = (matrix.T @ vectors[:, i] if wide else vectors[:, i] for i in (-1, other))
    if wide:
        first, second = (vector / np.linalg.norm(vector) for vector in (first, second))
    low = values[other]
    weight = low**2 * max(sigma**2 - low**2, 0.0)
    rest = largest**2 * max(largest**2 - sigma**2, 0.0)
    if weight + rest == 0.0:
        weight = 1.0
    share = weight / (weight + rest)
    return (np.sqrt(share) * first + np.sqrt(1 - share) * second).astype("float32")[None]
