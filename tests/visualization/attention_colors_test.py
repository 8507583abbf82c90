import numpy as np
import pytest
from PIL import Image

from sagan_tf.visualization import heat_scale
from sagan_tf.visualization.attention_colors import blend_heat, glow


def test_heat_scale_goes_from_gray_over_purple_to_its_brightest():
    scale = heat_scale(9)
    brightness = scale.astype(int).sum(axis=1)
    assert scale.dtype == np.uint8 and scale.shape == (9, 3)
    assert np.ptp(scale[0]) == 0 < np.ptp(scale[1])
    assert (np.diff(brightness[1:]) > 0).all() and brightness[-1] > 2 * brightness[0]


def test_heat_is_clear_where_it_is_0_and_clipped_beyond_0_and_1():
    gray = np.linspace(0, 1, 4)
    clear, hot, below, above = (blend_heat(gray, np.full(4, h)) for h in (0.0, 1.0, -0.5, 1.5))
    np.testing.assert_array_equal(clear, np.rint(255 * gray)[:, None].repeat(3, axis=-1))
    np.testing.assert_array_equal(below, clear)
    np.testing.assert_array_equal(above, hot)


@pytest.mark.parametrize("share", [0.85, 0.002])
def test_the_peak_is_where_the_largest_share_is_however_small(share):
    shares = np.zeros((4, 4), "float32")
    shares[1, 2] = share
    picture = glow(Image.new("RGB", (64, 64), "white"), shares)
    assert picture.size == (64, 64) and picture.mode == "RGB"
    brightness = np.asarray(picture).astype(int).sum(axis=-1)
    row, column = np.unravel_index(brightness.argmax(), brightness.shape)
    assert (row // 16, column // 16) == (1, 2) and brightness.max() > 600
    # Elsewhere the picture is in dim gray.
    assert len(set(picture.getpixel((5, 60)))) == 1 and 100 < picture.getpixel((5, 60))[0] < 160
