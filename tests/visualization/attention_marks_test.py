import numpy as np
from PIL import Image

from sagan_tf.visualization.attention_marks import AttentionMarks, cell_center

COLOR = (200, 30, 60)


def marked(draw, left=20, top=30, side=64):
    """A grey picture with marks on a panel at `(left, top)`, and the pixels that they change."""
    marks = AttentionMarks(side)
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
    # It is light and dark, so that it is seen on any picture.
    assert pixels.sum(axis=-1).max() > 700 and pixels.sum(axis=-1).min() < 150
    # At a corner it is whole, too.
    _, corner = marked(lambda marks: marks.dot((0.0, 0.0), COLOR))
    np.testing.assert_array_equal(changed - (40, 16), corner)


def test_an_arrow_ends_in_its_tip():
    pixels, changed = marked(lambda marks: marks.arrow((4.0, 32.0), (60.0, 32.0), COLOR))
    rows, columns = changed.T
    assert abs(rows.mean() - (30 + 32)) < 0.6
    assert 20 + 58 <= columns.max() <= 20 + 64
    width = [np.ptp(rows[columns == 20 + x]) for x in (20, 52)]
    assert width[1] > width[0] + 3  # the head
    assert (pixels == COLOR).all(axis=-1).any()
    # A dot on its start would hide a short one.
    _, changed = marked(lambda marks: marks.arrow((30.0, 32.0), (45.0, 32.0), COLOR))
    assert not len(changed)


def test_the_center_of_a_cell():
    assert cell_center((7, 2), 8, 160) == (50, 150)
    assert cell_center((1, 1), 2, 5) == (3.75, 3.75)
