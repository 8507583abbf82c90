import math

import keras
import numpy as np
import pytest
from keras import ops

import sagan_tf
from sagan_tf.evaluation import attention_distance, attention_entropy, attention_numbers
from sagan_tf.models import sampling
from tests.evaluation.errors import message

SMALL = {"base_channels": 4, "latent_dim": 8}


def one_hot_maps(keys_of_queries, num_keys):
    """Maps (1, queries, keys) in which each query attends to one key."""
    return np.eye(num_keys)[np.asarray(keys_of_queries)][None]


def random_maps(num_images, queries, keys):
    return np.random.default_rng(0).dirichlet(np.full(keys, 0.2), (num_images, queries))


def distance_by_loops(maps):
    """The definition, query by query and key by key."""
    num_images, queries, keys = maps.shape
    query_side, key_side = round(queries**0.5), round(keys**0.5)
    distances = np.zeros((num_images, queries))
    for image, query, key in np.ndindex(maps.shape):
        down = (query // query_side + 0.5) / query_side - (key // key_side + 0.5) / key_side
        right = (query % query_side + 0.5) / query_side - (key % key_side + 0.5) / key_side
        distances[image, query] += maps[image, query, key] * math.hypot(down, right)
    return distances


@pytest.fixture(scope="module", params=[3, None], ids=["conditional", "unconditional"])
def generator(request):
    """A generator that attends unevenly; all its weights and statistics are random."""
    keras.utils.set_random_seed(0)
    network = sagan_tf.Generator(16, 1, request.param, attention_resolutions=(8, 16), **SMALL)
    random = np.random.default_rng(0)
    for weight in network.weights:
        noise = 0.3 * random.standard_normal(weight.shape)
        noise = np.abs(noise) if "variance" in weight.name else noise
        weight.assign(ops.convert_to_numpy(weight) + noise)
    for gate in network.gates.values():
        gate.assign(0.5)
    return network


def inputs_of(network, num_images=5):
    """Latents and labels, which an unconditional generator ignores."""
    random = np.random.default_rng(1)
    latents = random.standard_normal((num_images, 8)).astype("float32")
    return latents, random.integers(network.num_classes or 1, size=num_images)


@pytest.mark.parametrize(
    ("maps", "distances"),
    [
        (one_hot_maps(range(16), 16), np.zeros(16)),  # Each attends to its own cell.
        # 2x2 queries and one key in the middle: a quarter of the side off both ways.
        (np.ones((1, 4, 1)), np.full(4, math.sqrt(2) / 4)),
        # From the first row of queries to the last key of the first row: straight along it.
        (one_hot_maps([3] * 16, 16), [0.75, 0.5, 0.25, 0]),
        # Two halves and a whole, at 1/2 along a side and at sqrt(1/2) across.
        ([[[0, 0.5, 0, 0.5]] + [[1, 0, 0, 0]] * 3], [0.25 + 0.5**1.5, 0.5, 0.5, 0.5**0.5]),
    ],
)
def test_distance_by_hand(maps, distances):
    found = attention_distance(maps)
    assert found.shape == np.shape(maps)[:2]
    np.testing.assert_allclose(found[0, : len(distances)], distances, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("queries, keys", [(64, 16), (4, 64)])
def test_distance_equals_loops(queries, keys):
    maps = random_maps(3, queries, keys)
    np.testing.assert_allclose(attention_distance(maps), distance_by_loops(maps), rtol=1e-12)


def test_entropy_by_hand_and_by_loops():
    # Halves: 1 bit. 1/2, 1/4, 1/8, 1/8: 1/2 + 1/2 + 3/8 + 3/8. One key: 0. All: 2.
    maps = [[[0.5, 0.5, 0, 0], [0.5, 0.25, 0.125, 0.125], [0, 0, 1, 0], [0.25] * 4]]
    np.testing.assert_allclose(attention_entropy(maps), [[1, 1.75, 0, 2]], rtol=1e-15)
    maps = random_maps(2, 16, 4)
    maps[0, 3] = 0.0, 1e-310, 1.0, 0.0
    expected = [
        [-math.fsum(p * math.log2(p) for p in row if p > 0) for row in image]
        for image in maps.tolist()
    ]
    np.testing.assert_allclose(attention_entropy(maps), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("function", [attention_distance, attention_entropy])
def test_maps_are_computed_in_doubles_and_their_shapes_checked(function):
    maps = random_maps(2, 16, 4).astype("float32")
    values = function(maps)
    assert values.dtype == np.float64
    np.testing.assert_array_equal(values, function(maps.astype("float64")))
    for shape in ((16, 16), (1, 15, 16), (1, 16, 12), (1, 16, 4, 4)):
        assert message(function, np.ones(shape)) == (
            "`maps` must have shape (num_images, queries, keys), the latter two square numbers. "
            f"Received: shape={shape}"
        )


def test_numbers_are_those_of_the_maps_and_of_closing_the_gate(generator):
    inputs = inputs_of(generator)
    before = [np.array(ops.convert_to_numpy(weight)) for weight in generator.weights]
    images, maps = generator(inputs, training=False, return_attention=True)
    images = ops.convert_to_numpy(images)
    numbers = attention_numbers(generator, *inputs)
    for weight, value in zip(generator.weights, before, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(weight), value)
    assert list(numbers) == ["attention_8", "attention_16"]
    for name, (queries, keys) in {"attention_8": (64, 16), "attention_16": (256, 64)}.items():
        found = ops.convert_to_numpy(maps[name]).astype("float64")
        even = np.full((1, queries, keys), 1 / keys)
        try:
            generator.gates[name].assign(0.0)
            without = ops.convert_to_numpy(generator(inputs, training=False)).astype("float64")
            closed = attention_numbers(generator, *inputs)[name]
        finally:
            generator.gates[name].assign(0.5)
        assert all(type(value) is float for value in numbers[name].values())
        assert numbers[name] == {
            "gate": 0.5,
            "distance": pytest.approx(distance_by_loops(found).mean(), rel=1e-5),
            "even_distance": pytest.approx(distance_by_loops(even).mean(), rel=1e-12),
            "entropy": pytest.approx(attention_entropy(found).mean(), rel=1e-5),
            "even_entropy": pytest.approx(math.log2(keys), rel=1e-15),
            # From -1 to 1 are 255 gray levels.
            "effect": pytest.approx(np.abs(images - without).mean() * 255 / 2, rel=1e-4),
        }
        # The maps are not even, and the gate does something, or these would be no tests.
        assert numbers[name]["entropy"] < 0.998 * numbers[name]["even_entropy"]
        assert numbers[name]["effect"] > 0.1
        assert (closed["gate"], closed["effect"]) == (0, 0)


def test_numbers_are_means_over_images_whatever_the_batch(generator, monkeypatch):
    latents, labels = inputs_of(generator)
    whole = attention_numbers(generator, latents, labels)
    monkeypatch.setattr(sampling, "_NUMBERS", 0)
    parts = attention_numbers(generator, latents, labels)
    for name in whole:
        assert parts[name] == pytest.approx(whole[name], rel=1e-4)  # float32, other kernels
    alone = [attention_numbers(generator, latents[i : i + 1], labels[i : i + 1]) for i in range(5)]
    for name in whole:
        for number in ("distance", "entropy", "effect"):
            values = [numbers[name][number] for numbers in alone]
            assert whole[name][number] == pytest.approx(np.mean(values), rel=1e-5)
            assert np.ptp(values) > 1e-4 * np.mean(values)
    if generator.num_classes is not None:
        assert attention_numbers(generator, latents, (labels + 1) % 3) != whole


def test_no_attention_has_no_numbers():
    network = sagan_tf.Generator(16, 1, 3, attention_resolutions=(), **SMALL)
    assert attention_numbers(network, *inputs_of(network)) == {}
