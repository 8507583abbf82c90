import numpy as np
import pytest

from sagan_tf.visualization import attention_overlay, choose_queries
from sagan_tf.visualization.attention_overlay import CAPTION_HEIGHT, FRAME, GAP, LEGEND_HEIGHT
from sagan_tf.visualization.attention_panel import QUERY_COLORS
from tests.visualization.attention_maps_test import IMAGES, one_hot_maps


def panel(picture, column, side=160, row=0):
    """Cuts out one panel; column 0 is the image."""
    left = GAP + column * (side + GAP)
    top = GAP + row * (side + CAPTION_HEIGHT + GAP)
    pixels = np.asarray(picture)[top : top + side, left : left + side]
    assert pixels.shape == (side, side, 3)
    return pixels.astype(int)


def heat_of(pixels):
    """Warmth: red beyond blue, which is 0 in the gray image and in cool marks."""
    return np.clip(pixels[..., 0] - pixels[..., 2], 0, None)


@pytest.mark.parametrize("size, scale, channels", [(16, 10, 1), (32, 5, 3), (128, 2, 1)])
def test_first_panel_is_the_image(size, scale, channels):
    levels = np.random.default_rng(0).integers(0, 256, (1, size, size, channels))
    picture = attention_overlay(levels / 127.5 - 1.0, one_hot_maps(8, 4, (0, 0)), queries=[(0, 0)])
    side = size * scale
    expected = np.broadcast_to(levels[0], (size, size, 3)).repeat(scale, 0).repeat(scale, 1)
    differs = (panel(picture, 0, side) != expected).any(axis=-1)
    # Only the dot on the first of 8x8 cells is drawn on it.
    assert differs.any()
    assert not differs[side // 8 :].any() and not differs[:, side // 8 :].any()


def test_each_query_has_its_color_and_a_dot_in_the_middle_of_its_cell():
    queries = [(0, 0), (5, 15), (15, 4), (15, 15)]
    cells = [(0, 0), (2, 7), (7, 2), (7, 7)]
    picture = attention_overlay(IMAGES, one_hot_maps(8, 4, (1, 1)), queries=queries)
    image = panel(picture, 0)
    for index, (cell, color) in enumerate(zip(cells, QUERY_COLORS, strict=True)):
        row, column = 20 * cell[0] + 10, 20 * cell[1] + 10
        rows, columns = np.nonzero((image == color).all(axis=-1))
        assert len(rows) > 20
        assert (rows.mean() + 0.5, columns.mean() + 0.5) == pytest.approx((row, column), abs=1)
        mapped = panel(picture, index + 1)
        assert mapped[row, column].tolist() == list(color)
        # The dot has a light and a dark rim, so that it is seen on any picture.
        brightness = image[row - 8 : row + 8, column - 8 : column + 8].sum(axis=-1)
        assert brightness.max() > 700 and brightness.min() < 150
        for edge in (mapped[:FRAME], mapped[-FRAME:], mapped[:, :FRAME], mapped[:, -FRAME:]):
            assert (edge == color).all(axis=-1).mean() > 0.85  # The dot hides a part of it.


def test_every_query_shows_its_own_map():
    maps = one_hot_maps(8, 4, (0, 0))
    maps[0, 5 * 8 + 7] = np.eye(16)[15]
    picture = attention_overlay(IMAGES, maps, queries=[(14, 10), (10, 14)])
    first, second = (heat_of(panel(picture, column)) for column in (1, 2))
    upper_left, lower_right = np.s_[FRAME:40, FRAME:40], np.s_[120:-FRAME, 120:-FRAME]
    assert first[upper_left].mean() > 30 > 3 > first[lower_right].mean()
    assert second[lower_right].mean() > 30 > 3 > second[upper_left].mean()
    # The legend shows the colors of heat, and nothing of it is cut off.
    legend = np.asarray(picture).astype(int)[-LEGEND_HEIGHT:]
    warmest = np.nonzero(heat_of(legend) == heat_of(legend).max())[1]
    assert heat_of(legend).max() > 100
    assert warmest.min() > 80 and (legend[:, -1] == 255).all()


def test_arrow_points_from_the_query_to_the_peak():
    maps = one_hot_maps(8, 4, (0, 3))
    picture = attention_overlay(IMAGES, maps, queries=[(15, 8), (0, 13)])
    # From cell (7, 4), at (x, y) = (90, 150), to key (0, 3), at (140, 20).
    far, near = panel(picture, 1), panel(picture, 2)
    for way in (0.2, 0.5, 0.8, 0.99):
        x, y = 90 + way * 50, 150 - way * 130
        np.testing.assert_allclose(far[int(y), int(x)], QUERY_COLORS[0], atol=40)
    assert heat_of(far)[12, 140] > 50  # not beyond
    # Its head is wider than its shaft.
    shaft, head = ((far[y] == QUERY_COLORS[0]).all(axis=-1).sum() for y in (90, 26))
    assert head > shaft + 3
    assert (near[20:30, 140] != QUERY_COLORS[1]).any(axis=-1).all()


def test_dots_on_the_border_are_whole():
    maps = one_hot_maps(32, 16, (8, 8))
    picture = attention_overlay(np.zeros((1, 128, 128, 1)), maps, queries=[(0, 64)])
    above = np.asarray(picture)[:GAP, GAP : GAP + 256]
    assert (above < 100).all(axis=-1).any()
    assert (np.asarray(picture)[0] == 255).all()


def test_queries_are_chosen_when_none_are_given():
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (2, 16, 16, 3))
    maps = rng.dirichlet(np.full(16, 0.1), (2, 64))
    chosen = choose_queries(images, maps)
    assert chosen.shape == (2, 3, 2)
    picture = attention_overlay(images, maps)
    assert picture == attention_overlay(images, maps, queries=chosen)
    # There is a row per image, and beside each image a panel per query.
    height = GAP + 2 * (160 + CAPTION_HEIGHT + GAP) + LEGEND_HEIGHT
    assert picture.size == (GAP + 4 * (160 + GAP), height) and picture.mode == "RGB"
    below = attention_overlay(images[1:], maps[1:], queries=chosen[1:])
    for column in range(4):
        np.testing.assert_array_equal(panel(picture, column, row=1), panel(below, column))
