import pytest

from sagan_tf import SAGAN
from sagan_tf.losses import LOSSES, PENALTIES
from sagan_tf.models import PRESETS, preset


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_cites_a_source_and_names_what_exists(name):
    config = preset(name)
    assert len(config.reference) > 50
    assert config.recipe.loss in LOSSES
    assert config.recipe.penalty is None or config.recipe.penalty in PENALTIES
    assert str(config.model.image_size) in name


@pytest.mark.parametrize("name", ["sagan_digits_16", "sagan_cifar10_32"])
def test_from_preset_without_weights_builds_the_networks(name):
    sagan = SAGAN.from_preset(name, load_weights=False)
    config = preset(name).model
    assert sagan.generator.image_size == config.image_size
    assert sagan.discriminator.base_channels == config.base_channels
    assert sagan.ema_decay == config.ema_decay


def test_a_preset_without_weights_is_an_error_that_says_what_to_do():
    with pytest.raises(ValueError, match=r"has no trained weights: .* load_weights=False"):
        SAGAN.from_preset("sagan_imagenet_128")


def test_an_unknown_preset_lists_the_known_ones():
    with pytest.raises(ValueError, match="Did you mean sagan_digits_16") as info:
        preset("sagan_digits")
    assert all(name in str(info.value) for name in PRESETS)
    with pytest.raises(ValueError, match="sagan_imagenet_64"):
        SAGAN.from_preset("sagan_digits")
