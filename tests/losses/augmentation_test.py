"""Each augmentation against NumPy, and what flows back through it."""

import numpy as np
import pytest
from keras import ops

from sagan_tf.losses.augmentation import (
    AUGMENTATIONS,
    IMAGES_FROM_0_TO_1,
    NUMBERS,
    adapt_probability,
    augment,
)
from tests.autodiff import compiled, float_variables, value_and_gradients

ALL = tuple(AUGMENTATIONS)
RANDOM = np.random.default_rng(0)
ALMOST_1 = np.float32(1) - np.float32(2**-24)


def images(batch=6, height=16, width=16, channels=3):
    return RANDOM.uniform(-1, 1, (batch, height, width, channels)).astype("float32")


def numbers(batch=6, policy=ALL):
    drawn = RANDOM.uniform(0, 1, (batch, len(policy), NUMBERS)).astype("float32")
    # The ends of the range are those of what can happen.
    drawn[0], drawn[1] = 0, ALMOST_1
    return drawn


def color_by_hand(image, brightness, saturation, contrast):
    image = image + brightness - 0.5
    gray = image.mean(axis=2, keepdims=True)
    image = gray + 2 * saturation * (image - gray)
    return image.mean() + (0.5 + contrast) * (image - image.mean())


def translation_by_hand(image, down, right, _):
    result = np.zeros_like(image)
    moves = []
    for number, size in zip((down, right), image.shape, strict=False):
        reach = round(size / 8)
        moves.append(reach - int(number * (2 * reach + 1)))
    for row, column in np.ndindex(image.shape[:2]):
        to = row + moves[0], column + moves[1]
        if 0 <= to[0] < image.shape[0] and 0 <= to[1] < image.shape[1]:
            result[to] = image[row, column]
    return result


