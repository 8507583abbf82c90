"""Convolution and average pooling in one."""

import keras
from keras import ops

from sagan_tf.layers.resampling_conv2d import ResamplingConv2D, box_filtered


@keras.saving.register_keras_serializable(package="sagan_tf")
class DownsampleConv2D(ResamplingConv2D):
    """Equals a `"same"` `Conv2D` followed by `AveragePooling2D(2)`, at fewer multiplications.

    A 3x3 convolution and 2x2 average pooling are one convolution of stride 2 with the 4x4 kernel
    `w * ones(2, 2) / 4`: 16 multiplications per output pixel instead of 36. The variable is the
    small kernel, so checkpoints and spectral norms are those of the plain pair.

    Args:
        filters: int, number of output channels.
        kernel_size: odd int, size of the kernel at the high resolution. Defaults to `3`.
        **kwargs: `use_bias`, `activation`, `kernel_initializer`, `bias_initializer`, `name`,
            `trainable` and `dtype`, as for `Conv2D`.

    Input shape:
        `(batch, height, width, channels)`, height and width even.

    Output shape:
        `(batch, height // 2, width // 2, filters)`.

    Raises:
        ValueError: if `kernel_size` is even, or height or width of the input is odd.
    """

    scale = 0.5

    def build(self, input_shape):
        _require_even(input_shape)
        super().build(input_shape)

    def convolution_op(self, inputs, kernel):
        _require_even(inputs.shape)
        return ops.conv(
            inputs,
            box_filtered(kernel) / 4,
            strides=2,
            padding="same",
            data_format="channels_last",
        )


def _require_even(input_shape):
    if any(size is not None and size % 2 for size in input_shape[1:3]):
        raise ValueError(f"Height and width must be even. Received: {input_shape=}")
