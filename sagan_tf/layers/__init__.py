"""Keras layers of SAGAN, on any Keras backend."""

from sagan_tf.layers.conditional_batch_norm import ConditionalBatchNorm
from sagan_tf.layers.discriminator_block import DiscriminatorBlock
from sagan_tf.layers.gated_residual_block import GatedResidualBlock
from sagan_tf.layers.generator_block import GeneratorBlock
from sagan_tf.layers.resampling_conv2d import DownsampleConv2D, UpsampleConv2D
from sagan_tf.layers.self_attention import SelfAttention
from sagan_tf.layers.spectral_normalization import SpectralNormalization

__all__ = [
    "ConditionalBatchNorm",
    "DiscriminatorBlock",
    "DownsampleConv2D",
    "GatedResidualBlock",
    "GeneratorBlock",
    "SelfAttention",
    "SpectralNormalization",
    "UpsampleConv2D",
]
