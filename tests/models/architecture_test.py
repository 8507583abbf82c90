"""The table of architectures, and networks that follow it."""

import pytest

from sagan_tf.models import Discriminator, Generator
from sagan_tf.models.architecture import ARCHITECTURES, architecture

# A row has the widths of the generator's and the discriminator's blocks in multiples of
# base_channels, the resolutions after the latter, and that of the attention.
TABLE = {
    16: ([4, 4], [4, 4, 4], [8, 4, 4], 8),
    32: ([4, 4, 4], [4, 4, 4, 4], [16, 8, 8, 8], 16),
    64: ([8, 4, 2, 1], [1, 2, 4, 8, 8], [32, 16, 8, 4, 4], 32),
    128: ([16, 8, 4, 2, 1], [1, 2, 4, 8, 16, 16], [64, 32, 16, 8, 4, 4], 32),
    256: ([16, 8, 8, 4, 2, 1], [1, 2, 4, 8, 8, 16, 16], [128, 64, 32, 16, 8, 4, 4], 64),
}


def test_table_is_complete():
    assert set(ARCHITECTURES) == set(TABLE)


@pytest.mark.parametrize("image_size", TABLE)
def test_networks_follow_the_table(image_size):
    generator_widths, discriminator_widths, resolutions, attention = TABLE[image_size]
    assert architecture(image_size).attention == attention
    options = {"base_channels": 1, "attention_resolutions": ()}
    generator = Generator(image_size, **options)
    discriminator = Discriminator(image_size, **options)
    for network, widths in (generator, generator_widths), (discriminator, discriminator_widths):
        assert [block.filters for block in network.blocks] == widths
        assert network.stages == network.blocks
        assert not network.gates
    assert generator.linear.kernel.shape == (128, 4 * 4 * generator_widths[0])
    size, sizes = image_size, []
    for block in discriminator.blocks:
        size = size // 2 if block.downsample else size
        sizes.append(size)
    assert sizes == resolutions
    assert [block.preactivation for block in discriminator.blocks] == [False] + [True] * (
        len(sizes) - 1
    )


@pytest.mark.parametrize("image_size", [0, 33, 512, "128", None])
def test_other_sizes_are_an_error(image_size):
    with pytest.raises(ValueError, match=r"one of \[16, 32, 64, 128, 256\]. Received: image_size="):
        architecture(image_size)
