"""The generator's residual block."""

import functools

import keras
from keras import ops

from sagan_tf.layers.conditional_batch_norm import ConditionalBatchNorm
from sagan_tf.layers.resampling_conv2d import convolution, resampled_shape


@keras.saving.register_keras_serializable(package="sagan_tf")
class GeneratorBlock(keras.layers.Layer):
    """Residual block that doubles the resolution.

    The residual is class-conditional batch norm, ReLU, upsampling, 3x3 convolution, batch norm,
    ReLU, 3x3 convolution; the shortcut is an upsampled 1x1 convolution.

    Args:
        filters: int, number of output channels.
        num_classes: int, or `None` for an unconditional block. Defaults to `None`.
        spectral_norm: bool, whether kernels are spectrally normalized. Defaults to `True`.
        epsilon: float, what batch norm adds to the variance. Defaults to `1e-5`.
        **kwargs: `name`, `trainable` and `dtype`.

    Call arguments:
        inputs: `(features, labels)`, features of shape `(batch, height, width, channels)` and
            labels, as `ConditionalBatchNorm` takes them. An unconditional block ignores them.
        training: bool, passed on to the layers inside. Defaults to `False`.

    Output shape:
        `(batch, 2 * height, 2 * width, filters)`.

    Reference:
        [Miyato et al., 2018](https://arxiv.org/abs/1802.05957), figure 8 and table 5.
    """

    def __init__(self, filters, num_classes=None, spectral_norm=True, epsilon=1e-5, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.num_classes = num_classes
        self.spectral_norm = spectral_norm
        self.epsilon = epsilon

    def build(self, input_shape):
        features, labels = input_shape
        upsampled = self.compute_output_shape(input_shape)
        policy = {"dtype": self.dtype_policy}
        options = {"spectral_norm": self.spectral_norm, **policy}
        norm = functools.partial(
            ConditionalBatchNorm, self.num_classes, epsilon=self.epsilon, **policy
        )
        self.norm_1 = norm(name="norm_1")
        self.conv_1 = convolution(self.filters, 3, scale=2, name="conv_1", **options)
        self.norm_2 = norm(name="norm_2")
        self.conv_2 = convolution(self.filters, 3, name="conv_2", **options)
        self.shortcut = convolution(self.filters, 1, name="shortcut", **options)
        self.norm_1.build([features, labels])
        self.conv_1.build(features)
        self.norm_2.build([upsampled, labels])
        self.conv_2.build(upsampled)
        self.shortcut.build(features)

    def call(self, inputs, training=False):
        features, labels = inputs
        x = self.norm_1((features, labels), training=training)
        x = self.conv_1(ops.relu(x), training=training)
        x = self.norm_2((x, labels), training=training)
        x = self.conv_2(ops.relu(x), training=training)
        # A 1x1 convolution commutes with nearest-neighbor upsampling, and is cheaper before it.
        shortcut = self.shortcut(features, training=training)
        return x + ops.repeat(ops.repeat(shortcut, 2, axis=1), 2, axis=2)

    def compute_output_shape(self, input_shape):
        return resampled_shape(input_shape[0], 2, self.filters)

    def get_config(self):
        own = ("filters", "num_classes", "spectral_norm", "epsilon")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}
