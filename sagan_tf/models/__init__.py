"""The networks, the GAN and its presets, on any Keras backend (training needs TensorFlow)."""

from sagan_tf.models.copies import fold_spectral_norm, walk_layers, with_standing_statistics
from sagan_tf.models.discriminator import Discriminator
from sagan_tf.models.generator import Generator
from sagan_tf.models.optimizers import make_optimizers
from sagan_tf.models.presets import PRESETS, preset
from sagan_tf.models.sagan import SAGAN
from sagan_tf.models.sampling import draw_inputs, draw_latents, interpolate_latents

__all__ = [
    "PRESETS",
    "SAGAN",
    "Discriminator",
    "Generator",
    "draw_inputs",
    "draw_latents",
    "fold_spectral_norm",
    "interpolate_latents",
    "make_optimizers",
    "preset",
    "walk_layers",
    "with_standing_statistics",
]
