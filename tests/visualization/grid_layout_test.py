import numpy as np
import pytest

from sagan_tf.visualization import GridLayout, grid_layout, sample_grid


def test_every_pixel_of_a_picture_is_found_where_it_was_drawn():
    # Each pixel of each image has a color of its own; 7 leaves the last row unfinished.
    levels = np.arange(7 * 4 * 3).reshape(7, 4, 3, 1) + 1
    settings = {"columns": 3, "padding": 2, "scale": 5, "column_labels": ["", "", ""]}
    picture = sample_grid(levels / 127.5 - 1.0, paper=(0, 0, 0), **settings)
    layout = grid_layout(levels.shape, **settings)
    assert picture.size == layout.size
    shown = np.asarray(picture)[..., 0]
    for y, x in np.ndindex(shown.shape):
        found = layout.pixel_at(x, y)
        assert shown[y, x] == (0 if found is None else levels[found][0])
    for index in range(7):
        assert layout.pixel_at(*layout.corner(index)) == (index, 0, 0)
    nan, inf = float("nan"), float("inf")
    for point in ((-1, 20), (20, -1), (1e9, 20), (20, 1e9), (nan, 20), (20, inf)):
        assert layout.pixel_at(*point) is None


def test_a_layout_has_an_image():
    with pytest.raises(ValueError, match="must be at least 1.* num_images=0"):
        GridLayout(num_images=0, height=4, width=3, columns=3, scale=5, padding=2, top=11)
