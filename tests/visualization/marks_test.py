import numpy as np
import pytest
from PIL import Image

from sagan_tf.visualization.marks import REACH, Marks, center

COLOR = (200, 30, 60)


def marked(draw, left=20, top=30, side=64):
    """What marks change on a grey picture, with a panel at `(left, top)`."""
    marks = Marks(side)
    draw(marks)
    picture = Image.new("RGB", (side + 60, side + 60), (128, 128, 128))
    marks.paste_on(picture, left, top)
    pixels = np.asarray(picture).astype(int)
    return pixels, np.argwhere((pixels != 128).any(axis=-1))


def test_a_dot_is_a_disc_with_rims_around_its_point():
    pixels, changed = marked(lambda marks: marks.dot((16.0, 40.0), COLOR))
    np.testing.assert_allclose(changed.mean(axis=0), (30 + 40, 20 + 16), atol=0.6)
    assert 13 <= np.ptp(changed[:, 0]) + 1 <= 16
    assert tuple(pixels[70, 36]) == COLOR
    # Light and dark, so that it is seen on any picture.
    assert pixels.sum(axis=-1).max() > 700 and pixels.sum(axis=-1).min() < 150


def test_a_dot_at_a_corner_is_whole():
    _, inside = marked(lambda marks: marks.dot((32.0, 32.0), COLOR))
    _, corner = marked(lambda marks: marks.dot((0.0, 0.0), COLOR))
    np.testing.assert_array_equal(inside - 32, corner)
    assert corner.min(axis=0)[0] >= 30 - REACH


def test_an_arrow_ends_in_its_tip():
    pixels, changed = marked(lambda marks: marks.arrow((4.0, 32.0), (60.0, 32.0), COLOR))
    rows, columns = changed.T
    assert abs(rows.mean() - (30 + 32)) < 0.6
    assert 20 + 58 <= columns.max() <= 20 + 64
    width = [np.ptp(rows[columns == 20 + x]) for x in (20, 52)]
    assert width[1] > width[0] + 3  # the head
    assert (pixels == COLOR).all(axis=-1).any()


def test_an_arrow_that_its_dot_would_hide_is_not_drawn():
    _, changed = marked(lambda marks: marks.arrow((30.0, 32.0), (45.0, 32.0), COLOR))
    assert not len(changed)


@pytest.mark.parametrize(
    "cell, grid_size, side, expected",
    [((0, 0), 8, 160, (10, 10)), ((7, 2), 8, 160, (50, 150)), ((1, 1), 2, 5, (3.75, 3.75))],
)
def test_the_centre_of_a_cell(cell, grid_size, side, expected):
    assert center(cell, grid_size, side) == expected