def cutout_by_hand(image, down, right, _):
    result = image.copy()
    height, width = image.shape[:2]
    top, left = int(down * (height + 1)) - height // 4, int(right * (width + 1)) - width // 4
    result[max(top, 0) : top + height // 2, max(left, 0) : left + width // 2] = 0
    return result


BY_HAND = {"color": color_by_hand, "translation": translation_by_hand, "cutout": cutout_by_hand}


@pytest.mark.parametrize("name", AUGMENTATIONS)
@pytest.mark.parametrize("size", [(16, 16, 3), (16, 32, 1), (32, 16, 3)])
def test_each_is_that_of_numpy(name, size):
    given, drawn = images(40, *size), numbers(40, (name,))
    found = ops.convert_to_numpy(augment(given, drawn, (name,)))
    for image, expected, row in zip(found, given, drawn[:, 0, :3].astype("float64"), strict=True):
        expected = BY_HAND[name](expected.astype("float64"), *row)
        # Pixels that are moved or left are the same to the bit.
        np.testing.assert_allclose(image, expected, atol=1e-6 if name == "color" else 0)
    assert len({image.tobytes() for image in found}) == 40


def test_they_follow_each_other_in_the_order_of_the_policy():
    given = images()
    for policy in (ALL, ALL[::-1]):
        drawn = numbers(6, policy)
        expected = given
        for index, name in enumerate(policy):
            expected = AUGMENTATIONS[name](expected, drawn[:, index, :3])
        np.testing.assert_array_equal(augment(given, drawn, policy), expected)
    np.testing.assert_array_equal(augment(given, None, ()), given)


def test_moves_and_cuts_are_uniform():
    """All 5 moves by at most 2 of 16 pixels, and all 17 centers, are as frequent."""
    count = 5000
    drawn = (np.arange(count, dtype="float32") + 0.5) / count
    pair = np.stack([drawn, np.full_like(drawn, 0.5)], axis=1)
    ramp = np.broadcast_to(np.arange(1, 17, dtype="float32")[:, None, None], (count, 16, 16, 1))
    moved = ops.convert_to_numpy(AUGMENTATIONS["translation"](ramp, pair))
    places, counts = np.unique(moved[:, 8, 8, 0], return_counts=True)
    np.testing.assert_array_equal(places, [7, 8, 9, 10, 11])
    np.testing.assert_array_equal(counts, count // 5)
    cut = ops.convert_to_numpy(AUGMENTATIONS["cutout"](np.ones_like(ramp), pair))
    heights = np.sum(cut[:, :, 8, 0] == 0, axis=1)
    np.testing.assert_array_equal(np.unique(heights), [4, 5, 6, 7, 8])
    _, counts = np.unique(cut[:, :, 8, 0], axis=0, return_counts=True)
    np.testing.assert_allclose(counts, count / 17, atol=1)


def test_saturation_does_nothing_to_gray_images():
    given, drawn = images(channels=1), numbers(policy=("color",))
    other = drawn.copy()
    other[..., 1] = 1 - other[..., 1]
    found, expected = (augment(given, each, ("color",)) for each in (drawn, other))
    np.testing.assert_array_equal(found, expected)
    rgb = images()
    assert not np.allclose(augment(rgb, drawn, ("color",)), augment(rgb, other, ("color",)))


@pytest.mark.parametrize("probability", [None, 0.5])
def test_gradients_flow_to_the_images(probability):
    """What is linear in the images has one gradient, whatever the images: <J x, w> = <x, J^T w>."""
    given, drawn, weights = images(), numbers(), images()
    (variable,) = float_variables(given)

    def weighted(values):
        return ops.sum(augment(values, drawn, ALL, probability) * weights)

    _, (gradient,) = value_and_gradients(lambda: weighted(variable.value), [variable])
    for change in (given, images(), images()):
        # Brightness makes the augmentation affine: differences are linear.
        found = float(weighted(given + change)) - float(weighted(given))
        assert found == pytest.approx(np.sum(gradient * change), rel=1e-4, abs=1e-3)
    assert all(np.any(each) for each in gradient)


def test_bfloat16_is_computed_in_float32_and_compiled_alike():
    given, drawn = ops.cast(images(), "bfloat16"), numbers()
    exact = augment(ops.cast(given, "float32"), drawn, ALL)
    found = augment(given, drawn, ALL)
    assert found.dtype == given.dtype
    np.testing.assert_array_equal(
        ops.cast(found, "float32"), ops.cast(ops.cast(exact, "bfloat16"), "float32")
    )
    by_xla = compiled(lambda: augment(ops.cast(given, "float32"), drawn, ALL))
    np.testing.assert_allclose(by_xla, exact, atol=1e-6)


def test_each_happens_with_its_probability():
    given, drawn = images(2000), numbers(2000)
    always = augment(given, drawn, ALL)
    np.testing.assert_array_equal(augment(given, drawn, ALL, 0.0), given)
    np.testing.assert_array_equal(augment(given, drawn, ALL, 1.0), always)
    for index, name in enumerate(ALL):
        alone = ops.convert_to_numpy(augment(given, drawn[:, [index]], (name,), 0.3))
        happened = np.any(alone != given, axis=(1, 2, 3))
        # What happens to an image does not depend on whether it happens to others.
        expected = ops.convert_to_numpy(augment(given, drawn[:, [index]], (name,)))
        np.testing.assert_array_equal(alone[happened], expected[happened])
        likely = drawn[:, index, 3] < 0.3
        assert not np.any(happened & ~likely)
        # Few of the likely ones are such that a move by no pixel leaves them.
        assert np.mean(happened) == pytest.approx(0.3, abs=0.06)


def test_unknown_names_are_an_error_with_the_valid_ones():
    message = "^Unknown augmentation: colour. Did you mean color. Valid: color, cutout, translation"
    with pytest.raises(ValueError, match=message):
        augment(images(), numbers(), ("colour",))


@pytest.mark.parametrize(
    ("probability", "mean_sign", "num_images", "expected"),
    [
        (0.0, 0.7, 64, 64 / IMAGES_FROM_0_TO_1),
        (0.5, 0.5, 64, 0.5 - 64 / IMAGES_FROM_0_TO_1),
        (0.5, 0.61, IMAGES_FROM_0_TO_1 / 4, 0.75),
        (0.5, -1.0, IMAGES_FROM_0_TO_1, 0.0),
        (0.5, 1.0, IMAGES_FROM_0_TO_1, 1.0),
    ],
)
def test_the_probability_follows_the_sign_of_real_logits(
    probability, mean_sign, num_images, expected
):
    found = adapt_probability(probability, mean_sign, num_images)
    assert float(found) == pytest.approx(expected, abs=1e-7)
