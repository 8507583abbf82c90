import numpy as np
import pytest

from sagan_tf.images import from_uint8, to_uint8


def test_range_is_rounded_and_clipped():
    values = [-1.0, -0.997, -0.995, 0.0, 1.0, -7.0, 7.0, np.inf]
    images = np.array(values).reshape(1, 2, 4, 1)

    pixels = to_uint8(images)

    assert pixels.dtype == np.uint8
    assert pixels.shape == images.shape
    assert pixels.ravel().tolist() == [0, 0, 1, 128, 255, 0, 255, 255]


def test_every_level_survives():
    levels = np.arange(256, dtype="uint8").reshape(1, 16, 16, 1)
    np.testing.assert_array_equal(to_uint8(from_uint8(levels)), levels)


def test_does_not_change_its_input():
    images = np.full((1, 2, 2, 3), 2.0, dtype="float32")
    to_uint8(images)
    assert (images == 2.0).all()


def test_nan_is_located():
    images = np.zeros((4, 2, 2, 3))
    images[2, 1, 0, 1] = np.nan
    with pytest.raises(ValueError, match="1 of 4 images with NaN, the first at index 2"):
        to_uint8(images)


def test_integers_are_refused():
    with pytest.raises(TypeError, match="floats in .* dtype=uint8"):
        to_uint8(np.zeros((1, 2, 2, 3), dtype="uint8"))


@pytest.mark.parametrize("shape", [(2, 2, 3), (1, 2, 2, 2), (0, 2, 2, 3), (1, 0, 2, 3)])
def test_shapes_are_checked(shape):
    with pytest.raises(ValueError, match=r"shape=\(") as error:
        to_uint8(np.zeros(shape))
    assert "\n" not in str(error.value)
