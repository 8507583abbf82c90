"""Runs that begin with the weights of another model."""

import shutil

import numpy as np
import pytest

from sagan_tf import SAGAN
from sagan_tf.config import RunOptions
from sagan_tf.models import preset
from sagan_tf.training import train
from sagan_tf.training.train import make_model
from tests.tiny import tiny

CONFIG = preset("sagan_digits_16").override(
    steps=2, batch_size=8, base_channels=4, latent_dim=8, discriminator_steps=1
)
OPTIONS = RunOptions(log_every=1, checkpoint_every=1, sample_every=4)


@pytest.fixture(scope="module")
def origin(tmp_path_factory):
    """A model folder of ten classes."""
    directory = tmp_path_factory.mktemp("origin")
    sagan = tiny(10)
    sagan.class_names = tuple("0123456789")
    sagan.save_preset(directory)
    return directory


def values(network):
    return {weight.path.partition("/")[2]: np.array(weight) for weight in network.weights}


def test_it_begins_with_the_weights_and_freezes_some(origin, tmp_path):
    config = CONFIG.override(init_from=str(origin), freeze_discriminator=2)
    sagan = train(config, tmp_path / "run", OPTIONS)
    before, after = (values(each.discriminator) for each in (SAGAN.from_preset(origin), sagan))
    kernels = [path for path in before if path.endswith("kernel")]
    unchanged = [path for path in kernels if np.array_equal(before[path], after[path])]
    assert unchanged == [path for path in kernels if path.startswith(("block_1/", "block_2/"))]
    # Adam's steps are small.
    for path in set(kernels) - set(unchanged):
        np.testing.assert_allclose(after[path], before[path], atol=0.01)
    assert len(sagan.recipe.init_digest) == 16
    loaded = SAGAN.from_preset(tmp_path / "run")
    assert loaded.recipe == sagan.recipe

    # What the run was begun with may be gone.
    shutil.move(origin, tmp_path / "moved")
    try:
        assert train(config, tmp_path / "run", OPTIONS).step == 2
        longer = RunOptions(log_every=1, checkpoint_every=1, extend=True)
        assert train(config.override(steps=3), tmp_path / "run", longer).step == 3
        other = tmp_path / "other"
        with pytest.raises(ValueError, match="origin"):
            train(config, other, OPTIONS)
        assert not other.exists()
    finally:
        shutil.move(tmp_path / "moved", origin)


def test_other_weights_than_it_was_begun_with(origin, tmp_path):
    begun = tmp_path / "origin"
    shutil.copytree(origin, begun)
    config = CONFIG.override(init_from=str(begun))
    train(config, tmp_path / "run", OPTIONS)
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    shutil.rmtree(tmp_path / "run" / "preset")
    other = tiny(10)
    other.generator.to_image.layer.bias.assign([0.5])
    other.save_preset(begun)
    with pytest.raises(ValueError, match="has other weights than this run was begun with"):
        train(config, tmp_path / "run", OPTIONS)


def test_there_are_fewer_blocks_to_freeze():
    with pytest.raises(ValueError, match="`freeze_discriminator` must be at most 3"):
        make_model(CONFIG.override(init_from="x", freeze_discriminator=4))
