"""Folded copies, and copies with standing statistics."""

import keras
import numpy as np
import pytest
from keras import ops

from sagan_tf import Discriminator, Generator
from sagan_tf.layers import ConditionalBatchNorm
from sagan_tf.models import draw_inputs, fold_spectral_norm, walk_layers, with_standing_statistics

LABELS = np.array([0, 1, 2], "int32")


@pytest.fixture(scope="module", params=[3, None])
def networks(request):
    keras.utils.set_random_seed(0)
    generator = Generator(16, 1, request.param, base_channels=4, latent_dim=8)
    discriminator = Discriminator(16, 1, request.param, base_channels=4)
    rng = np.random.default_rng(0)
    for weight in generator.weights + discriminator.weights:
        weight.assign(weight + 0.1 * np.abs(rng.standard_normal(weight.shape)))
    return generator, discriminator


@pytest.fixture(scope="module")
def generator(networks):
    return networks[0]


def arrays(weights):
    return [ops.convert_to_numpy(weight) for weight in weights]


def assert_equal(ours, theirs):
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)


def statistics(generator):
    return arrays(w for w in generator.weights if w.name.startswith("moving_"))


def twin_after(generator, batch, momentum):
    """A copy of a generator that was trained on a batch with this momentum, and its images."""
    twin = Generator.from_config(generator.get_config())
    twin.set_weights(generator.get_weights())
    for norm in walk_layers(twin, ConditionalBatchNorm):
        norm.momentum = momentum
    return twin, ops.convert_to_numpy(twin(batch, training=True))


def test_folded_networks_compute_the_same_without_spectral_norm(networks):
    rng = np.random.default_rng(0)
    for network, shape in zip(networks, ((3, 8), (3, 16, 16, 1)), strict=True):
        inputs = (rng.standard_normal(shape).astype("float32"), LABELS)
        folded = fold_spectral_norm(network)
        assert not folded.spectral_norm
        assert not any(weight.name == "u" for weight in folded.weights)
        outputs, expected = arrays([folded(inputs), network(inputs)])
        np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-5)


def test_folding_a_network_without_spectral_norm_copies_it():
    network = Discriminator(16, 1, 3, base_channels=4, spectral_norm=False)
    copy = fold_spectral_norm(network)
    assert_equal(copy.weights, network.weights)


def test_one_batch_gives_the_statistics_of_that_batch(generator):
    copy = with_standing_statistics(generator, 1, truncation=0.5, seed=3)
    latents, labels = draw_inputs(generator, 64, seed=3)
    batch = (0.5 * latents, labels)
    # With `training` the same batch is normalized by itself.
    _, expected = twin_after(generator, batch, momentum=0.9)
    np.testing.assert_allclose(copy(batch), expected, atol=1e-4)
    assert np.abs(generator(batch) - expected).max() > 1e-2


def test_batches_count_alike(generator):
    single = []
    latents, labels = draw_inputs(generator, 3 * 64, seed=0)
    for index in range(3):
        part = slice(64 * index, 64 * (index + 1))
        twin, _ = twin_after(generator, (latents[part], labels[part]), momentum=0.0)
        single.append(statistics(twin))
    found = statistics(with_standing_statistics(generator, 3))
    for mean, *each in zip(found, *single, strict=True):
        np.testing.assert_allclose(mean, np.mean(each, axis=0), rtol=1e-4, atol=1e-5)


def test_nothing_else_differs_and_the_generator_stays_as_it_is(generator):
    before = arrays(generator.weights)
    copy = with_standing_statistics(generator, 2)
    assert_equal(generator.weights, before)
    others = [
        [weight for weight in network.weights if not weight.name.startswith("moving_")]
        for network in (copy, generator)
    ]
    assert_equal(*others)
    assert {norm.momentum for norm in walk_layers(copy, ConditionalBatchNorm)} == {0.9}
    with pytest.raises(ValueError, match=r"`num_batches` must be at least 1. Received: 0"):
        with_standing_statistics(generator, 0)
