"""A change of resolution and a convolution in one."""

import keras
import numpy as np
from keras import ops

_FIXED = {
    "strides": 1,
    "padding": "same",
    "data_format": "channels_last",
    "dilation_rate": 1,
    "groups": 1,
}


class ResamplingConv2D(keras.layers.Conv2D):
    """Base of `UpsampleConv2D` and `DownsampleConv2D`, which document the arguments.

    Attributes:
        scale: Factor by which a subclass changes height and width.
    """

    scale = None

    def __init__(self, filters, kernel_size=3, **kwargs):
        # The fused kernel of an even one would not be centered.
        if kernel_size % 2 != 1:
            raise ValueError(f"`kernel_size` must be odd. Received: {kernel_size=}")
        super().__init__(filters, kernel_size, **_FIXED, **kwargs)

    def compute_output_shape(self, input_shape):
        return resampled_shape(input_shape, self.scale, self.filters)

    def get_config(self):
        config = super().get_config()
        config = {name: value for name, value in config.items() if name not in _FIXED}
        return {**config, "kernel_size": self.kernel_size[0]}


def resampled_shape(input_shape, scale, filters):
    """`(batch, scale * height, scale * width, filters)`; an unknown size stays `None`."""
    batch, *sizes, _ = input_shape
    return (batch, *(None if size is None else int(scale * size) for size in sizes), filters)


def box_filtered(kernel):
    """The full convolution of a kernel with a 2x2 box of ones.

    Args:
        kernel: Tensor of shape `(k, k, inputs, outputs)`.

    Returns:
        Tensor of shape `(k + 1, k + 1, inputs, outputs)`.
    """
    size, _, inputs, outputs = kernel.shape
    box_1d = np.eye(size + 1, size) + np.eye(size + 1, size, k=-1)
    box_2d = ops.convert_to_tensor(np.kron(box_1d, box_1d), dtype=kernel.dtype)
    filtered = ops.matmul(box_2d, ops.reshape(kernel, (size * size, inputs * outputs)))
    return ops.reshape(filtered, (size + 1, size + 1, inputs, outputs))
