"""The networks, the GAN and its presets, on any Keras backend (training needs TensorFlow)."""

from sagan_tf.models.discriminator import Discriminator
from sagan_tf.models.folding import fold_spectral_norm
from sagan_tf.models.generator import Generator
from sagan_tf.models.presets import PRESETS, preset
from sagan_tf.models.sagan import SAGAN

__all__ = ["PRESETS", "SAGAN", "Discriminator", "Generator", "fold_spectral_norm", "preset"]
