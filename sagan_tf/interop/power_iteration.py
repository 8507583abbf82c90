"""The state of power iteration that gives a certain norm."""

import numpy as np
from scipy import optimize

# How far a norm may lie beyond the singular values: kernels move between two power iterations.
_TOLERANCE = 5e-5
_ITERATIONS = 1000


def find_u(kernel, sigma):
    """The `u` by which `SpectralNormalization` divides a kernel by `sigma`, or `None`.

    The norm after one power iteration from `u` is a continuous function of `u`, which takes the
    value of each singular value at its singular vector. On the way between two vectors, with a norm
    of at least and of at most `sigma`, there is therefore one with `sigma`: also for code whose
    power iteration has not converged.

    Args:
        kernel: Array whose last axis is that of the outputs.
        sigma: float, the norm.

    Returns:
        Float32 array `(1, outputs)`; `None` if there is no such vector, because `sigma` is not
        between the singular values.
    """
    matrix = np.reshape(kernel, (-1, kernel.shape[-1])).astype("float64")
    # In the smaller of the two spaces, products take the least time.
    is_wide = matrix.shape[0] < matrix.shape[1]
    square = matrix @ matrix.T if is_wide else matrix.T @ matrix

    def norm(vector):
        product = square @ vector
        if is_wide:  # The iteration begins at the vector's image in the space of the outputs.
            vector, product = product, square @ product
            return np.sqrt((vector @ product) / max(vector @ vector, np.finfo("float64").tiny))
        return np.sqrt((product @ product) / max(vector @ product, np.finfo("float64").tiny))

    start = np.random.default_rng(0).standard_normal(len(square))
    high = _iterated(square, start, lambda vector: norm(vector) >= sigma)
    # The largest singular value of `rest` is at the vector of the least one of `square`.
    rest = (high @ square @ high) * np.eye(len(square)) - square
    low = _iterated(rest, start, lambda vector: norm(vector) <= sigma)
    candidates = [high, low]
    if norm(low) < sigma < norm(high):

        def between(share):
            return (1 - share) * high + share * low

        share = optimize.brentq(lambda share: norm(between(share)) - sigma, 0.0, 1.0)
        candidates.append(between(share))
    found = min(candidates, key=lambda vector: abs(norm(vector) - sigma))
    if not abs(norm(found) - sigma) <= _TOLERANCE * sigma:
        return None
    u = matrix.T @ found if is_wide else found
    return (u / np.linalg.norm(u)).astype("float32")[None]


def _iterated(matrix, vector, is_enough):
    """Iterates a vector until it is enough, but often enough to be near the largest value."""
    for count in range(_ITERATIONS):
        if count >= 30 and is_enough(vector):
            break
        vector = matrix @ vector
        vector /= max(np.linalg.norm(vector), np.finfo("float64").tiny)
    return vector
