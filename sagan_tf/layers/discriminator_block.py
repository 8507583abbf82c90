"""The discriminator's residual block."""

import keras
from keras import ops

from sagan_tf.layers.resampling_conv2d import convolution, resampled_shape


@keras.saving.register_keras_serializable(package="sagan_tf")
class DiscriminatorBlock(keras.layers.Layer):
    """Residual block that halves the resolution, or keeps it.

    The residual is ReLU, 3x3 convolution, ReLU, 3x3 convolution, average pooling; the shortcut is
    an average-pooled 1x1 convolution. It is the identity without downsampling, if there are as
    many filters as channels.

    Args:
        filters: int, number of output channels.
        downsample: bool, whether to halve height and width. Defaults to `True`.
        preactivation: bool, whether the residual starts with a ReLU. `False` is meant for images.
            Defaults to `True`.
        spectral_norm: bool, whether kernels are spectrally normalized. Defaults to `True`.
        rectified_shortcut: bool, whether the shortcut of a block with preactivation takes
            `max(inputs, 0)`. So does code whose first ReLU works in place. Defaults to `False`.
        **kwargs: `name`, `trainable` and `dtype`.

    Call arguments:
        inputs: Features of shape `(batch, height, width, channels)`; height and width are even
            when downsampling.
        training: bool, passed on to `SpectralNormalization`. Defaults to `False`.

    Output shape:
        `(batch, height // 2, width // 2, filters)`, or `(batch, height, width, filters)`.

    Reference:
        [Miyato et al., 2018](https://arxiv.org/abs/1802.05957), figure 8 and table 5.
    """

    def __init__(
        self,
        filters,
        downsample=True,
        preactivation=True,
        spectral_norm=True,
        rectified_shortcut=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.filters = filters
        self.downsample = downsample
        self.preactivation = preactivation
        self.spectral_norm = spectral_norm
        self.rectified_shortcut = rectified_shortcut

    def build(self, input_shape):
        options = {"spectral_norm": self.spectral_norm, "dtype": self.dtype_policy}
        self.conv_1 = convolution(self.filters, 3, name="conv_1", **options)
        self.conv_2 = convolution(
            self.filters, 3, scale=0.5 if self.downsample else 1, name="conv_2", **options
        )
        self.conv_1.build(input_shape)
        self.conv_2.build((*input_shape[:-1], self.filters))
        self.shortcut = None
        if self.downsample or input_shape[-1] != self.filters:
            self.shortcut = convolution(self.filters, 1, name="shortcut", **options)
            self.shortcut.build(input_shape)

    def call(self, inputs, training=False):
        rectified = ops.relu(inputs) if self.preactivation else inputs
        x = self.conv_1(rectified, training=training)
        x = self.conv_2(ops.relu(x), training=training)
        shortcut = rectified if self.rectified_shortcut else inputs
        if self.downsample:
            # A 1x1 convolution commutes with average pooling, and is cheaper after it.
            # Without explicit strides, Keras 3.15 fails on JAX.
            shortcut = ops.average_pool(shortcut, 2, strides=2, data_format="channels_last")
        if self.shortcut is not None:
            shortcut = self.shortcut(shortcut, training=training)
        # Without the reshape TensorFlow's remapper logs an error: it tries to fuse the next ReLU.
        return ops.reshape(x + shortcut, (-1, *x.shape[1:]))

    def compute_output_shape(self, input_shape):
        return resampled_shape(input_shape, 0.5 if self.downsample else 1, self.filters)

    def get_config(self):
        own = ("filters", "downsample", "preactivation", "spectral_norm", "rectified_shortcut")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}
