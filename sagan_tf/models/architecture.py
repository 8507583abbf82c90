"""Widths and attention of the networks by image size."""

import dataclasses


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
