import dataclasses

import numpy as np
import pytest

from sagan_tf.visualization import GridLayout, grid_layout, sample_grid

LAYOUT = GridLayout(num_images=7, height=4, width=3, columns=3, scale=5, padding=2, top=11)


def test_every_pixel_of_a_picture_is_found_where_it_was_drawn():
    # Each pixel of each image has a color of its own; 7 leaves the last row unfinished.
    levels = np.arange(7 * 4 * 3).reshape(7, 4, 3, 1) + 1
    settings = {"columns": 3, "padding": 2, "scale": 5, "column_labels": ["", "", ""]}
    picture = sample_grid(levels / 127.5 - 1.0, paper=(0, 0, 0), **settings)
    layout = grid_layout(levels.shape, **settings)
    assert picture.size == layout.size
    shown = np.asarray(picture)[..., 0]
    for y in range(picture.height):
        for x in range(picture.width):
            found = layout.pixel_at(x, y)
            level = 0 if found is None else levels[found][0]
            assert shown[y, x] == level


def test_corners_are_first_pixels_and_nothing_is_outside():
    for index in range(7):
        assert LAYOUT.pixel_at(*LAYOUT.corner(index)) == (index, 0, 0)
    nan, inf = float("nan"), float("inf")
    for point in ((-1, 20), (20, -1), (1e9, 20), (20, 1e9), (nan, 20), (20, inf)):
        assert LAYOUT.pixel_at(*point) is None
    with pytest.raises(ValueError, match="must be at least 1.* num_images=0"):
        dataclasses.replace(LAYOUT, num_images=0)
