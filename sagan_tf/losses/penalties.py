"""Penalties on the gradients of the discriminator's logits with respect to images.

The functions take gradients, of shape `(batch, height, width, channels)`, and return a float32
scalar, the mean over the batch; whoever calls them differentiates.
"""

import dataclasses
from collections.abc import Callable

from keras import ops


def gradient_penalty(gradients):
    """Returns the mean of `(norm - 1)^2`, for gradients at points between real and fake images.

    [Gulrajani et al., 2017](https://arxiv.org/abs/1704.00028), equation 3, without its weight 10.
    """
    # The square root has no gradient at zero.
    norms = ops.sqrt(ops.maximum(_squared_norms(gradients), 1e-12))
    return ops.mean(ops.square(norms - 1.0))


def r1_penalty(gradients):
    """Returns half the mean of the squared norm, for gradients at real images.

    [Mescheder et al., 2018](https://arxiv.org/abs/1801.04406), equation 9, without its weight 10.
    """
    return 0.5 * ops.mean(_squared_norms(gradients))


def _squared_norms(gradients):
    return ops.sum(ops.square(ops.cast(gradients, "float32")), axis=(1, 2, 3))


@dataclasses.dataclass(frozen=True)
class Penalty:
    """A function `of` the gradients, and where they are taken.

    `at(real_images, fake_images, mix)` returns the images at which the logits are differentiated;
    `mix` has shape `(batch, 1, 1, 1)` and is uniform in (0, 1).
    """

    at: Callable
    of: Callable


PENALTIES = {
    "gradient_penalty": Penalty(
        at=lambda real_images, fake_images, mix: mix * real_images + (1.0 - mix) * fake_images,
        of=gradient_penalty,
    ),
    "r1": Penalty(at=lambda real_images, fake_images, mix: real_images, of=r1_penalty),
}
"""The penalties by name."""
