"""What the generator and the discriminator have in common."""

import keras

from sagan_tf.images import check_channels
from sagan_tf.layers import SelfAttention
from sagan_tf.models.architecture import architecture

MIN_ATTENTION_CHANNELS = 8


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
        plan = architecture(image_size)
        check_channels(channels)
        if num_classes is not None and num_classes < 1:
            raise ValueError(f"`num_classes` must be at least 1 or None. Received: {num_classes=}")
        check_positive("base_channels", base_channels)
        super().__init__(**kwargs)
        self.architecture = plan
        self.image_size = image_size
        self.channels = channels
        self.num_classes = num_classes
        self.base_channels = base_channels
        self.attention_resolutions = attention_resolutions
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

    def _set_stages(self, blocks, resolutions):
        """Sets `blocks` and `stages`, given the resolution of each block's output."""
        chosen = self.attention_resolutions
        chosen = (self.architecture.attention,) if chosen is None else chosen
        if not isinstance(chosen, (tuple, list)):
            raise TypeError(
                "`attention_resolutions` must be a tuple of ints, or None. "
                f"Received: attention_resolutions={chosen!r}"
            )
        received = f"Received: attention_resolutions={tuple(chosen)}"
        # The blocks are tracked before the attention layers: this is the order of the weights.
        self.blocks = blocks
        stages = list(blocks)
        for resolution in dict.fromkeys(chosen):
            if resolution not in resolutions:
                raise ValueError(
                    f"`attention_resolutions` must be among {sorted(set(resolutions))}, the "
                    f"resolutions of the network's feature maps. {received}"
                )
            # Where several blocks have the resolution, attention follows the first.
            block = blocks[resolutions.index(resolution)]
            if block.filters < MIN_ATTENTION_CHANNELS:
                raise ValueError(
                    f"Attention needs at least {MIN_ATTENTION_CHANNELS} channels, but the feature "
                    f"map at resolution {resolution} has {block.filters}: raise `base_channels` "
                    f"or change `attention_resolutions`. {received}"
                )
            attention = SelfAttention(
                spectral_norm=self.spectral_norm,
                name=f"attention_{resolution}",
                dtype=self.dtype_policy,
            )
            stages.insert(stages.index(block) + 1, attention)
        self.stages = stages


def check_positive(name, value):
    """Raises an error unless the argument of this name is an int of at least 1."""
    if not isinstance(value, int):
        raise TypeError(f"`{name}` must be an int. Received: {name}={value!r}")
    if value < 1:
        raise ValueError(f"`{name}` must be at least 1. Received: {name}={value}")
