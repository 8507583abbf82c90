"""Fréchet distances between Gaussians fitted to features."""

import numpy as np

from sagan_tf.evaluation.metrics.gaussian import Gaussian
from sagan_tf.evaluation.metrics.inputs import check_same_dimension
from sagan_tf.evaluation.metrics.moments import Moments


def compute(real, fake, protocol):
    """The metric `fid`."""
    return {"fid": frechet_distance(real.moments, fake.moments)}, {}


def compute_within_classes(real, fake, protocol):
    """The metric `intra_fid`, with the distance of each class."""
    mean, distances = intra_class_frechet_distance(real.class_moments, fake.class_moments)
    return {"intra_fid": mean}, {label: {"fid": value} for label, value in distances.items()}


def frechet_distance(real, fake):
    """The squared Fréchet distance between two Gaussians: FID, on Inception's features.

    `|mean_r - mean_f|^2 + tr(C_r + C_f - 2 (C_r C_f)^(1/2))`, with unbiased covariances. The last
    trace is the sum of the singular values of `R_r R_f^T`, where `C = R^T R`: no matrix root is
    taken, singular covariances do no harm, and the result is never NaN.

    Few images bias it upwards: only equal numbers can be compared. TF-GAN calls it
    `frechet_classifier_distance_from_activations`.

    Args:
        real: Float array of shape `(num_real, d)`, or `Moments`, or a published `Gaussian`.
        fake: Float array of shape `(num_fake, d)`, or the like.

    Returns:
        float, at least 0.

    Raises:
        ValueError: if there are fewer than 2 images of a kind, the dimensions differ, or a value
            is NaN or infinite.

    Reference:
        [Heusel et al., 2017](https://arxiv.org/abs/1706.08500), equation 6.
    """
    from scipy.linalg import svdvals

    real, fake = (each if isinstance(each, Gaussian) else Moments.of(each) for each in (real, fake))
    check_same_dimension(real.dimension, fake.dimension)
    real_mean, real_root = real.mean_and_root()
    fake_mean, fake_root = fake.mean_and_root()
    traces = np.sum((real_mean - fake_mean) ** 2) + np.sum(real_root**2) + np.sum(fake_root**2)
    return max(0.0, float(traces - 2.0 * np.sum(svdvals(real_root @ fake_root.T))))


def intra_class_frechet_distance(real, fake):
    """Fréchet distances within each class, and their mean: intra-FID.

    TF-GAN has no such function; the official SAGAN code reports it for ImageNet.

    Args:
        real: Dict from each class to a float array `(num_images, d)`, or `Moments`.
        fake: Dict from the same classes to the like.

    Returns:
        `(mean, distances)`: float, and a dict from each class to a float.

    Raises:
        ValueError: if a class has fewer than 2 images of a kind, or as `frechet_distance`.

    Reference:
        [Miyato & Koyama, 2018](https://arxiv.org/abs/1802.05637), section 4.1.
    """
    distances = {}
    for label in sorted({*real, *fake}):
        pair = [Moments.of(classes.get(label, np.zeros((0, 1)))) for classes in (real, fake)]
        if min(moments.count for moments in pair) < 2:
            raise ValueError(
                "Every class needs at least 2 real and 2 fake images. Received: "
                f"{pair[0].count} real and {pair[1].count} fake of class {label}"
            )
        distances[label] = frechet_distance(*pair)
    if not distances:
        raise ValueError("There are no classes")
    return float(np.mean(list(distances.values()))), distances
