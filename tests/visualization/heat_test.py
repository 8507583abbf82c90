import numpy as np
import pytest
from PIL import Image

from sagan_tf.visualization import heat_scale
from sagan_tf.visualization.heat import heat_map, heated


def test_heat_scale_ends_brightest():
    scale = heat_scale(9)
    brightness = scale.astype(int).sum(axis=1)
    assert scale.dtype == np.uint8 and scale.shape == (9, 3)
    # From grey, where nothing is attended to, over purple.
    assert np.ptp(scale[0]) == 0 < np.ptp(scale[1])
    assert (np.diff(brightness[1:]) > 0).all() and brightness[-1] > 2 * brightness[0]


def test_where_nothing_is_attended_to_the_picture_is_seen():
    grey = np.linspace(0, 1, 12).reshape(3, 4)
    clear = heated(grey, np.zeros((3, 4)))
    np.testing.assert_array_equal(clear, np.rint(255 * grey)[..., None].repeat(3, axis=-1))


@pytest.mark.parametrize("beyond, within", [(-0.5, 0.0), (1.5, 1.0)])
def test_what_interpolation_overshoots_is_clipped(beyond, within):
    grey = np.full((2, 2), 0.4)
    np.testing.assert_array_equal(
        heated(grey, np.full((2, 2), beyond)), heated(grey, np.full((2, 2), within))
    )


def test_the_peak_is_where_the_largest_share_is():
    shares = np.full((4, 4), 0.01, "float32")
    shares[1, 2] = 0.85
    picture = heat_map(Image.new("RGB", (64, 64), "white"), shares)
    assert picture.size == (64, 64) and picture.mode == "RGB"
    brightness = np.asarray(picture).astype(int).sum(axis=-1)
    row, column = np.unravel_index(brightness.argmax(), brightness.shape)
    assert (row // 16, column // 16) == (1, 2)


def test_colours_are_of_shares_of_the_peak():
    """An image whose attention is spread thin glows as one whose attention is not."""
    picture, shares = Image.new("L", (32, 32), 90), np.eye(4, dtype="float32")
    one, other = (np.asarray(heat_map(picture, scale * shares)) for scale in (0.5, 0.002))
    np.testing.assert_allclose(one.astype(int), other, atol=1)
