"""Convolutions that change the resolution, and the one place that makes convolutions."""

import functools

import keras
import numpy as np
from keras import ops

from sagan_tf.layers.spectral_normalization import spectrally_normalized

_SAME = {"padding": "same", "data_format": "channels_last"}
_FIXED = {**_SAME, "strides": 1, "dilation_rate": 1, "groups": 1}


class ResamplingConv2D(keras.layers.Conv2D):
    """A `"same"` convolution and a change of resolution in one.

    Subclasses define both by `scale` and `convolution_op`. The variable is the small kernel, so
    checkpoints and spectral norms are those of a plain `Conv2D`.

    Args:
        filters: int, number of output channels.
        kernel_size: odd int, size of the kernel at the high resolution. Defaults to `3`.
        **kwargs: `use_bias`, `activation`, `kernel_initializer`, `bias_initializer`, `name`,
            `trainable` and `dtype`, as for `Conv2D`.

    Input and output shape:
        `(batch, height, width, channels)` and `(batch, scale * height, scale * width, filters)`.

    Raises:
        ValueError: if `kernel_size` is even.
    """

    scale = 1

    def __init__(self, filters, kernel_size=3, **kwargs):
        # The fused kernel of an even one would not be centered.
        if kernel_size % 2 != 1:
            raise ValueError(f"`kernel_size` must be odd. Received: {kernel_size=}")
        super().__init__(filters, kernel_size, **_FIXED, **kwargs)

    def compute_output_shape(self, input_shape):
        return resampled_shape(input_shape, self.scale, self.filters)

    def get_config(self):
        config = {k: v for k, v in super().get_config().items() if k not in _FIXED}
        return {**config, "kernel_size": self.kernel_size[0]}


@keras.saving.register_keras_serializable(package="sagan_tf")
class UpsampleConv2D(ResamplingConv2D):
    """Equals `UpSampling2D(2)` followed by a `"same"` `Conv2D`, at fewer multiplications.

    Nearest-neighbor upsampling by 2 and a 3x3 convolution are one transposed convolution of
    stride 2 with the 4x4 kernel `w * ones(2, 2)`: 16 multiplications for 4 output pixels instead
    of 36. Arguments and shapes are those of `ResamplingConv2D`, with a scale of 2.
    """

    scale = 2

    def convolution_op(self, inputs, kernel):
        # A transposed convolution scatters: its kernel is mirrored, outputs before inputs.
        kernel = ops.transpose(box_filtered(kernel)[::-1, ::-1], (0, 1, 3, 2))
        return ops.conv_transpose(
            inputs, kernel, strides=2, padding="same", data_format="channels_last"
        )


@keras.saving.register_keras_serializable(package="sagan_tf")
class DownsampleConv2D(ResamplingConv2D):
    """Equals a `"same"` `Conv2D` followed by `AveragePooling2D(2)`, at fewer multiplications.

    A 3x3 convolution and 2x2 average pooling are one convolution of stride 2 with the 4x4 kernel
    `w * ones(2, 2) / 4`: 16 multiplications per output pixel instead of 36. Arguments and shapes
    are those of `ResamplingConv2D`, with a scale of 0.5; an odd height or width is a ValueError.
    """

    scale = 0.5

    def convolution_op(self, inputs, kernel):
        self.compute_output_shape(inputs.shape)  # refuses odd sizes
        kernel = box_filtered(kernel) / 4
        return ops.conv(inputs, kernel, strides=2, padding="same", data_format="channels_last")


_CONVOLUTIONS = {
    0.5: DownsampleConv2D,
    1: functools.partial(keras.layers.Conv2D, **_SAME),
    2: UpsampleConv2D,
}


def convolution(filters, kernel_size, *, scale=1, spectral_norm, **kwargs):
    """Makes a convolution that multiplies height and width by `scale`: 0.5, 1 or 2."""
    layer = _CONVOLUTIONS[scale](filters, kernel_size, **kwargs)
    return spectrally_normalized(layer, spectral_norm)


def resampled_shape(input_shape, scale, filters):
    """Returns `(batch, scale * height, scale * width, filters)`; an unknown size stays `None`."""
    batch, *sizes, _ = input_shape
    if any(size is not None and scale * size % 1 for size in sizes):
        raise ValueError(f"Height and width must be even. Received: {input_shape=}")
    return (batch, *(None if size is None else int(scale * size) for size in sizes), filters)


def box_filtered(kernel):
    """Convolves a kernel `(k, k, inputs, outputs)` with a 2x2 box of ones, which adds 1 to k."""
    size, _, inputs, outputs = kernel.shape
    box_1d = np.eye(size + 1, size) + np.eye(size + 1, size, k=-1)
    box_2d = ops.convert_to_tensor(np.kron(box_1d, box_1d), dtype=kernel.dtype)
    filtered = ops.matmul(box_2d, ops.reshape(kernel, (size * size, inputs * outputs)))
    return ops.reshape(filtered, (size + 1, size + 1, inputs, outputs))
