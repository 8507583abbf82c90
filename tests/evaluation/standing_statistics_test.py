import keras
import numpy as np
import pytest

from sagan_tf import Generator
from sagan_tf.evaluation import with_standing_statistics
from sagan_tf.models import draw_inputs


@pytest.fixture(scope="module", params=[3, None])
def generator(request):
    keras.utils.set_random_seed(0)
    generator = Generator(16, 1, request.param, base_channels=4, latent_dim=8)
    rng = np.random.default_rng(0)
    for weight in generator.weights:
        weight.assign(weight + 0.1 * np.abs(rng.standard_normal(weight.shape)))
    return generator


def statistics(generator):
    return [np.asarray(weight) for weight in generator.weights if weight.name.startswith("moving_")]


def others(generator):
    return [
        np.asarray(weight) for weight in generator.weights if not weight.name.startswith("moving_")
    ]


def test_one_batch_gives_the_statistics_of_that_batch(generator):
    copy = with_standing_statistics(generator, 1, truncation=0.5, seed=3)
    latents, labels = draw_inputs(generator, 64, seed=3)
    batch = (0.5 * latents, labels)
    before = [np.asarray(weight) for weight in generator.weights]
    # With `training` the same batch is normalised by itself, which also moves the statistics.
    twin = Generator.from_config(generator.get_config())
    twin.set_weights(before)
    expected = np.asarray(twin(batch, training=True))
    np.testing.assert_allclose(np.asarray(copy(batch, training=False)), expected, atol=1e-4)
    assert np.abs(np.asarray(generator(batch, training=False)) - expected).max() > 1e-2


def test_batches_count_alike(generator):
    single = []
    latents, labels = draw_inputs(generator, 3 * 64, seed=0)
    for index in range(3):
        part = slice(64 * index, 64 * (index + 1))
        twin = Generator.from_config(generator.get_config())
        twin.set_weights(generator.get_weights())
        for layer in twin._flatten_layers():
            if hasattr(layer, "momentum"):
                layer.momentum = 0.0
        twin(
            (latents[part], labels[part]),
            training=True,
        )
        single.append(statistics(twin))
    for found, *each in zip(
        statistics(with_standing_statistics(generator, 3)), *single, strict=True
    ):
        np.testing.assert_allclose(found, np.mean(each, axis=0), rtol=1e-4, atol=1e-5)


def test_nothing_else_differs_and_the_generator_stays_as_it_is(generator):
    before = [np.asarray(weight) for weight in generator.weights]
    copy = with_standing_statistics(generator, 2)
    for ours, theirs in zip(generator.weights, before, strict=True):
        np.testing.assert_array_equal(np.asarray(ours), theirs)
    for ours, theirs in zip(others(copy), others(generator), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    momenta = {layer.momentum for layer in copy._flatten_layers() if hasattr(layer, "momentum")}
    assert momenta == {0.9}


def test_at_least_one_batch(generator):
    with pytest.raises(ValueError, match=r"`num_batches` must be at least 1. Received: 0"):
        with_standing_statistics(generator, 0)
