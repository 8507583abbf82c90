import keras
import numpy as np
import pytest
from keras import ops

from sagan_tf import Discriminator, Generator
from sagan_tf.models import fold_spectral_norm


@pytest.mark.parametrize("num_classes", [3, None])
def test_folded_networks_compute_the_same_without_spectral_norm(num_classes):
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    generator = Generator(16, 1, num_classes, base_channels=4, latent_dim=8)
    discriminator = Discriminator(16, 1, num_classes, base_channels=4)
    labels = np.array([0, 1, 2], "int32")
    for network, inputs in (
        (generator, rng.standard_normal((3, 8))),
        (discriminator, rng.standard_normal((3, 16, 16, 1))),
    ):
        for weight in network.trainable_weights:
            weight.assign(weight + 0.1 * rng.standard_normal(weight.shape))
        inputs = (inputs.astype("float32"), labels)
        folded = fold_spectral_norm(network)
        assert not folded.spectral_norm
        assert not any(weight.name == "u" for weight in folded.weights)
        np.testing.assert_allclose(
            ops.convert_to_numpy(folded(inputs)),
            ops.convert_to_numpy(network(inputs)),
            rtol=1e-5,
            atol=1e-5,
        )


def test_folding_a_network_without_spectral_norm_copies_it():
    network = Discriminator(16, 1, 3, base_channels=4, spectral_norm=False)
    for copy, weight in zip(fold_spectral_norm(network).weights, network.weights, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(copy), ops.convert_to_numpy(weight))
