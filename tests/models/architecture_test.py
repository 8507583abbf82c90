"""The table of architectures, and networks that follow it."""

import numpy as np
import pytest
from keras import ops

from sagan_tf.models import Discriminator, Generator
from sagan_tf.models.architecture import ARCHITECTURES, architecture

# A row has the widths of the generator's and the discriminator's blocks in multiples of
# base_channels, the resolutions after the latter, that of the attention, and other settings.
TABLE = {
    16: ([4, 4], [4, 4, 4], [8, 4, 4], 8, (1, 3, 2)),
    32: ([4, 4, 4], [4, 4, 4, 4], [16, 8, 8, 8], 16, (3, None, 2)),
    64: ([8, 4, 2, 1], [1, 2, 4, 8, 8], [32, 16, 8, 4, 4], 32, (1, 3, 8)),
    128: ([16, 8, 4, 2, 1], [1, 2, 4, 8, 16, 16], [64, 32, 16, 8, 4, 4], 32, (3, 3, 4)),
    256: (
        [16, 8, 8, 4, 2, 1],
        [1, 2, 4, 8, 8, 16, 16],
        [128, 64, 32, 16, 8, 4, 4],
        64,
        (3, None, 4),
    ),
}


@pytest.mark.parametrize("image_size", TABLE)
def test_networks_follow_the_table(image_size):
    assert set(ARCHITECTURES) == set(TABLE)
    generator_widths, discriminator_widths, resolutions, attention, settings = TABLE[image_size]
    channels, _, base_channels = settings
    generator = Generator(image_size, *settings, latent_dim=5)
    discriminator = Discriminator(image_size, *settings)
    for network, widths in (generator, generator_widths), (discriminator, discriminator_widths):
        assert [block.filters / base_channels for block in network.blocks] == widths
        assert list(network.gates) == [f"attention_{attention}"]
    assert generator.linear.kernel.shape == (5, 4 * 4 * base_channels * generator_widths[0])
    size, sizes = image_size, []
    for block in discriminator.blocks:
        size = size // 2 if block.downsample else size
        sizes.append(size)
    assert sizes == resolutions
    assert [block.preactivation for block in discriminator.blocks] == [False] + [True] * (
        len(sizes) - 1
    )

    latents = np.random.default_rng(0).standard_normal((3, 5)).astype("float32")
    labels = np.array([2, 0, 1], "int32")
    images, maps = generator((latents, labels), return_attention=True)
    assert images.shape == (3, image_size, image_size, channels)
    assert maps[f"attention_{attention}"].shape == (3, attention**2, attention**2 // 4)
    logits = discriminator((images, labels))
    assert logits.shape == (3, 1)
    assert np.abs(ops.convert_to_numpy(images)).max() <= 1
    for outputs in (images, logits):
        assert np.isfinite(outputs).all() and np.std(outputs) > 0


@pytest.mark.parametrize("image_size", [0, 33, 512, "128", None])
def test_other_sizes_are_an_error(image_size):
    with pytest.raises(ValueError, match=r"one of \[16, 32, 64, 128, 256\]. Received: image_size="):
        architecture(image_size)
