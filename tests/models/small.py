"""A SAGAN small enough to make in every test."""

import keras
import numpy as np

from sagan_tf import SAGAN, Discriminator, Generator


def small(num_classes=3, **kwargs):
    """A `SAGAN` for 16x16 grey images, whose average differs from its generator."""
    keras.utils.set_random_seed(0)
    sagan = SAGAN(
        Generator(16, 1, num_classes, base_channels=4, latent_dim=8),
        Discriminator(16, 1, num_classes, base_channels=4),
        **kwargs,
    )
    rng = np.random.default_rng(0)
    for weight in sagan.ema_generator.weights:
        weight.assign(weight + 0.01 * np.abs(rng.standard_normal(weight.shape)))
    return sagan
