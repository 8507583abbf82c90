"""The generator network."""

import keras
from keras import ops

from sagan_tf.config import ModelConfig
from sagan_tf.layers import ConditionalBatchNorm, GeneratorBlock, SelfAttention
from sagan_tf.layers.resampling_conv2d import convolution
from sagan_tf.layers.spectral_normalization import spectrally_normalized
from sagan_tf.models.architecture import generator_plan
from sagan_tf.models.network import Network


@keras.saving.register_keras_serializable(package="sagan_tf")
class Generator(Network):
    """Residual generator with self-attention and class-conditional batch norm.

    A linear layer makes a 4x4 map, residual blocks double it up to the image size, with attention
    after the blocks whose resolution is chosen; batch norm, ReLU, a 3x3 convolution and tanh make
    the image. The model is built by its constructor.

    Args:
        image_size: int, one of 16, 32, 64, 128 and 256. Defaults to `128`.
        channels: int, 1 or 3. Defaults to `3`.
        num_classes: int, or `None` for an unconditional generator. Defaults to `1000`.
        base_channels: int, unit of the widths. Defaults to `64`.
        latent_dim: int, size of the latent vectors. Defaults to `128`.
        attention_resolutions: Sequence of resolutions at which to attend, `()` for none. Defaults
            to `None`, that of the image size (32 at 128).
        spectral_norm: bool, whether kernels are spectrally normalized. Defaults to `True`.
        widths: Sequence of ints, channels of the 4x4 map and of each block. Defaults to `None`,
            multiples of `base_channels` by the image size.
        batch_norm_epsilon: float, what batch norm adds to the variance. Defaults to `1e-5`.
        attention_layer: str, `"self_attention"` or `"residual"`, for a `GatedResidualBlock` in the
            place of each attention. Defaults to `"self_attention"`.
        **kwargs: `name`, `trainable` and `dtype`.

    Call arguments:
        inputs: `(latents, labels)`, floats of shape `(batch, latent_dim)` and integers of shape
            `(batch,)` in `[0, num_classes)`, which an unconditional generator ignores. Labels that
            are floats of shape `(batch, num_classes)` are weights, which mix classes.
        training: bool, whether batch norm uses the statistics of the batch and the power iterations
            advance. Defaults to `False`.
        return_attention: bool, whether to return the attention maps as well. Defaults to `False`.

    Output shape:
        Images `(batch, image_size, image_size, channels)`, float32 in [-1, 1]. With
        `return_attention` a tuple of images and a dict from `"attention_<resolution>"` to float32
        maps `(batch, resolution^2, resolution^2 / 4)`, empty for a network that does not attend.

    Raises:
        ValueError: if an argument is out of range, a resolution of attention is not one of the
            network's or has fewer than 8 channels there.

    Example:

    ```python
    generator = sagan_tf.Generator(image_size=32, num_classes=10, base_channels=32)
    labels = keras.ops.arange(4)
    images = generator((keras.random.normal((4, 128)), labels))  # (4, 32, 32, 3)
    ```

    Reference:
        [Zhang et al., 2019](https://arxiv.org/abs/1805.08318), section 5, and its official code.
    """

    def __init__(
        self,
        image_size=128,
        channels=3,
        num_classes=1000,
        base_channels=64,
        latent_dim=128,
        attention_resolutions=None,
        spectral_norm=True,
        widths=None,
        batch_norm_epsilon=1e-5,
        attention_layer="self_attention",
        **kwargs,
    ):
        settings = ModelConfig(  # checks them
            image_size=image_size,
            channels=channels,
            num_classes=num_classes,
            base_channels=base_channels,
            latent_dim=latent_dim,
            attention_resolutions=attention_resolutions,
            spectral_norm=spectral_norm,
            generator_widths=widths,
            batch_norm_epsilon=batch_norm_epsilon,
            attention_layer=attention_layer,
        )
        super().__init__(settings, generator_plan(settings), **kwargs)
        self.latent_dim = latent_dim
        self.widths = settings.generator_widths
        self.batch_norm_epsilon = settings.batch_norm_epsilon

        policy = {"dtype": self.dtype_policy}
        self.map_width, *block_widths = self.plan.widths
        linear = keras.layers.Dense(4 * 4 * self.map_width, name="linear", **policy)
        self.linear = spectrally_normalized(linear, spectral_norm)
        blocks = [
            GeneratorBlock(
                width,
                num_classes,
                spectral_norm,
                batch_norm_epsilon,
                name=f"block_{number}",
                **policy,
            )
            for number, width in enumerate(block_widths, start=1)
        ]
        self._set_stages(blocks)
        self.norm = ConditionalBatchNorm(epsilon=batch_norm_epsilon, name="norm", **policy)
        self.to_image = convolution(
            channels, 3, spectral_norm=spectral_norm, name="to_image", **policy
        )
        self.build([(None, latent_dim), (None,)])

    def build(self, input_shape):
        latents, labels = input_shape
        self.linear.build(latents)
        shape = (None, 4, 4, self.map_width)
        for stage in self.stages:
            inputs = [shape, labels] if isinstance(stage, GeneratorBlock) else shape
            stage.build(inputs)
            shape = stage.compute_output_shape(inputs)
        self.norm.build(shape)
        self.to_image.build(shape)
        self.built = True

    def call(self, inputs, training=False, return_attention=False):
        latents, labels = inputs
        x = self.linear(latents, training=training)
        x = ops.reshape(x, (-1, 4, 4, self.map_width))
        maps = {}
        for stage in self.stages:
            if isinstance(stage, GeneratorBlock):
                x = stage((x, labels), training=training)
            elif return_attention and isinstance(stage, SelfAttention):
                x, maps[stage.name] = stage(x, training=training, return_attention=True)
            else:
                x = stage(x, training=training)
        x = ops.relu(self.norm(x, training=training))
        x = self.to_image(x, training=training)
        images = ops.tanh(ops.cast(x, self.variable_dtype))
        return (images, maps) if return_attention else images

    def get_config(self):
        own = ("latent_dim", "widths", "batch_norm_epsilon")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}
