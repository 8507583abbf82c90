"""The random numbers of a training step."""

import keras
import numpy as np
import pytest

from sagan_tf.losses.augmentation import AUGMENTATIONS
from tests.tiny import compiled

if keras.backend.backend() != "tensorflow":
    pytest.skip("training needs the TensorFlow backend", allow_module_level=True)

from sagan_tf.models import update


def test_random_numbers_are_a_function_of_seed_step_and_draw():
    def latents(seed, step):
        sagan = compiled(seed=seed)
        sagan.generator_optimizer.iterations.assign(step)
        randomness = update.StepRandomness(sagan, 4)
        return np.concatenate([randomness.latents(), randomness.latents()])

    found = latents(seed=1, step=7)
    np.testing.assert_array_equal(latents(seed=1, step=7), found)
    # A resumed run goes on with the same numbers only if they never change.
    np.testing.assert_allclose(found[:, 0, 0], [0.3545296, -0.7461259], rtol=1e-5)
    for other in latents(seed=2, step=7), latents(seed=1, step=8), found[::-1]:
        assert not np.isclose(other, found, rtol=1e-3, atol=0).any()


def test_augmentation_changes_no_other_random_number():
    draws = []
    for options in ({}, {"augmentation": tuple(AUGMENTATIONS)}):
        randomness = update.StepRandomness(compiled(**options), 4)
        before = randomness.latents()
        numbers = [randomness.augmentation(of=2)[0] for _ in range(2)]
        draws.append(np.concatenate([*before, *randomness.latents()]))
    np.testing.assert_array_equal(*draws)
    assert numbers[0].shape == (4, 2, 3, 4)
    assert not np.isclose(*numbers).any()
    # A resumed run goes on with the same numbers only if they never change.
    np.testing.assert_allclose(numbers[0][0, :, 0, 0], [0.0200935, 0.2632119], rtol=1e-6)


def test_slices_are_parts_of_the_same_draw():
    draws = []
    for slices in (1, 2):
        sagan = compiled(accumulation_steps=slices)
        randomness = update.StepRandomness(sagan, 8 // slices)
        draws.append([np.concatenate(each) for each in (randomness.latents(), randomness.labels())])
    for one, other in zip(*draws, strict=True):
        np.testing.assert_array_equal(one, other)


def test_latents_are_standard_normal_and_labels_uniform():
    sagan = compiled()
    randomness = update.StepRandomness(sagan, 20_000)
    (latents,), (labels,) = randomness.latents(), randomness.labels()
    assert latents.shape == (20_000, 8)
    # The moments of 160,000 numbers are right within five standard errors.
    assert abs(np.mean(latents)) < 5 / 400
    assert abs(np.std(latents) - 1) < 5 / 400 / np.sqrt(2)
    assert abs(np.mean(latents**4) - 3) < 5 * np.sqrt(96) / 400
    assert np.corrcoef(np.transpose(latents))[0, 1] < 5 / np.sqrt(20_000)
    counts = np.bincount(labels, minlength=3)
    np.testing.assert_allclose(counts, 20_000 / 3, atol=5 * np.sqrt(20_000 * 2 / 9))
