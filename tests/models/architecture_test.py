"""The table of architectures, and networks that follow it."""

import numpy as np
import pytest
from keras import ops

from sagan_tf.config import ModelConfig
from sagan_tf.models import Discriminator, Generator
from sagan_tf.models.architecture import (
    ARCHITECTURES,
    architecture,
    check_model,
    describe_plans,
)
from sagan_tf.models.build import describe_networks, make_networks
from tests.autodiff import TENSORFLOW

pytestmark = pytest.mark.skipif(
    not TENSORFLOW,
    reason="widths and places are those of any backend, and JAX is slow to make them",
)

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


def _parameters(network):
    return sum(np.prod(weight.shape, dtype=int) for weight in network.trainable_weights)


@pytest.mark.parametrize(
    ("settings", "parameters"),
    [
        ({"attention_resolutions": (64,)}, (42_017_412, 39_448_258)),
        (
            {"image_size": 32, "num_classes": 10, "discriminator_base_channels": 32},
            (4_386_308, 1_075_586),
        ),
        (
            {
                "image_size": 64,
                "num_classes": 200,
                "generator_widths": (1024, 512, 256, 128, 64),
                "discriminator_widths": (64, 128, 256, 512, 1024),
            },
            (13_387_396, 19_752_642),
        ),
    ],
    ids=["imagenet_128", "cifar10_32", "tiny_imagenet_64"],
)
def test_networks_of_other_code_have_as_many_parameters(settings, parameters):
    assert tuple(map(_parameters, make_networks(ModelConfig(**settings)))) == parameters


OWN = {
    "image_size": 32,
    "num_classes": 3,
    "base_channels": 2,
    "latent_dim": 5,
    "generator_widths": (6, 4, 8, 5),
    "discriminator_widths": (3, 8, 9, 9, 8),
    "discriminator_downsampling": 3,
    "discriminator_attention_blocks": (2, 3, 5),
    "rectified_shortcut": True,
    "batch_norm_epsilon": 1e-3,
}


def test_networks_of_other_widths_and_places():
    model = ModelConfig(**OWN)
    generator, discriminator = make_networks(model)
    assert generator.linear.kernel.shape == (5, 4 * 4 * 6)
    assert [block.filters for block in generator.blocks] == [4, 8, 5]
    assert [block.filters for block in discriminator.blocks] == [3, 8, 9, 9, 8]
    assert [block.downsample for block in discriminator.blocks] == [True] * 3 + [False] * 2
    assert list(generator.gates) == ["attention_16"]
    assert list(discriminator.gates) == ["attention_8", "attention_4", "attention_4_5"]
    assert [stage.name for stage in discriminator.stages][-2:] == ["block_5", "attention_4_5"]
    norms = [norm for block in generator.blocks for norm in (block.norm_1, block.norm_2)]
    assert {norm.epsilon for norm in (*norms, generator.norm)} == {1e-3}
    for network in (generator, discriminator):
        copy = type(network).from_config(network.get_config())
        assert copy.get_config() == network.get_config()
        assert [w.shape for w in copy.weights] == [w.shape for w in network.weights]
    assert describe_networks(generator, discriminator) == model
    images = generator((np.zeros((2, 5), "float32"), np.array([0, 2], "int32")))
    assert images.shape == (2, 32, 32, 3)
    assert discriminator((images, np.array([0, 2], "int32"))).shape == (2, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"generator_widths": (8, 8)}, "`generator_widths` must be 4 numbers at 32 pixels, of the"),
        ({"generator_widths": (8, 0, 8, 8)}, "`generator_widths` must be numbers of at least 1"),
        ({"discriminator_widths": ()}, "`discriminator_widths` must be numbers of at least 1"),
        ({"discriminator_downsampling": 6}, "must be at most 5, the number of blocks"),
        ({"discriminator_downsampling": 0}, "`discriminator_downsampling` must be at least 1"),
        ({"discriminator_attention_blocks": (6,)}, r"must be in \[1, 5\], numbers of blocks"),
        ({"discriminator_attention_blocks": (1,)}, "the discriminator has 3 at resolution 16"),
        ({"batch_norm_epsilon": 0.0}, "`batch_norm_epsilon` must be more than 0"),
    ],
)
def test_refuses_what_cannot_be(change, message):
    with pytest.raises(ValueError, match=message):
        check_model(ModelConfig(**{**OWN, **change}))


DIGITS = {"image_size": 16, "base_channels": 4}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({}, {"attention_resolutions": (8,)}, True),
        (
            {"discriminator_attention_resolutions": (8, 4)},
            {"discriminator_attention_resolutions": (4, 8)},
            True,
        ),
        ({}, {"discriminator_base_channels": 4}, True),
        ({}, {"discriminator_spectral_norm": True}, True),
        ({}, {"generator_widths": (16, 16, 16)}, True),
        ({}, {"discriminator_attention_blocks": (1,)}, True),
        ({}, {"attention_resolutions": ()}, False),
        ({}, {"attention_layer": "residual"}, False),
        ({}, {"discriminator_spectral_norm": False}, False),
        ({}, {"spectral_norm": False, "discriminator_spectral_norm": True}, False),
        ({}, {"discriminator_steps": 2}, False),
        ({}, {"ema_decay": 0.5}, False),
        (
            {"attention_resolutions": ()},
            {"attention_resolutions": (), "attention_layer": "residual"},
            True,
        ),
        (
            {"attention_resolutions": (), "discriminator_attention_blocks": (1,)},
            {
                "attention_resolutions": (),
                "discriminator_attention_blocks": (1,),
                "attention_layer": "residual",
            },
            False,
        ),
    ],
)
def test_settings_that_make_the_same_networks(one, other, same):
    plans = [describe_plans(ModelConfig(**{**DIGITS, **each})) for each in (one, other)]
    assert (plans[0] == plans[1]) == same
