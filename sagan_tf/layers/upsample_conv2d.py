"""Nearest-neighbour upsampling and convolution in one."""

import keras
from keras import ops

from sagan_tf.layers.resampling import box_filtered, require_odd


@keras.saving.register_keras_serializable(package="sagan_tf")
class UpsampleConv2D(keras.layers.Conv2D):
    """Equals `UpSampling2D(2)` followed by a `"same"` `Conv2D`, at fewer multiplications.

    Nearest-neighbour upsampling by 2 and a 3x3 convolution are one transposed convolution of
    stride 2 with the 4x4 kernel `w * ones(2, 2)`: 16 multiplications for 4 output pixels instead
    of 36. The variable is the small kernel, so checkpoints and spectral norms are those of the
    plain pair.

    Args:
        filters: int, number of output channels.
        kernel_size: odd int, size of the kernel at the high resolution. Defaults to `3`.
        **kwargs: `use_bias`, `kernel_initializer`, `bias_initializer`, `name`, `trainable`,
            `dtype`.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, 2 * height, 2 * width, filters)`.

    Raises:
        ValueError: if `kernel_size` is even.
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

    def convolution_op(self, inputs, kernel):
        # A transposed convolution scatters: its kernel is mirrored, outputs before inputs.
        kernel = ops.transpose(ops.flip(box_filtered(kernel), axis=(0, 1)), (0, 1, 3, 2))
        return ops.conv_transpose(
            inputs, kernel, strides=2, padding="same", data_format="channels_last"
        )

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape
        return (batch, height and 2 * height, width and 2 * width, self.filters)

    def get_config(self):
        config = super().get_config()
        for fixed in ("strides", "padding", "data_format", "dilation_rate", "groups"):
            del config[fixed]
        return {**config, "kernel_size": self.kernel_size[0]}
