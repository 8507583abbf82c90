"""Widths and attention of the networks by image size."""

import dataclasses

MIN_ATTENTION_CHANNELS = 8


@dataclasses.dataclass(frozen=True)
class Architecture:
    """What `image_size` decides. Widths are channels of blocks in multiples of `base_channels`.

    Every block of the generator doubles the resolution of a 4x4 map, as wide as the first block;
    the first `discriminator_downsampling` blocks of the discriminator halve the resolution.
    `attention` is the resolution of the attention in both where no other is asked for.
    """

    generator_widths: tuple[int, ...]
    discriminator_widths: tuple[int, ...]
    discriminator_downsampling: int
    attention: int

    @property
    def generator_resolutions(self):
        """Resolutions of what the generator's blocks return."""
        return [8 << index for index in range(len(self.generator_widths))]

    @property
    def discriminator_resolutions(self):
        """Resolutions of what the discriminator's blocks return."""
        image_size, halvings = self.generator_resolutions[-1], self.discriminator_downsampling
        return [
            image_size >> min(index + 1, halvings)
            for index in range(len(self.discriminator_widths))
        ]

    def attention_blocks(self, network, base_channels, chosen=None):
        """Where a network attends.

        Args:
            network: `"generator"` or `"discriminator"`.
            base_channels: int, unit of its widths.
            chosen: Sequence of resolutions. Defaults to `None`, that of the table.

        Returns:
            Dict from resolutions to the index of the block that attention follows, the first of
            those that return this resolution.

        Raises:
            ValueError: if no block has the resolution, or it has too few channels there.
        """
        chosen = (self.attention,) if chosen is None else tuple(chosen)
        resolutions = getattr(self, f"{network}_resolutions")
        widths = getattr(self, f"{network}_widths")
        places = {}
        for resolution in chosen:
            if resolution not in resolutions:
                raise ValueError(
                    f"`attention_resolutions` must be among {sorted(set(resolutions))}, the "
                    f"resolutions of the {network}'s feature maps. Received: {chosen}"
                )
            index = resolutions.index(resolution)
            channels = base_channels * widths[index]
            if channels < MIN_ATTENTION_CHANNELS:
                raise ValueError(
                    f"Attention needs at least {MIN_ATTENTION_CHANNELS} channels, but the "
                    f"{network} has {channels} at resolution {resolution}: raise `base_channels` "
                    f"or change `attention_resolutions`. Received: {chosen}"
                )
            places[resolution] = index
        return places


# 128 is the official SAGAN code's; 256 and 64 continue it as BigGAN does (appendix B). 32 is the
# CIFAR-10 network of Miyato et al. (2018), table 4, and 16 is that network with one block less.
ARCHITECTURES = {
    16: Architecture((4, 4), (4, 4, 4), 2, attention=8),
    32: Architecture((4, 4, 4), (4, 4, 4, 4), 2, attention=16),
    64: Architecture((8, 4, 2, 1), (1, 2, 4, 8, 8), 4, attention=32),
    128: Architecture((16, 8, 4, 2, 1), (1, 2, 4, 8, 16, 16), 5, attention=32),
    256: Architecture((16, 8, 8, 4, 2, 1), (1, 2, 4, 8, 8, 16, 16), 6, attention=64),
}


def architecture(image_size):
    """Returns the `Architecture` of an image size; a ValueError lists those that exist."""
    if image_size not in ARCHITECTURES:
        raise ValueError(
            f"`image_size` must be one of {sorted(ARCHITECTURES)}. Received: {image_size=}"
        )
    return ARCHITECTURES[image_size]


def check_model(model):
    """Raises a ValueError if there are no such networks as a `ModelConfig` describes."""
    plan = architecture(model.image_size)
    for network, own in {"generator": model, "discriminator": model.of_discriminator()}.items():
        plan.attention_blocks(network, own.base_channels, own.attention_resolutions)
