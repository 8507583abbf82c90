"""The discriminator network."""

import keras
from keras import ops

from sagan_tf.layers import DiscriminatorBlock
from sagan_tf.layers.spectral_normalization import spectrally_normalized
from sagan_tf.models.network import Network


@keras.saving.register_keras_serializable(package="sagan_tf")
class Discriminator(Network):
    """Residual projection discriminator with self-attention.

    Residual blocks reduce the image, with attention after the first of each chosen resolution; ReLU
    and the sum over space give features. The logit is the sum of a linear layer and the projection
    `<embedding(label), features>`. The model is built by its constructor.

    Args:
        image_size: int, one of 16, 32, 64, 128 and 256. Defaults to `128`.
        channels: int, 1 or 3. Defaults to `3`.
        num_classes: int, or `None` for no projection. Defaults to `1000`.
        base_channels: int, unit of the widths. Defaults to `64`.
        attention_resolutions: Sequence of resolutions at which to attend, `()` for none. Defaults
            to `None`, that of the image size (32 at 128).
        spectral_norm: bool, whether kernels are spectrally normalized. Defaults to `True`.
        **kwargs: `name`, `trainable` and `dtype`.

    Call arguments:
        inputs: `(images, labels)`, float images of shape `(batch, image_size, image_size,
            channels)` in [-1, 1] and integer labels of shape `(batch,)` in `[0, num_classes)`,
            which an unconditional discriminator ignores.
        training: bool, whether the power iterations advance. Defaults to `False`.

    Output shape:
        Logits `(batch, 1)`, float32.

    Raises:
        ValueError: if an argument is out of range, a resolution of attention is not one of the
            network's or has fewer than 8 channels there.

    Reference:
        [Zhang et al., 2019](https://arxiv.org/abs/1805.08318), section 5, and its official code;
        [Miyato & Koyama, 2018](https://arxiv.org/abs/1802.05637), equation 4.
    """

    def __init__(
        self,
        image_size=128,
        channels=3,
        num_classes=1000,
        base_channels=64,
        attention_resolutions=None,
        spectral_norm=True,
        **kwargs,
    ):
        shared = (image_size, channels, num_classes, base_channels)
        super().__init__(*shared, attention_resolutions, spectral_norm, **kwargs)
        widths = [base_channels * multiple for multiple in self.architecture.discriminator_widths]
        blocks = [
            DiscriminatorBlock(
                width,
                downsample=number <= self.architecture.discriminator_downsampling,
                preactivation=number > 1,
                spectral_norm=spectral_norm,
                name=f"block_{number}",
                dtype=self.dtype_policy,
            )
            for number, width in enumerate(widths, start=1)
        ]
        self._set_stages("discriminator", blocks)
        # The head runs in the variables' precision: its sums set the scale of the loss.
        linear = keras.layers.Dense(1, name="linear", dtype=self.variable_dtype)
        self.linear = spectrally_normalized(linear, spectral_norm)
        self.embedding = None
        if num_classes is not None:
            options = {"name": "embedding", "dtype": self.variable_dtype}
            embedding = keras.layers.Embedding(num_classes, widths[-1], "glorot_uniform", **options)
            self.embedding = spectrally_normalized(embedding, spectral_norm)
        self.build([(None, image_size, image_size, channels), (None,)])

    def build(self, input_shape):
        shape, labels = input_shape
        for stage in self.stages:
            stage.build(shape)
            shape = stage.compute_output_shape(shape)
        self.linear.build((None, shape[-1]))
        if self.embedding:
            self.embedding.build(labels)
        self.built = True

    def call(self, inputs, training=False):
        x, labels = inputs
        for stage in self.stages:
            x = stage(x, training=training)
        features = ops.sum(ops.cast(ops.relu(x), self.variable_dtype), axis=(1, 2))
        logits = self.linear(features, training=training)
        if self.embedding:
            embedded = self.embedding(labels, training=training)
            logits = logits + ops.sum(embedded * features, axis=1, keepdims=True)
        return logits
