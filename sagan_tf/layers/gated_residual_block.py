"""The residual block that stands in the place of attention, to compare with it."""

import keras
from keras import ops

from sagan_tf.layers.resampling_conv2d import convolution


@keras.saving.register_keras_serializable(package="sagan_tf")
class GatedResidualBlock(keras.layers.Layer):
    """Adds a local residual that has as many parameters as `SelfAttention`.

    It is the control of the article: what attention gains over it is not gained by parameters. The
    output is `inputs + gate * residual`, where the residual is ReLU, a 3x3 convolution to `width`
    channels, ReLU and a 1x1 convolution back to the input's channels, and `gate` is one trainable
    scalar. No convolution has a bias. There is no attention map.

    On `channels` that are a multiple of 8 the width is `channels / 8`, and the trainable parameters
    are exactly those of a `SelfAttention` with its default arguments: `5/4 * channels^2 + 1`. That
    is 81 on 8 channels, 5,121 on 64 and 81,921 on 256. On other numbers of channels the width is
    the one whose count is nearest, at most `4 * channels` away. The article does not say how its
    block has reached that number; this one is the smallest that sees more than a single position.

    Args:
        gate_initializer: Initializer of the gate. Defaults to `"zeros"`: the layer is the identity.
        spectral_norm: bool, whether kernels are spectrally normalized. Defaults to `True`.
        **kwargs: `name`, `trainable` and `dtype`.

    Call arguments:
        inputs: Feature map of shape `(batch, height, width, channels)`, of which the channels are
            known.
        training: bool, passed on to `SpectralNormalization`. Defaults to `False`.

    Output shape:
        The shape of the inputs.

    Raises:
        ValueError: if the input has fewer than 8 channels, as for `SelfAttention`.

    Reference:
        [Zhang et al., 2019](https://arxiv.org/abs/1805.08318), section 5.1 and table 1.
    """

    def __init__(self, gate_initializer="zeros", spectral_norm=True, **kwargs):
        super().__init__(**kwargs)
        self.gate_initializer = keras.initializers.get(gate_initializer)
        self.spectral_norm = spectral_norm

    def build(self, input_shape):
        channels = input_shape[-1]
        if channels < 8:
            raise ValueError(
                "The block in the place of attention needs at least 8 channels. "
                f"Received: {channels=}"
            )
        # Attention has 2 * channels * (channels // 8 + channels // 2) weights in its kernels. Here
        # there are 9 * channels * width in the first kernel, and channels * width in the second.
        width = round((channels // 8 + channels // 2) / 5)
        options = {"spectral_norm": self.spectral_norm, "use_bias": False}
        options["dtype"] = self.dtype_policy
        self.conv_1 = convolution(width, 3, name="conv_1", **options)
        self.conv_2 = convolution(channels, 1, name="conv_2", **options)
        self.conv_1.build(input_shape)
        self.conv_2.build((*input_shape[:-1], width))
        self.gate = self.add_weight(name="gate", shape=(), initializer=self.gate_initializer)

    def call(self, inputs, training=False):
        x = self.conv_1(ops.relu(inputs), training=training)
        x = self.conv_2(ops.relu(x), training=training)
        return inputs + self.gate * x

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "gate_initializer": keras.initializers.serialize(self.gate_initializer),
            "spectral_norm": self.spectral_norm,
        }
