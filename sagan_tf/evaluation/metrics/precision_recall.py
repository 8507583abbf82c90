"""Precision and recall, density and coverage."""

import numpy as np

from sagan_tf.evaluation.metrics.inputs import check_pair, distance_rows


def compute(real, fake, protocol):
    """The metric `prdc`."""
    return precision_recall_density_coverage(real.features, fake.features, protocol.neighbors), {}


def precision_recall_density_coverage(real, fake, neighbors=5):
    """How typical and how varied the fakes are, by balls around the images.

    The ball of an image reaches to its k-th nearest neighbor among the images of its own kind; a
    point is inside if it is nearer than that (with `<`, as in Naeem's code; Kynkäänniemi et al.
    write `<=`, which differs for duplicates only). Precision is the share of fakes inside of a real
    ball. Recall is the share of real images inside of a fake ball. Density is the mean number of
    real balls that a fake is in, divided by k. Coverage is the share of real balls with a fake
    inside. TF-GAN has no such function.

    Args:
        real: Float array of shape `(num_real, d)`.
        fake: Float array of shape `(num_fake, d)`.
        neighbors: int, the k. Defaults to `5`.

    Returns:
        Dict from `"precision"`, `"recall"`, `"density"` and `"coverage"` to floats; all but the
        density are in [0, 1].

    Raises:
        ValueError: if `neighbors` is not at least 1 and less than the number of images of each
            kind, the dimensions differ, or a value is NaN or infinite.

    Reference:
        [Kynkäänniemi et al., 2019](https://arxiv.org/abs/1904.06991), equation 1;
        [Naeem et al., 2020](https://arxiv.org/abs/2002.09797), equations 4 and 5.
    """
    if neighbors < 1:
        raise ValueError(f"`neighbors` must be at least 1. Received: {neighbors}")
    real, fake = check_pair(real, fake, minimum=neighbors + 1)
    real_radii, fake_radii = _squared_radii(real, neighbors), _squared_radii(fake, neighbors)
    balls, covered, recalled = np.zeros(len(fake), int), [], []
    for distances in distance_rows(real, fake):
        inside = distances < real_radii[len(covered) : len(covered) + len(distances), None]
        balls += inside.sum(axis=0)
        covered.extend(inside.any(axis=1))
        recalled.extend((distances < fake_radii).any(axis=1))
    return {
        "precision": float(np.mean(balls > 0)),
        "recall": float(np.mean(recalled)),
        "density": float(balls.mean() / neighbors),
        "coverage": float(np.mean(covered)),
    }


def _squared_radii(points, neighbors):
    """Squared distance of each point to its k-th nearest neighbor; the nearest is itself."""
    # A view would keep all of the distances.
    radii = [
        np.partition(distances, neighbors, axis=1)[:, neighbors].copy()
        for distances in distance_rows(points, points)
    ]
    return np.concatenate(radii)
