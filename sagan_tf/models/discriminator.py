"""The discriminator network."""

import keras
from keras import ops

from sagan_tf.config import ModelConfig
from sagan_tf.layers import DiscriminatorBlock
from sagan_tf.layers.spectral_normalization import spectrally_normalized
from sagan_tf.models.architecture import discriminator_plan
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
        widths: Sequence of ints, channels of each block. Defaults to `None`, multiples of
            `base_channels` by the image size.
        downsampling: int, number of blocks that halve the resolution, which come first. Defaults to
            `None`, that of the image size.
        attention_blocks: Sequence of ints, numbers, from 1, of the blocks after which to attend.
            Defaults to `None`: `attention_resolutions` says it.
        rectified_shortcut: bool, whether shortcuts take `max(x, 0)`, see `DiscriminatorBlock`.
            Defaults to `False`.
        attention_layer: str, `"self_attention"` or `"residual"`, for a `GatedResidualBlock` in the
            place of each attention. Defaults to `"self_attention"`.
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
        widths=None,
        downsampling=None,
        attention_blocks=None,
        rectified_shortcut=False,
        attention_layer="self_attention",
        **kwargs,
    ):
        settings = ModelConfig(  # checks them
            image_size=image_size,
            channels=channels,
            num_classes=num_classes,
            base_channels=base_channels,
            attention_resolutions=attention_resolutions,
            spectral_norm=spectral_norm,
            discriminator_widths=widths,
            discriminator_downsampling=downsampling,
            discriminator_attention_blocks=attention_blocks,
            rectified_shortcut=rectified_shortcut,
            attention_layer=attention_layer,
        )
        super().__init__(settings, discriminator_plan(settings), **kwargs)
        self.widths = settings.discriminator_widths
        self.downsampling = downsampling
        self.attention_blocks = settings.discriminator_attention_blocks
        self.rectified_shortcut = rectified_shortcut

        resolutions = (image_size, *self.plan.resolutions)
        blocks = [
            DiscriminatorBlock(
                width,
                downsample=resolutions[index] > resolutions[index + 1],
                preactivation=index > 0,
                spectral_norm=spectral_norm,
                rectified_shortcut=rectified_shortcut,
                name=f"block_{index + 1}",
                dtype=self.dtype_policy,
            )
            for index, width in enumerate(self.plan.widths)
        ]
        self._set_stages(blocks)
        # The head runs in the variables' precision: its sums set the scale of the loss.
        linear = keras.layers.Dense(1, name="linear", dtype=self.variable_dtype)
        self.linear = spectrally_normalized(linear, spectral_norm)
        self.embedding = None
        if num_classes is not None:
            options = {"name": "embedding", "dtype": self.variable_dtype}
            embedding = keras.layers.Embedding(
                num_classes, self.plan.widths[-1], "glorot_uniform", **options
            )
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

    def get_config(self):
        own = ("widths", "downsampling", "attention_blocks", "rectified_shortcut")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}
