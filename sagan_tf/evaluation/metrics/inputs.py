"""What arrays of features go through before metrics compute with them."""

import numpy as np


def check_features(features, name="features", dimension=None):
    """A float64 copy of finite features `(num_images, d)`, whose `d` may have to be `dimension`."""
    features = np.asarray(features)
    if features.ndim != 2 or (dimension is not None and features.shape[1] != dimension):
        expected = "d" if dimension is None else dimension
        raise ValueError(
            f"`{name}` must have shape (num_images, {expected}). Received: shape={features.shape}"
        )
    # Sums depend on the order in memory.
    features = np.array(features, "float64", order="C")
    broken = ~np.isfinite(features).all(axis=1)
    if broken.any():
        raise ValueError(
            f"`{name}` must be finite. Received: NaN or infinity in {np.count_nonzero(broken)} of "
            f"{len(features)} rows, the first at index {np.argmax(broken)}"
        )
    return features


def check_pair(real, fake, minimum):
    """Float64 copies of the features of at least `minimum` real and as many generated images."""
    real, fake = check_features(real, "real"), check_features(fake, "fake")
    check_same_dimension(real.shape[1], fake.shape[1])
    if min(len(real), len(fake)) < minimum:
        raise ValueError(
            f"At least {minimum} images of each kind are needed. "
            f"Received: {len(real)} real, {len(fake)} fake"
        )
    return real, fake


def check_same_dimension(real, fake):
    """Raises a ValueError if real and fake features have different dimensions."""
    if real != fake:
        raise ValueError(
            "`real` and `fake` must be features of the same network. "
            f"Received: {real} and {fake} dimensions"
        )


def distance_rows(points, others):
    """Parts, in order, of the matrix of squared distances between two float64 arrays `(n, d)`."""
    from sklearn.metrics import pairwise_distances_chunked

    # Sums of squared differences, unlike `|x|^2 + |y|^2 - 2 x y`, are symmetric and 0 between
    # doubles: ties stay ties.
    options = {"metric": "sqeuclidean", "n_jobs": -1, "working_memory": 64}
    return pairwise_distances_chunked(points, others, **options)
