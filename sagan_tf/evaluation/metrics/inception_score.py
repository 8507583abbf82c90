"""Inception score."""

import numpy as np

from sagan_tf.evaluation.metrics.inputs import check_features


def compute(real, fake, protocol):
    """The metric `is`."""
    mean, std = inception_score(fake.probabilities, min(protocol.splits, fake.num_images))
    return {"is": mean, "is_std": std}, {}


def inception_score(probabilities, splits=10):
    """The Inception score: how sure a network is of each image, and how varied its answers are.

    Images are cut in their order into `splits` parts of (almost) equal size, as in the original
    code. The score of a part is `exp(mean over its images of KL(p(y|x) || p(y)))`, where `p(y)` is
    the mean of `p(y|x)` over the part. TF-GAN's `classifier_score_from_logits` takes logits and
    has no parts.

    Args:
        probabilities: Float array of shape `(num_images, num_classes)`, whose rows sum to 1
            (within 0.001).
        splits: int, number of parts. Defaults to `10`.

    Returns:
        `(mean, std)`: floats, over the parts; the deviation is that of the population.

    Raises:
        ValueError: if they are not probabilities, or `splits` is not from 1 to `num_images`.

    Reference:
        [Salimans et al., 2016](https://arxiv.org/abs/1606.03498), section 4.
    """
    from scipy.special import rel_entr

    probabilities = check_features(probabilities, "probabilities")
    if not 1 <= splits <= len(probabilities):
        raise ValueError(
            "`splits` must be from 1 to the number of images. Received: "
            f"{splits=}, num_images={len(probabilities)}"
        )
    sums = probabilities.sum(axis=1)
    if probabilities.min() < 0 or np.abs(sums - 1.0).max() > 1e-3:
        raise ValueError(
            "`probabilities` must be at least 0 and sum to 1. Received: a least value of "
            f"{probabilities.min():.3g}, sums from {sums.min():.4g} to {sums.max():.4g}"
        )
    ends = np.arange(1, splits) * len(probabilities) // splits
    scores = [
        np.exp(rel_entr(part, part.mean(axis=0)).sum(axis=1).mean())
        for part in np.split(probabilities, ends)
    ]
    return float(np.mean(scores)), float(np.std(scores))
