import math

import keras
import numpy as np
import pytest
from keras import ops

import sagan_tf
from sagan_tf.evaluation import (
    attention_distance,
    attention_entropy,
    attention_numbers,
)

ONE_LINE = r"\A.+\Z"
LATENT_DIM = 8
NUMBERS = {"gate", "distance", "even_distance", "entropy", "even_entropy", "effect"}


def one_hot_maps(keys_of_queries, num_keys):
    """Maps (1, queries, keys) in which each query attends to one key."""
    return np.eye(num_keys)[np.asarray(keys_of_queries)][None]


def random_maps(num_images, queries, keys, seed=0):
    return np.random.default_rng(seed).dirichlet(np.full(keys, 0.2), (num_images, queries))


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
    """A generator that attends; all its weights are random and its statistics not the first."""
    keras.utils.set_random_seed(0)
    network = sagan_tf.Generator(
        16, 1, request.param, base_channels=4, latent_dim=LATENT_DIM, attention_resolutions=(8, 16)
    )
    disturb(network)
    set_gates(network, 0.5)
    return network


def disturb(network):
    """Makes all weights and statistics random, and attention uneven."""
    random = np.random.default_rng(0)
    for weight in network.weights:
        noise = 0.3 * random.standard_normal(weight.shape)
        noise = np.abs(noise) if "variance" in weight.name else noise
        weight.assign(ops.convert_to_numpy(weight) + noise)


def set_gates(network, value):
    for gate in network.gates.values():
        gate.assign(value)


def inputs_of(network, num_images=5):
    """Latents and labels, which an unconditional generator ignores."""
    random = np.random.default_rng(1)
    latents = random.standard_normal((num_images, LATENT_DIM)).astype("float32")
    return latents, random.integers(network.num_classes or 1, size=num_images)


def call(network, latents, labels, **options):
    return network((latents, labels), training=False, **options)


def test_distance_to_the_own_cell_is_zero():
    maps = one_hot_maps(range(16), 16)
    np.testing.assert_allclose(attention_distance(maps), np.zeros((1, 16)), atol=1e-15)


