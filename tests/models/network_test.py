"""What both networks have in common."""

import pathlib

import numpy as np
import pytest

from sagan_tf import SAGAN
from sagan_tf.layers import GatedResidualBlock
from sagan_tf.models import Discriminator, Generator
from tests.autodiff import TENSORFLOW

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"
both = pytest.mark.parametrize("network_class", [Generator, Discriminator])


@pytest.mark.skipif(not TENSORFLOW, reason="as many parameters on any backend")
@pytest.mark.parametrize(
    ("network_class", "parameters"), [(Generator, 42_078_852), (Discriminator, 39_463_618)]
)
def test_default_is_the_published_network(network_class, parameters):
    network = network_class()
    assert sum(np.prod(v.shape, dtype=int) for v in network.trainable_variables) == parameters
    assert list(network.gates) == ["attention_32"]


@both
def test_weights_are_frozen(network_class):
    """A change of names, shapes or order breaks checkpoints and presets."""
    name = network_class.__name__.lower()
    latent_dim = {"latent_dim": 5} if network_class is Generator else {}
    weights = network_class(16, num_classes=3, base_channels=2, name=name, **latent_dim).weights
    assert [
        f"{weight.path} {tuple(weight.shape)} {'trainable' if weight.trainable else 'state'}"
        for weight in weights
    ] == (GOLDEN / f"{name}_16.txt").read_text().splitlines()


@pytest.mark.parametrize(
    ("network_class", "wanted", "stages"),
    [
        (Generator, None, ["block_1", "attention_8", "block_2"]),
        (Generator, (), ["block_1", "block_2"]),
        (Generator, (8, 8), ["block_1", "attention_8", "block_2"]),
        (Generator, [16, 8], ["block_1", "attention_8", "block_2", "attention_16"]),
        (Discriminator, None, ["block_1", "attention_8", "block_2", "block_3"]),
        # Attention follows the first of two blocks at 4.
        (Discriminator, (4,), ["block_1", "block_2", "attention_4", "block_3"]),
    ],
)
def test_attention_stands_where_it_is_asked_for(network_class, wanted, stages):
    network = network_class(16, 1, 3, base_channels=2, attention_resolutions=wanted)
    assert [stage.name for stage in network.stages] == stages
    assert list(network.gates) == [name for name in stages if "attention" in name]


@both
def test_residual_blocks_stand_in_the_place_of_attention(network_class):
    arguments = {"image_size": 16, "channels": 1, "num_classes": 3, "base_channels": 4}
    arguments["attention_resolutions"] = (8, 4) if network_class is Discriminator else (8, 16)
    network, attending = (
        network_class(**arguments, attention_layer=layer)
        for layer in ("residual", "self_attention")
    )
    assert [stage.name for stage in network.stages] == [
        stage.name.replace("attention", "residual") for stage in attending.stages
    ]
    assert {type(stage) for stage in network.stages if stage.name.startswith("residual")} == {
        GatedResidualBlock
    }
    assert network.gates == {} and network.attentions == [] and len(attending.gates) == 2
    # The control has exactly as many parameters.
    counts = [
        sum(np.prod(weight.shape, dtype=int) for weight in each.trainable_weights)
        for each in (network, attending)
    ]
    assert counts[0] == counts[1]
    copy = network_class.from_config(network.get_config())
    assert copy.get_config() == network.get_config()
    assert copy.attention_layer == "residual"


def test_the_residual_blocks_are_used():
    arguments = {"base_channels": 4, "latent_dim": 8, "attention_layer": "residual"}
    sagan = SAGAN.from_preset("sagan_digits_16", load_weights=False, **arguments)
    images, maps = sagan.generate([3], seed=0, return_attention=True)
    assert maps == {}
    logits = sagan.discriminator((images, np.array([3])))
    for network in (sagan.ema_generator, sagan.discriminator):
        (block,) = [stage for stage in network.stages if isinstance(stage, GatedResidualBlock)]
        block.gate.assign(1.0)
    assert np.abs(sagan.discriminator((images, np.array([3]))) - logits).max() > 1e-4
    assert np.abs(sagan.generate([3], seed=0) - images).max() > 1e-4


@both
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"image_size": 33}, ValueError, r"`image_size` must be one of \[16, 32, 64, 128, 256\]"),
        ({"channels": 2}, ValueError, "`channels` must be 1 or 3. Received: 2"),
        ({"num_classes": 0}, ValueError, "`num_classes` must be at least 1 or None. Received: 0"),
        ({"base_channels": 0}, ValueError, "`base_channels` must be at least 1. Received: 0"),
        ({"base_channels": 1.5}, TypeError, "`base_channels` must be of type int. Received: 1.5"),
        (
            {"base_channels": 1},
            ValueError,
            "at least 8 channels, but the .* has 4 at resolution 8: ",
        ),
        (
            {"attention_layer": "none"},
            ValueError,
            "^Unknown attention_layer: none. .*residual",
        ),
        ({"attention_resolutions": (8, 5)}, ValueError, r"must be among \[.*8.*\].*\(8, 5\)"),
        (
            {"attention_resolutions": "8"},
            TypeError,
            "`attention_resolutions` must be of type ",
        ),
    ],
)
def test_rejects(network_class, arguments, error, message):
    arguments = {"image_size": 16, "num_classes": 3, "base_channels": 2, **arguments}
    with pytest.raises(error, match=message) as raised:
        network_class(**arguments)
    assert "\n" not in str(raised.value)
    with pytest.raises(ValueError, match="`latent_dim` must be at least 1. Received: 0"):
        Generator(16, 1, 3, latent_dim=0)
