import pytest

from sagan_tf import SAGAN
from sagan_tf.config import Recipe
from sagan_tf.losses import LOSSES, PENALTIES
from sagan_tf.losses.augmentation import AUGMENTATIONS
from sagan_tf.models import PRESETS, preset
from sagan_tf.models.model_folder import bundled_path

SHIPPED = [name for name in PRESETS if bundled_path(name)]


def test_settings_name_what_exists():
    registries = {"loss": LOSSES, "penalty": PENALTIES, "augmentation": AUGMENTATIONS}
    for name, registry in registries.items():
        field = Recipe.__dataclass_fields__[name]
        assert set(field.metadata["choices"]) == set(registry)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_cites_a_source(name):
    config = preset(name)
    assert len(config.reference) > 50
    assert str(config.model.image_size) in name


@pytest.mark.parametrize("name", ["sagan_digits_16", "sagan_cifar10_32"])
def test_from_preset_without_weights_builds_the_networks(name):
    assert SAGAN.from_preset(name, load_weights=False).config == preset(name)


def test_an_unknown_preset_lists_the_known_ones():
    with pytest.raises(ValueError, match="Did you mean sagan_digits_16") as info:
        preset("sagan_digits")
    assert all(name in str(info.value) for name in PRESETS)


@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_shipped(name):
    files = [path for path in bundled_path(name).rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 25 * 2**20
    assert {"README.md", "samples.png", "attention.png", "curves.png"} <= {p.name for p in files}
    sagan = SAGAN.from_preset(name)
    assert sagan.config.model == preset(name).model
    # No path of the machine on which it was trained.
    assert sagan.recipe.dataset == preset(name).recipe.dataset
    images = sagan.generate(labels=sagan.class_names[-2:], seed=0)
    assert images.std(axis=0).mean() > 0.1
