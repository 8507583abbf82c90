import numpy as np
import pytest

from sagan_tf import Generator
from sagan_tf.models.sampling import (
    draw_inputs,
    draw_latents,
    images_per_call,
    interpolate_latents,
    loop_classes,
    loop_latents,
    run_generator,
)


@pytest.fixture(scope="module")
def generator():
    return Generator(16, 1, 3, base_channels=4, latent_dim=8)


def test_more_inputs_continue_fewer_and_labels_are_uniform(generator):
    latents, labels = draw_inputs(generator, 3000, seed=3)
    fewer = draw_inputs(generator, 5, seed=3)
    np.testing.assert_array_equal(latents[:5], fewer[0])
    np.testing.assert_array_equal(labels[:5], fewer[1])
    assert (latents.shape, latents.dtype) == ((3000, 8), np.float32)
    assert (labels.shape, labels.dtype) == ((3000,), np.int32)
    assert not np.array_equal(draw_inputs(generator, 5, seed=4)[0], fewer[0])
    assert np.abs(np.bincount(labels, minlength=3) - 1000).max() < 150
    unconditional = Generator(16, 1, None, base_channels=4, latent_dim=8)
    np.testing.assert_array_equal(draw_inputs(unconditional, 5)[1], np.zeros(5, "int32"))


def test_interpolation_keeps_ends_and_norms_and_moves_evenly():
    starts, ends = draw_latents(2, 16, seed=0), draw_latents(2, 16, seed=1)
    starts, ends = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (starts, ends))
    walk = interpolate_latents(starts, ends, 5)
    assert walk.shape == (2, 5, 16)
    np.testing.assert_allclose(walk[:, 0], starts, atol=1e-6)
    np.testing.assert_allclose(walk[:, -1], ends, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(walk, axis=2), 1.0, atol=1e-6)
    angles = np.arccos(np.sum(walk[:, 1:] * walk[:, :-1], axis=2))
    np.testing.assert_allclose(angles, angles[:, :1].repeat(4, axis=1), atol=1e-4)


def test_interpolation_between_equals_stands_still():
    latents = draw_latents(1, 16, seed=0)
    walk = interpolate_latents(latents, latents, 4)
    np.testing.assert_allclose(walk, latents[:, None].repeat(4, axis=1), rtol=1e-3)


def test_a_loop_of_latents_passes_all_stops_and_ends_where_it_begins():
    stops = draw_latents(6, 16, seed=0).reshape(3, 2, 16)
    walk = loop_latents(stops, 4)
    assert (walk.shape, walk.dtype) == ((12, 2, 16), np.float32)
    np.testing.assert_allclose(walk[::4], stops, atol=1e-5)
    for stop in range(3):
        leg = interpolate_latents(stops[stop], stops[(stop + 1) % 3], 5).swapaxes(0, 1)
        np.testing.assert_array_equal(walk[4 * stop : 4 * stop + 4], leg[:4])


def test_a_loop_of_classes_changes_evenly():
    mixes = loop_classes(np.array([[0, 1], [2, 1]]), 3, 4)
    assert mixes.dtype == np.float32
    away = [[1 - time, 0, time] for time in (0, 0.25, 0.5, 0.75)]
    back = [[time, 0, 1 - time] for time in (0, 0.25, 0.5, 0.75)]
    np.testing.assert_array_equal(mixes[:, 0], away + back)
    np.testing.assert_array_equal(mixes[:, 1], [[0, 1, 0]] * 8)


def test_images_do_not_depend_on_the_batches_they_are_made_in(generator):
    latents, labels = draw_latents(70, 8, seed=0), np.arange(70) % 3
    images, maps = run_generator(generator, latents, labels, return_attention=True)
    assert images.shape == (70, 16, 16, 1)
    assert maps["attention_8"].shape == (70, 64, 16)
    alone = run_generator(generator, latents[66:67], labels[66:67])
    np.testing.assert_allclose(images[66:67], alone, atol=1e-5)


def test_no_latents_give_no_images(generator):
    images, maps = run_generator(generator, np.zeros((0, 8), "float32"), [], return_attention=True)
    assert images.shape == (0, 16, 16, 1)
    assert maps["attention_8"].shape == (0, 64, 16)


def test_large_maps_allow_fewer_images_at_once():
    large = Generator(128, 1, 3, base_channels=8, latent_dim=8, attention_resolutions=(64,))
    # 1 GiB of float32 holds 2**28 numbers.
    features, maps = 4 * 128**2 * 8, 2 * 64**4 // 4
    assert images_per_call(large) == min(64, 2**28 // features) == 64
    assert images_per_call(large, return_attention=True) == 2**28 // (features + maps) == 30
