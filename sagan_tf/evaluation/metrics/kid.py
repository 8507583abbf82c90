"""Kernel Inception distance."""

import numpy as np

from sagan_tf.evaluation.metrics.inputs import check_pair


def compute(real, fake, protocol):
    """The metric `kid`, on subsets of at most half of the images: they must differ."""
    features = real.features, fake.features
    size = min(protocol.subset_size, max(2, min(map(len, features)) // 2))
    mean, std = kernel_inception_distance(*features, protocol.num_subsets, size, protocol.seed)
    return {"kid": mean, "kid_std": std}, {}


def kernel_inception_distance(real, fake, num_subsets=100, subset_size=1000, seed=0):
    """The squared maximum mean discrepancy with the kernel `(x y / d + 1)^3`: KID.

    This is the unbiased estimate, which may be negative, on random subsets; their mean is unbiased
    as well, whatever the number of images. TF-GAN's `kernel_classifier_distance_and_std` cuts the
    images into blocks in place of random subsets.

    Args:
        real: Float array of shape `(num_real, d)`, of at least 2 images.
        fake: Float array of shape `(num_fake, d)`, of at least 2 images.
        num_subsets: int. Defaults to `100`.
        subset_size: int, images of each kind in a subset, drawn without repetition; all where
            there are fewer. Defaults to `1000`.
        seed: int, seed of the subsets. Defaults to `0`.

    Returns:
        `(mean, std)`: floats, over the subsets; the deviation is that of the population.

    Raises:
        ValueError: if features are not as described, not finite, or an argument is out of range.

    Reference:
        [Bińkowski et al., 2018](https://arxiv.org/abs/1801.01401), section 4.
    """
    if num_subsets < 1 or subset_size < 2:
        raise ValueError(
            "`num_subsets` must be at least 1 and `subset_size` at least 2. "
            f"Received: {num_subsets=}, {subset_size=}"
        )
    real, fake = check_pair(real, fake, minimum=2)
    size = min(subset_size, len(real), len(fake))
    random = np.random.default_rng(seed)
    distances = [
        _squared_discrepancy(
            real[random.choice(len(real), size, replace=False)],
            fake[random.choice(len(fake), size, replace=False)],
        )
        for _ in range(num_subsets)
    ]
    return float(np.mean(distances)), float(np.std(distances))


def _squared_discrepancy(real, fake):
    from sklearn.metrics.pairwise import polynomial_kernel

    def mean_of_pairs(points):
        kernel = polynomial_kernel(points, degree=3, coef0=1.0)
        np.fill_diagonal(kernel, 0.0)
        return kernel.sum() / (len(points) * (len(points) - 1))

    across = polynomial_kernel(real, fake, degree=3, coef0=1.0).mean()
    return mean_of_pairs(real) + mean_of_pairs(fake) - 2.0 * across
