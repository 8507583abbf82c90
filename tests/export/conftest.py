"""One tiny model with everything, one with as little as possible, both exported once."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from sagan_tf import SAGAN, Discriminator, Generator
from sagan_tf.export import export_saved_model


def make_sagan(num_classes, **options):
    keras.utils.set_random_seed(0)
    sagan = SAGAN(
        Generator(16, 1, num_classes, base_channels=4, latent_dim=8, **options),
        Discriminator(16, 1, num_classes, base_channels=4),
    )
    rng = np.random.default_rng(0)
    for weight in sagan.ema_generator.weights:
        weight.assign(weight + 0.01 * np.abs(rng.standard_normal(weight.shape)))
    return sagan


@pytest.fixture(scope="session")
def sagan():
    return make_sagan(3)


@pytest.fixture(scope="session")
def path(sagan, tmp_path_factory):
    return export_saved_model(sagan, tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="session")
def model(path):
    return tf.saved_model.load(str(path))


@pytest.fixture(scope="session")
def plain_sagan():
    """It has neither classes nor attention."""
    return make_sagan(None, attention_resolutions=())


@pytest.fixture(scope="session")
def plain_path(plain_sagan, tmp_path_factory):
    return export_saved_model(plain_sagan, tmp_path_factory.mktemp("plain"))
