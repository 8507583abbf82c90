"""The convolutions inside the blocks and the attention."""

import functools

import keras

from sagan_tf.layers.downsample_conv2d import DownsampleConv2D
from sagan_tf.layers.spectral_normalization import spectrally_normalized
from sagan_tf.layers.upsample_conv2d import UpsampleConv2D

_CLASSES = {
    0.5: DownsampleConv2D,
    1: functools.partial(keras.layers.Conv2D, padding="same", data_format="channels_last"),
    2: UpsampleConv2D,
}


def convolution(filters, kernel_size, *, scale=1, spectral_norm, **kwargs):
    """A convolution that multiplies height and width by `scale`: 0.5, 1 or 2."""
    layer = _CLASSES[scale](filters, kernel_size, **kwargs)
    return spectrally_normalized(layer, spectral_norm)
