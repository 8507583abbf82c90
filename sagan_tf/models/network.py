"""What the generator and the discriminator have in common."""

import keras

from sagan_tf.config import ModelConfig
from sagan_tf.layers import SelfAttention
from sagan_tf.models.architecture import architecture


class Network(keras.Model):
    """Residual blocks, with self-attention after some of them.

    A subclass documents the arguments, and passes its blocks to `_set_stages`. Features pass
    through `stages`: the `blocks`, and the attention layers between them.
    """

    def __init__(
        self,
        image_size,
        channels,
        num_classes,
        base_channels,
        attention_resolutions,
        spectral_norm,
        **kwargs,
    ):
        settings = ModelConfig(  # checks them
            image_size=image_size,
            channels=channels,
            num_classes=num_classes,
            base_channels=base_channels,
            attention_resolutions=attention_resolutions,
            spectral_norm=spectral_norm,
        )
        plan = architecture(image_size)
        super().__init__(**kwargs)
        self.architecture = plan
        self.image_size = image_size
        self.channels = channels
        self.num_classes = num_classes
        self.base_channels = base_channels
        self.attention_resolutions = settings.attention_resolutions
        self.spectral_norm = spectral_norm

    @property
    def attentions(self):
        """List of the attention layers."""
        # The files of weights name these layers after this property.
        return [stage for stage in self.stages if isinstance(stage, SelfAttention)]

    @property
    def gates(self):
        """Dict from `"attention_<resolution>"` to the gate of the attention there."""
        return {attention.name: attention.gate for attention in self.attentions}

    def get_config(self):
        own = ("image_size", "channels", "num_classes", "base_channels", "attention_resolutions")
        config = {name: getattr(self, name) for name in (*own, "spectral_norm")}
        return {**super().get_config(), **config}

    def _set_stages(self, network, blocks):
        """Sets `blocks` and `stages` of the network that `Architecture` calls `network`."""
        # The blocks are tracked before the attention layers: this is the order of the weights.
        self.blocks = blocks
        stages = list(blocks)
        places = self.architecture.attention_blocks(
            network, self.base_channels, self.attention_resolutions
        )
        for resolution, index in places.items():
            attention = SelfAttention(
                spectral_norm=self.spectral_norm,
                name=f"attention_{resolution}",
                dtype=self.dtype_policy,
            )
            stages.insert(stages.index(blocks[index]) + 1, attention)
        self.stages = stages
