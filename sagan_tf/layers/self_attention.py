"""The self-attention block of SAGAN."""

import keras
from keras import ops

from sagan_tf.layers.blockwise_attention import attend, attention_map
from sagan_tf.layers.resampling_conv2d import convolution


@keras.saving.register_keras_serializable(package="sagan_tf")
class SelfAttention(keras.layers.Layer):
    """Adds to every position what it attends to over the whole feature map.

    Queries, keys and values are 1x1 convolutions of the input; keys and values are max-pooled.
    With `map = softmax(query key^T)` over the keys, unscaled, the output is
    `inputs + gate * output(map value)`, where `output` is a 1x1 convolution back to the input's
    channels and `gate` one trainable scalar. No convolution has a bias.

    A large map is computed, and differentiated, in blocks of which one is in memory at a time,
    unless it is asked for: see `blockwise_attention.attend`.

    The defaults are those of the official code (there: theta, phi, g). The article's equations 1
    to 3 (there: g for the queries, f for the keys, h for the values, gamma for the gate) have no
    pooling; `pool_size=1, value_reduction=1` is that variant.

    Args:
        key_reduction: int, divides `channels` into the features of queries and keys. Defaults to 8.
        value_reduction: int, divides `channels` into the features of values. Defaults to `2`.
        pool_size: int, size and stride of the max pooling of keys and values. Defaults to `2`.
        gate_initializer: Initializer of the gate. Defaults to `"zeros"`: the layer is the identity.
        spectral_norm: bool, whether kernels are spectrally normalized. Defaults to `True`.
        **kwargs: `name`, `trainable` and `dtype`.

    Call arguments:
        inputs: Feature map of shape `(batch, height, width, channels)`, all known but the batch.
        training: bool, passed on to `SpectralNormalization`. Defaults to `False`.
        return_attention: bool, whether to return the attention map as well. Defaults to `False`.

    Output shape:
        The shape of the inputs. With `return_attention` a tuple of the outputs and the map, float32
        of shape `(batch, height * width, (height // pool_size) * (width // pool_size))`, whose
        rows sum to 1.

    Raises:
        ValueError: if the input has fewer channels than `key_reduction` or `value_reduction`, is
            smaller than `pool_size`, or if an argument is less than 1.

    Reference:
        [Zhang et al., 2019](https://arxiv.org/abs/1805.08318), section 3 and figure 2.
    """

    def __init__(
        self,
        key_reduction=8,
        value_reduction=2,
        pool_size=2,
        gate_initializer="zeros",
        spectral_norm=True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.key_reduction = key_reduction
        self.value_reduction = value_reduction
        self.pool_size = pool_size
        for name in ("key_reduction", "value_reduction", "pool_size"):
            if (value := getattr(self, name)) < 1:
                raise ValueError(f"`{name}` must be at least 1. Received: {name}={value}")
        self.gate_initializer = keras.initializers.get(gate_initializer)
        self.spectral_norm = spectral_norm

    def build(self, input_shape):
        _, height, width, channels = input_shape
        if height is None or width is None or min(height, width) < self.pool_size:
            raise ValueError(
                "Height and width must be known and at least `pool_size`. "
                f"Received: {input_shape=}, pool_size={self.pool_size}"
            )
        if channels < max(self.key_reduction, self.value_reduction):
            raise ValueError(
                "Attention needs at least as many channels as `key_reduction` and "
                f"`value_reduction`. Received: {channels=}, key_reduction={self.key_reduction}, "
                f"value_reduction={self.value_reduction}"
            )
        value_channels = channels // self.value_reduction
        options = {"spectral_norm": self.spectral_norm, "use_bias": False}
        options["dtype"] = self.dtype_policy
        self.query = convolution(channels // self.key_reduction, 1, name="query", **options)
        self.key = convolution(channels // self.key_reduction, 1, name="key", **options)
        self.value = convolution(value_channels, 1, name="value", **options)
        self.output_conv = convolution(channels, 1, name="output", **options)
        for conv in (self.query, self.key, self.value):
            conv.build(input_shape)
        self.output_conv.build((*input_shape[:-1], value_channels))
        self.gate = self.add_weight(name="gate", shape=(), initializer=self.gate_initializer)

    def call(self, inputs, training=False, return_attention=False):
        query = _flatten_space(self.query(inputs, training=training))
        key = _flatten_space(self._pool(self.key(inputs, training=training)))
        value = _flatten_space(self._pool(self.value(inputs, training=training)))

        if return_attention:
            attention = attention_map(query, key)
            attended = ops.matmul(ops.cast(attention, value.dtype), value)
        else:
            attended = attend(query, key, value)

        _, height, width, _ = inputs.shape
        attended = ops.reshape(attended, (-1, height, width, value.shape[-1]))
        outputs = inputs + self.gate * self.output_conv(attended, training=training)
        return (outputs, attention) if return_attention else outputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def compute_output_spec(self, inputs, training=False, return_attention=False):
        outputs = keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)
        if not return_attention:
            return outputs
        batch, height, width, _ = inputs.shape
        keys = (height // self.pool_size) * (width // self.pool_size)
        dtype = keras.backend.result_type(self.compute_dtype, "float32")
        return outputs, keras.KerasTensor((batch, height * width, keys), dtype=dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "key_reduction": self.key_reduction,
            "value_reduction": self.value_reduction,
            "pool_size": self.pool_size,
            "gate_initializer": keras.initializers.serialize(self.gate_initializer),
            "spectral_norm": self.spectral_norm,
        }

    def _pool(self, features):
        if self.pool_size == 1:
            return features
        # Without explicit strides, Keras 3.15 fails on JAX.
        return ops.max_pool(
            features, self.pool_size, strides=self.pool_size, data_format="channels_last"
        )


def _flatten_space(features):
    _, height, width, channels = features.shape
    return ops.reshape(features, (-1, height * width, channels))
