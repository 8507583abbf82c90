"""Convolution and average pooling in one."""

import keras
from keras import ops

from sagan_tf.layers.resampling import box_filtered, require_even, require_odd


@keras.saving.register_keras_serializable(package="sagan_tf")
class DownsampleConv2D(keras.layers.Conv2D):
    """Equals a `"same"` `Conv2D` followed by `AveragePooling2D(2)`, at fewer multiplications.

    A 3x3 convolution and 2x2 average pooling are one convolution of stride 2 with the 4x4 kernel
    `w * ones(2, 2) / 4`: 16 multiplications per output pixel instead of 36. The variable is the
    small kernel, so checkpoints and spectral norms are those of the plain pair.

    Args:
        filters: int, number of output channels.
        kernel_size: odd int, size of the kernel at the high resolution. Defaults to `3`.
        **kwargs: `use_bias`, `kernel_initializer`, `bias_initializer`, `name`, `trainable`,
            `dtype`.

    Input shape:
        `(batch, height, width, channels)`, height and width even.

    Output shape:
        `(batch, height // 2, width // 2, filters)`.

    Raises:
        ValueError: if `kernel_size` is even, or height or width of the input is odd.
    """

    def __init__(self, filters, kernel_size=3, **kwargs):
        super().__init__(
            filters,
            require_odd(kernel_size),
            strides=1,
            padding="same",
            data_format="channels_last",
            dilation_rate=1,
            groups=1,
            **kwargs,
        )

    def build(self, input_shape):
        require_even(input_shape)
        super().build(input_shape)

    def convolution_op(self, inputs, kernel):
        require_even(inputs.shape)
        return ops.conv(
            inputs,
            box_filtered(kernel) / 4,
            strides=2,
            padding="same",
            data_format="channels_last",
        )

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape
        return (batch, height and height // 2, width and width // 2, self.filters)

    def get_config(self):
        config = super().get_config()
        for fixed in ("strides", "padding", "data_format", "dilation_rate", "groups"):
            del config[fixed]
        return {**config, "kernel_size": self.kernel_size[0]}
