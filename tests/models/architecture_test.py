import pytest

from sagan_tf.models import Discriminator, Generator
from sagan_tf.models.architecture import (
    ARCHITECTURES,
    architecture,
    attention_after,
    check_arguments,
)

# image_size: multiples of base_channels of the generator's and discriminator's blocks, resolutions
# after the latter, attention
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
    plan = architecture(image_size)
    assert plan.attention == attention
    networks = [
        (network_class(image_size, base_channels=1, attention_resolutions=()), widths)
        for network_class, widths in (
            (Generator, generator_widths),
            (Discriminator, discriminator_widths),
        )
    ]
    for network, widths in networks:
        assert [block.filters for block in network.blocks] == widths
        assert not network.gates
    generator, discriminator = networks[0][0], networks[1][0]
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


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("num_classes", [1, 1000, None])
def test_arguments_in_range(channels, num_classes):
    check_arguments(channels, num_classes, base_channels=1, latent_dim=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, None), "channels=0"),
        ((3, -1), "num_classes=-1"),
        ((3, 2, 5, -2), "latent_dim=-2"),
        ((3, 2, 0, 0), "base_channels=0"),
    ],
)
def test_arguments_out_of_range(arguments, message):
    positive = dict(zip(("base_channels", "latent_dim"), arguments[2:], strict=False))
    with pytest.raises(ValueError, match=message):
        check_arguments(*arguments[:2], **positive)


BLOCKS = [(16, 64), (8, 32), (4, 16), (4, 16), (2, 7)]


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (None, [None, 8, None, None, None]),
        ((), [None] * 5),
        ([16], [16, None, None, None, None]),
        ((4, 16), [16, None, 4, None, None]),  # The first of two blocks at 4.
    ],
)
def test_attention_after(wanted, chosen):
    assert attention_after(wanted, 8, BLOCKS) == chosen


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ((8, 5), r"among \[2, 4, 8, 16\].*\(8, 5\)"),
        ((2,), "at least 8 channels.*resolution 2 has 7"),
    ],
)
def test_attention_where_it_cannot_be(wanted, message):
    with pytest.raises(ValueError, match=message):
        attention_after(wanted, 8, BLOCKS)


def test_arguments_of_the_wrong_type():
    with pytest.raises(TypeError, match="`base_channels` must be an int. Received: .*1.5"):
        check_arguments(3, None, base_channels=1.5)
    with pytest.raises(TypeError, match="`attention_resolutions` must be a tuple of ints"):
        attention_after(8, 8, BLOCKS)
