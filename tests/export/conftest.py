import keras
import numpy as np
import pytest

from sagan_tf import SAGAN, Discriminator, Generator
from sagan_tf.export import export_saved_model


@pytest.fixture(scope="session")
def make_sagan():
    def make(num_classes=3, **options):
        keras.utils.set_random_seed(0)
        sagan = SAGAN(
            Generator(16, 1, num_classes, base_channels=4, latent_dim=8, **options),
            Discriminator(16, 1, num_classes, base_channels=4),
        )
        rng = np.random.default_rng(0)
        for weight in sagan.ema_generator.weights:
            weight.assign(weight + 0.01 * np.abs(rng.standard_normal(weight.shape)))
        return sagan

    return make


@pytest.fixture(scope="module")
def sagan(make_sagan):
    return make_sagan()


@pytest.fixture(scope="module")
def path(sagan, tmp_path_factory):
    return export_saved_model(sagan, tmp_path_factory.mktemp("served"))
