"""Widths and attention of the networks by image size."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Architecture:
    """What `image_size` decides.

    Attributes:
        generator_widths: Channels of the generator's blocks in multiples of `base_channels`; the
            first is also the width of the 4x4 map they start from. Every block doubles the
            resolution.
        discriminator_widths: Channels of the discriminator's blocks.
        discriminator_downsampling: How many of the discriminator's blocks, from the first on,
            halve the resolution.
        attention: Resolution of the attention in both networks, unless it is chosen.
    """

    generator_widths: tuple[int, ...]
    discriminator_widths: tuple[int, ...]
    discriminator_downsampling: int
    attention: int


# 128 is the official SAGAN code's; 256 and 64 continue it as BigGAN does (appendix B). 32 is the
# CIFAR-10 network of Miyato et al. (2018), table 4, and 16 that with one block less.
ARCHITECTURES = {
    16: Architecture((4, 4), (4, 4, 4), 2, attention=8),
    32: Architecture((4, 4, 4), (4, 4, 4, 4), 2, attention=16),
    64: Architecture((8, 4, 2, 1), (1, 2, 4, 8, 8), 4, attention=32),
    128: Architecture((16, 8, 4, 2, 1), (1, 2, 4, 8, 16, 16), 5, attention=32),
    256: Architecture((16, 8, 8, 4, 2, 1), (1, 2, 4, 8, 8, 16, 16), 6, attention=64),
}
MIN_ATTENTION_CHANNELS = 8


def architecture(image_size):
    """The `Architecture` of an image size; a ValueError lists those that exist."""
    if image_size not in ARCHITECTURES:
        raise ValueError(
            f"`image_size` must be one of {sorted(ARCHITECTURES)}. Received: {image_size=}"
        )
    return ARCHITECTURES[image_size]


def check_arguments(channels, num_classes, **positive):
    """Raises an error that names the first argument of the wrong type or out of range."""
    if channels not in (1, 3):
        raise ValueError(f"`channels` must be 1 (grey) or 3 (RGB). Received: {channels=}")
    if num_classes is not None and num_classes < 1:
        raise ValueError(f"`num_classes` must be at least 1 or None. Received: {num_classes=}")
    for name, value in positive.items():
        if not isinstance(value, int):
            raise TypeError(f"`{name}` must be an int. Received: {name}={value!r}")
        if value < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {name}={value}")


def attention_after(attention_resolutions, default, blocks):
    """Chooses the blocks that attention follows.

    Args:
        attention_resolutions: Resolutions at which to attend; `None` means `(default,)`.
        default: int, the architecture's resolution.
        blocks: `(resolution, channels)` of each block's output, in order.

    Returns:
        For each block the resolution of the attention after it, or `None`. Where several blocks
        share a resolution, attention follows the first.

    Raises:
        TypeError: if `attention_resolutions` is no sequence.
        ValueError: if no block has a resolution, or the map there has fewer than 8 channels.
    """
    if attention_resolutions is None:
        attention_resolutions = (default,)
    if not isinstance(attention_resolutions, (tuple, list)):
        raise TypeError(
            "`attention_resolutions` must be a tuple of ints, or None. "
            f"Received: {attention_resolutions=}"
        )
    wanted = tuple(attention_resolutions)
    first = {}
    for index, (resolution, channels) in enumerate(blocks):
        first.setdefault(resolution, (index, channels))
    chosen = [None] * len(blocks)
    for resolution in wanted:
        if resolution not in first:
            raise ValueError(
                f"`attention_resolutions` must be among {sorted(first)}, the resolutions of the "
                f"network's feature maps. Received: attention_resolutions={wanted}"
            )
        index, channels = first[resolution]
        if channels < MIN_ATTENTION_CHANNELS:
            raise ValueError(
                f"Attention needs at least {MIN_ATTENTION_CHANNELS} channels, but the feature map "
                f"at resolution {resolution} has {channels}: raise `base_channels` or change "
                f"`attention_resolutions`. Received: attention_resolutions={wanted}"
            )
        chosen[index] = resolution
    return chosen
