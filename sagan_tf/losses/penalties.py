"""Penalties on the gradients of the discriminator's logits with respect to images.

They take gradients, of shape `(batch, height, width, channels)`, and return a float32 scalar, the
mean over the batch; whoever calls them differentiates.
"""

from keras import ops


def gradient_penalty(gradients):
    """Mean of `(norm - 1)^2`, for gradients at points between real and fake images.

    [Gulrajani et al., 2017](https://arxiv.org/abs/1704.00028), equation 3, without its weight
    (10 there).
    """
    # The square root has no gradient at zero.
    norms = ops.sqrt(ops.maximum(_squared_norms(gradients), 1e-12))
    return ops.mean(ops.square(norms - 1.0))


def r1_penalty(gradients):
    """Half the mean of the squared norm, for gradients at real images.

    [Mescheder et al., 2018](https://arxiv.org/abs/1801.04406), equation 9, without its weight
    gamma (10 there).
    """
    return 0.5 * ops.mean(_squared_norms(gradients))


PENALTIES = {"gradient_penalty": gradient_penalty, "r1": r1_penalty}
"""The penalties by name."""


def _squared_norms(gradients):
    return ops.sum(ops.square(ops.cast(gradients, "float32")), axis=(1, 2, 3))
