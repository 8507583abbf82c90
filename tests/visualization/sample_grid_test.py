import numpy as np
import pytest

from sagan_tf.images import to_uint8
from sagan_tf.visualization import sample_grid
from sagan_tf.visualization.sample_grid import LABEL_HEIGHT


def constant_images(levels, size=2, channels=1):
    """Images of one gray level in [0, 255] each."""
    levels = np.array(levels, dtype="float32").reshape(-1, 1, 1, 1)
    return np.tile(levels / 127.5 - 1.0, (1, size, size, channels))


def test_exact_pixels_enlarged_without_interpolation():
    picture = sample_grid(constant_images([10, 20, 30]), columns=2, padding=1, scale=1)
    white, first = [255] * 7, [255, 10, 10, 255, 20, 20, 255]
    second = [255, 30, 30, 255, 255, 255, 255]
    expected = np.array([white, first, first, white, second, second, white])
    assert picture.mode == "RGB"
    np.testing.assert_array_equal(picture, expected[..., None].repeat(3, axis=-1))
    images = np.random.default_rng(0).uniform(-1, 1, (1, 5, 3, 3))
    picture = sample_grid(images, padding=0, scale=4)
    expected = np.kron(to_uint8(images)[0], np.ones((4, 4, 1), dtype="uint8"))
    np.testing.assert_array_equal(np.asarray(picture), expected)


def test_defaults_are_about_square_and_legible():
    for num_images, columns, rows in ((1, 1, 1), (2, 2, 1), (7, 3, 3), (9, 3, 3), (10, 4, 3)):
        picture = sample_grid(constant_images(range(num_images)), padding=0, scale=1)
        assert picture.size == (2 * columns, 2 * rows)
    for size, scale in ((16, 4), (32, 2), (48, 2), (64, 1), (128, 1)):
        picture = sample_grid(constant_images([0], size), padding=0)
        assert picture.size == (size * scale, size * scale)


def test_labels_stand_above_their_columns():
    images = constant_images([0] * 4, size=64)
    plain = np.asarray(sample_grid(images, columns=2))
    labelled = np.asarray(sample_grid(images, column_labels=[" ", "8"]))
    assert labelled.shape == (LABEL_HEIGHT + 2 * 66, 2 + 2 * 66, 3)
    np.testing.assert_array_equal(labelled[LABEL_HEIGHT:], plain[2:])
    ink_rows, ink_columns = np.nonzero(labelled[:LABEL_HEIGHT, :, 0] < 128)
    assert abs(ink_columns.mean() - (2 + 66 + 32)) < 2
    assert abs(ink_rows.mean() - LABEL_HEIGHT / 2) < 3
    # Long ones are cut.
    picture = sample_grid(images, padding=8, column_labels=["W" * 40, " "])
    ink_columns = np.nonzero(np.asarray(picture)[:LABEL_HEIGHT, :, 0] < 250)[1]
    assert 8 - 1 <= ink_columns.min() < ink_columns.max() <= 8 + 64 + 1


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"columns": 0}, "columns=0"),
        ({"scale": 0}, "scale=0"),
        ({"padding": -1}, "padding=-1"),
        ({"columns": 2, "column_labels": "abc"}, "3 labels, columns=2"),
        ({"column_labels": ()}, "columns=0"),
    ],
)
def test_arguments_are_checked(arguments, message):
    with pytest.raises(ValueError, match=message) as error:
        sample_grid(constant_images([0, 1]), **arguments)
    assert "\n" not in str(error.value)