def test_distance_to_the_own_cell_of_coarser_keys_by_hand():
    # 8x8 queries lie in the quarters of 4x4 keys: 1/16 of the side off both ways.
    rows, columns = np.divmod(np.arange(64), 8)
    maps = one_hot_maps(rows // 2 * 4 + columns // 2, 16)
    np.testing.assert_allclose(
        attention_distance(maps), np.full((1, 64), math.sqrt(2) / 16), rtol=1e-14
    )


def test_distance_to_a_corner_by_hand():
    # 2x2 queries and one key in the middle: a quarter of the side off both ways.
    np.testing.assert_allclose(
        attention_distance(np.ones((1, 4, 1))), np.full((1, 4), math.sqrt(2) / 4), rtol=1e-14
    )
    # All 2x2 queries attend to the first key: along a side 1/2, across sqrt(1/2).
    np.testing.assert_allclose(
        attention_distance(one_hot_maps([0] * 4, 4)), [[0, 0.5, 0.5, math.sqrt(0.5)]], atol=1e-15
    )


def test_distance_is_weighted_by_the_map():
    # The first query: a quarter on itself, three quarters on its neighbour at a distance of 1/2.
    maps = one_hot_maps(range(4), 4)
    maps[0, 0] = 0.25, 0.75, 0, 0
    np.testing.assert_allclose(attention_distance(maps), [[0.375, 0, 0, 0]], atol=1e-15)


@pytest.mark.parametrize("queries, keys", [(64, 16), (16, 16), (4, 64), (1, 9)])
def test_distance_equals_loops(queries, keys):
    maps = random_maps(3, queries, keys)
    np.testing.assert_allclose(attention_distance(maps), distance_by_loops(maps), rtol=1e-12)


def test_row_major_order():
    # From the first row of queries to the last key of the first row: straight along it.
    maps = one_hot_maps([3] * 16, 16)
    np.testing.assert_allclose(attention_distance(maps)[0, :4], [0.75, 0.5, 0.25, 0], atol=1e-15)


def test_entropy_by_hand():
    # Halves: 1 bit. 1/2, 1/4, 1/8, 1/8: 1/2 + 1/2 + 3/8 + 3/8. One key: 0. All: 2.
    maps = [[[0.5, 0.5, 0, 0], [0.5, 0.25, 0.125, 0.125], [0, 0, 1, 0], [0.25] * 4]]
    np.testing.assert_allclose(attention_entropy(maps), [[1, 1.75, 0, 2]], rtol=1e-15)


def test_one_hot_maps_have_no_entropy():
    maps = one_hot_maps(np.arange(64) % 16, 16)
    np.testing.assert_array_equal(attention_entropy(maps), np.zeros((1, 64)))


@pytest.mark.parametrize("keys", [1, 4, 16, 1024])
def test_even_maps_have_the_logarithm_of_the_keys(keys):
    entropy = attention_entropy(np.full((2, 4, keys), 1 / keys))
    np.testing.assert_allclose(entropy, np.full((2, 4), math.log2(keys)), rtol=1e-13)


def test_entropy_equals_loops():
    maps = random_maps(2, 16, 4)
    maps[0, 3] = 0.0, 1e-310, 1.0, 0.0
    expected = [
        [-math.fsum(p * math.log2(p) for p in row if p > 0) for row in image]
        for image in maps.tolist()
    ]
    np.testing.assert_allclose(attention_entropy(maps), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("function", [attention_distance, attention_entropy])
def test_float32_maps_are_computed_in_doubles(function):
    maps = random_maps(2, 16, 4).astype("float32")
    values = function(maps)
    assert values.dtype == np.float64
    np.testing.assert_array_equal(values, function(maps.astype("float64")))


@pytest.mark.parametrize("function", [attention_distance, attention_entropy])
@pytest.mark.parametrize("shape", [(), (4,), (16, 16), (1, 15, 16), (1, 16, 12), (1, 16, 4, 4)])
def test_shapes_of_maps_are_checked(function, shape):
    with pytest.raises(ValueError, match=ONE_LINE) as error:
        function(np.ones(shape))
    assert str(error.value) == (
        "`maps` must have shape (num_images, queries, keys), the latter two square numbers. "
        f"Received: shape={shape}"
    )


def test_numbers_are_those_of_the_maps(generator):
    latents, labels = inputs_of(generator)
    _, maps = call(generator, latents, labels, return_attention=True)
    numbers = attention_numbers(generator, latents, labels)
    assert list(numbers) == ["attention_8", "attention_16"]
    for name, (queries, keys) in {"attention_8": (64, 16), "attention_16": (256, 64)}.items():
        found = ops.convert_to_numpy(maps[name]).astype("float64")
        assert found.shape == (5, queries, keys)
        even = np.full((1, queries, keys), 1 / keys)
        assert set(numbers[name]) == NUMBERS
        assert all(type(value) is float for value in numbers[name].values())
        assert numbers[name] == {
            "gate": 0.5,
            "distance": pytest.approx(distance_by_loops(found).mean(), rel=1e-5),
            "even_distance": pytest.approx(distance_by_loops(even).mean(), rel=1e-12),
            "entropy": pytest.approx(attention_entropy(found).mean(), rel=1e-5),
            "even_entropy": pytest.approx(math.log2(keys), rel=1e-15),
            "effect": numbers[name]["effect"],  # has its own test
        }
        # The maps are not even, or these would be no tests.
        assert numbers[name]["entropy"] < 0.998 * numbers[name]["even_entropy"]


def test_even_maps_have_the_even_distance(generator):
    latents, labels = inputs_of(generator)
    numbers = attention_numbers(generator, latents, labels)["attention_8"]
    even = np.full((3, 64, 16), 1 / 16)
    assert attention_distance(even).mean() == pytest.approx(numbers["even_distance"], rel=1e-13)
    assert attention_entropy(even).mean() == pytest.approx(numbers["even_entropy"], rel=1e-13)


@pytest.mark.parametrize("name", ["attention_8", "attention_16"])
def test_the_effect_is_that_of_closing_the_gate(generator, name):
    latents, labels = inputs_of(generator)
    with_gate = ops.convert_to_numpy(call(generator, latents, labels))
    try:
        generator.gates[name].assign(0.0)
        without = ops.convert_to_numpy(call(generator, latents, labels))
    finally:
        generator.gates[name].assign(0.5)
    # From -1 to 1 are 255 grey levels.
    expected = np.abs(with_gate.astype("float64") - without).mean() * 255 / 2
    effect = attention_numbers(generator, latents, labels)[name]["effect"]
    assert effect == pytest.approx(expected, rel=1e-4)
    assert effect > 0.1


def test_a_closed_gate_has_no_effect(generator):
    latents, labels = inputs_of(generator)
    try:
        generator.gates["attention_8"].assign(0.0)
        numbers = attention_numbers(generator, latents, labels)
        assert (numbers["attention_8"]["gate"], numbers["attention_8"]["effect"]) == (0, 0)
        assert numbers["attention_16"]["effect"] > 0.1
        set_gates(generator, 0.0)
        numbers = attention_numbers(generator, latents, labels)
        assert [numbers[name]["effect"] for name in numbers] == [0, 0]
    finally:
        set_gates(generator, 0.5)


def test_the_generator_is_not_changed(generator):
    latents, labels = inputs_of(generator)
    before = [np.array(ops.convert_to_numpy(weight)) for weight in generator.weights]
    images = ops.convert_to_numpy(call(generator, latents, labels))
    attention_numbers(generator, latents, labels)
    for weight, value in zip(generator.weights, before, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(weight), value)
    np.testing.assert_array_equal(ops.convert_to_numpy(call(generator, latents, labels)), images)


@pytest.mark.parametrize("batch_size", [1, 2, 5, 100])
def test_numbers_do_not_depend_on_the_batch_size(generator, batch_size):
    latents, labels = inputs_of(generator)
    whole = attention_numbers(generator, latents, labels)
    parts = attention_numbers(generator, latents, labels, batch_size)
    assert list(parts) == list(whole)
    for name in whole:
        assert parts[name] == pytest.approx(whole[name], rel=1e-4)  # float32, other kernels


def test_numbers_are_means_over_images(generator):
    latents, labels = inputs_of(generator)
    whole = attention_numbers(generator, latents, labels)
    alone = [
        attention_numbers(generator, latents[part], labels[part])
        for part in (slice(index, index + 1) for index in range(5))
    ]
    for name in whole:
        for number in ("distance", "entropy", "effect"):
            values = [numbers[name][number] for numbers in alone]
            assert whole[name][number] == pytest.approx(np.mean(values), rel=1e-5)
            assert np.ptp(values) > 1e-4 * np.mean(values)


def test_labels_count():
    keras.utils.set_random_seed(0)
    network = sagan_tf.Generator(16, 1, 3, base_channels=4, latent_dim=LATENT_DIM)
    disturb(network)
    set_gates(network, 0.5)
    latents, labels = inputs_of(network)
    numbers = attention_numbers(network, latents, labels)
    assert len(numbers) == 1
    assert attention_numbers(network, latents, (labels + 1) % 3) != numbers


def test_no_attention_has_no_numbers():
    network = sagan_tf.Generator(
        16, 1, 3, base_channels=4, latent_dim=LATENT_DIM, attention_resolutions=()
    )
    assert attention_numbers(network, *inputs_of(network)) == {}
