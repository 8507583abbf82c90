"""What the generator and the discriminator have in common."""

import keras

from sagan_tf.layers import GatedResidualBlock, SelfAttention

_SHARED = (
    "image_size",
    "channels",
    "num_classes",
    "base_channels",
    "attention_resolutions",
    "attention_layer",
    "spectral_norm",
)


class Network(keras.Model):
    """Residual blocks, with self-attention, or what stands in its place, after some of them.

    A subclass documents the arguments, checks them by a `ModelConfig`, and passes its blocks to
    `_set_stages`. Features pass through `stages`: the `blocks`, and the attention layers, or the
    residual blocks in their place, between them.
    """

    def __init__(self, settings, plan, **kwargs):
        super().__init__(**kwargs)
        self.plan = plan
        for name in _SHARED:
            setattr(self, name, getattr(settings, name))

    @property
    def attentions(self):
        """List of the attention layers, empty if residual blocks stand in their place."""
        # The files of weights name these layers after this property.
        return [stage for stage in self.stages if isinstance(stage, SelfAttention)]

    @property
    def gates(self):
        """Dict from `"attention_<resolution>"` to the gate of the attention there."""
        return {attention.name: attention.gate for attention in self.attentions}

    def get_config(self):
        return {**super().get_config(), **{name: getattr(self, name) for name in _SHARED}}

    def _set_stages(self, blocks):
        """Sets `blocks`, which are made of the last ones of the plan, and `stages`."""
        # The blocks are tracked before the attention layers: this is the order of the weights.
        self.blocks = blocks
        stages = list(blocks)
        for name, index in self.plan.attention.items():
            options = {"spectral_norm": self.spectral_norm, "dtype": self.dtype_policy}
            if self.attention_layer == "self_attention":
                layer = SelfAttention(name=name, **options)
            else:
                layer = GatedResidualBlock(name=name.replace("attention", "residual"), **options)
            block = blocks[index - len(self.plan.widths)]
            stages.insert(stages.index(block) + 1, layer)
        self.stages = stages
