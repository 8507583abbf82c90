import numpy as np
import pytest

from sagan_tf.visualization import attention_overlay, choose_queries
from sagan_tf.visualization.attention_overlay import (
    CAPTION_HEIGHT,
    FRAME,
    GAP,
    LEGEND_HEIGHT,
    QUERY_COLORS,
)


def one_hot_maps(queries, keys, key, num_images=1):
    """Maps between square grids of these sides, all attention on the key (row, column)."""
    maps = np.zeros((num_images, queries**2, keys**2), dtype="float32")
    maps[:, :, key[0] * keys + key[1]] = 1.0
    return maps


def panel(picture, column, side, row=0):
    """Cuts out one panel; column 0 is the image."""
    left = GAP + column * (side + GAP)
    top = GAP + row * (side + CAPTION_HEIGHT + GAP)
    pixels = np.asarray(picture)[top : top + side, left : left + side]
    assert pixels.shape == (side, side, 3)
    return pixels.astype(int)


def heat_of(pixels):
    """What is warm: red beyond blue; 0 in the grey image and in cool marks."""
    return np.clip(pixels[..., 0] - pixels[..., 2], 0, None)


@pytest.mark.parametrize("size, scale", [(16, 10), (32, 5), (128, 2)])
@pytest.mark.parametrize("channels", [1, 3])
def test_first_panel_is_the_image(size, scale, channels):
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 256, (1, size, size, channels))
    picture = attention_overlay(levels / 127.5 - 1.0, one_hot_maps(8, 4, (0, 0)), queries=[(0, 0)])

    side = size * scale
    image = panel(picture, 0, side)
    expected = np.broadcast_to(levels[0], (size, size, 3)).repeat(scale, 0).repeat(scale, 1)
    differs = (image != expected).any(axis=-1)
    # Only the dot on the first of 8x8 cells is drawn on it.
    assert differs.any()
    assert not differs[side // 8 :].any() and not differs[:, side // 8 :].any()


def test_layout_has_a_row_per_image_and_a_panel_per_query():
    picture = attention_overlay(
        np.zeros((2, 16, 16, 1)), one_hot_maps(8, 4, (0, 0), 2), queries=[(0, 0), (8, 8)]
    )
    assert picture.mode == "RGB"
    assert picture.size == (
        GAP + 3 * (160 + GAP),
        GAP + 2 * (160 + CAPTION_HEIGHT + GAP) + LEGEND_HEIGHT,
    )


def test_small_integers_do_not_overflow():
    images, maps = np.zeros((1, 128, 128, 1)), one_hot_maps(32, 16, (8, 8))
    queries = np.array([[100, 120]])
    assert attention_overlay(images, maps, queries.astype("uint8")) == attention_overlay(
        images, maps, queries
    )


@pytest.mark.parametrize("pixel, cell", [((0, 0), (0, 0)), ((5, 14), (2, 7)), ((15, 4), (7, 2))])
def test_dot_marks_the_cell_of_the_query(pixel, cell):
    picture = attention_overlay(
        np.zeros((1, 16, 16, 1)), one_hot_maps(8, 4, (1, 1)), queries=[pixel]
    )
    image = panel(picture, 0, 160)
    rows, columns = np.nonzero((image == QUERY_COLORS[0]).all(axis=-1))
    assert len(rows) > 20
    assert rows.mean() + 0.5 == pytest.approx(20 * cell[0] + 10, abs=1)
    assert columns.mean() + 0.5 == pytest.approx(20 * cell[1] + 10, abs=1)
    mapped = panel(picture, 1, 160)
    assert mapped[20 * cell[0] + 10, 20 * cell[1] + 10].tolist() == list(QUERY_COLORS[0])


def test_each_query_has_its_colour():
    queries = [(0, 0), (0, 15), (15, 0), (15, 15)]
    picture = attention_overlay(
        np.zeros((1, 16, 16, 1)), one_hot_maps(8, 4, (1, 1)), queries=queries
    )
    image = panel(picture, 0, 160)
    for index, ((row, column), color) in enumerate(zip(queries, QUERY_COLORS, strict=True)):
        assert image[10 if row == 0 else 149, 10 if column == 0 else 149].tolist() == list(color)
        frame = panel(picture, index + 1, 160)
        along = slice(20, 140)  # clear of dots
        for edge in (
            frame[:FRAME, along],
            frame[-FRAME:, along],
            frame[along, :FRAME],
            frame[along, -FRAME:],
        ):
            assert (edge == color).all()


@pytest.mark.parametrize("keys", [4, 8])
@pytest.mark.parametrize("key", [(0, 0), (1, 2), (3, 1)])
def test_heat_is_greatest_on_the_attended_key(keys, key):
    picture = attention_overlay(
        np.zeros((1, 16, 16, 1)), one_hot_maps(8, keys, key), queries=[(15, 15)]
    )
    heat = heat_of(panel(picture, 1, 160))[FRAME:-FRAME, FRAME:-FRAME]
    assert heat.max() > 100
    cell = 160 / keys
    rows, columns = np.nonzero(heat > 0.5 * heat.max())
    assert ((key[0] - 0.5) * cell <= rows).all() and (rows < (key[0] + 1.5) * cell).all()
    assert ((key[1] - 0.5) * cell <= columns).all() and (columns < (key[1] + 1.5) * cell).all()
    far = np.hypot(*(np.indices(heat.shape) - cell * np.array(key)[:, None, None])) > 2.5 * cell
    near_query = np.max(np.indices(heat.shape), axis=0) > 140
    grey = panel(picture, 1, 160)[FRAME:-FRAME, FRAME:-FRAME][far & ~near_query]
    # The arrow is blue; beyond it and the heat, the panel is the dimmed image.
    assert np.median(np.ptp(grey, axis=-1)) == 0
    assert (np.median(grey, axis=0) < 128).all()


def test_every_query_shows_its_own_map():
    maps = one_hot_maps(8, 4, (0, 0))
    maps[0, 5 * 8 + 7] = np.eye(16)[15]
    picture = attention_overlay(np.zeros((1, 16, 16, 1)), maps, queries=[(14, 10), (10, 14)])
    first, second = (heat_of(panel(picture, column, 160)) for column in (1, 2))
    upper_left, lower_right = np.s_[FRAME:40, FRAME:40], np.s_[120:-FRAME, 120:-FRAME]
    assert first[upper_left].mean() > 30 > 3 > first[lower_right].mean()
    assert second[lower_right].mean() > 30 > 3 > second[upper_left].mean()


def test_arrow_points_from_the_query_to_the_peak():
    maps = one_hot_maps(8, 4, (0, 3))
    picture = attention_overlay(np.zeros((1, 16, 16, 1)), maps, queries=[(15, 8), (0, 13)])
    # From cell (7, 4), at (x, y) = (90, 150), to key (0, 3), at (140, 20).
    far, near = panel(picture, 1, 160), panel(picture, 2, 160)
    for way in (0.2, 0.5, 0.8, 0.99):
        x, y = 90 + way * 50, 150 - way * 130
        np.testing.assert_allclose(far[int(y), int(x)], QUERY_COLORS[0], atol=40)
    assert heat_of(far)[12, 140] > 50  # not beyond
    assert (near[20:30, 140] != QUERY_COLORS[1]).any(axis=-1).all()


def test_dots_on_the_border_are_whole():
    picture = attention_overlay(
        np.zeros((1, 128, 128, 1)), one_hot_maps(32, 16, (8, 8)), queries=[(0, 64)]
    )
    above = np.asarray(picture)[:GAP, GAP : GAP + 256]
    assert (above < 100).all(axis=-1).any()
    assert (np.asarray(picture)[0] == 255).all()


def test_legend_shows_the_colours_of_heat():
    picture = attention_overlay(
        np.zeros((1, 16, 16, 1)), one_hot_maps(8, 4, (1, 1)), queries=[(15, 15)]
    )
    legend = np.asarray(picture).astype(int)[-LEGEND_HEIGHT:]
    heat = heat_of(legend)
    assert heat.max() > 100
    warmest = np.nonzero(heat == heat.max())[1]
    assert warmest.min() > 80 and (legend[:, -1] == 255).all()  # nothing is cut off


def test_panels_are_scaled_to_their_own_peak():
    weak = np.full((1, 64, 16), 0.9 / 15, dtype="float32")
    weak[..., 5] = 0.1
    strong = one_hot_maps(8, 4, (1, 1))
    images = np.zeros((1, 16, 16, 1))
    weak_panel, strong_panel = (
        panel(attention_overlay(images, maps, queries=[(15, 15)]), 1, 160)
        for maps in (weak, strong)
    )
    np.testing.assert_allclose(weak_panel[60, 60], strong_panel[60, 60], atol=2)
    assert heat_of(weak_panel)[20, 130] > heat_of(strong_panel)[20, 130]


def test_queries_are_chosen_when_none_are_given():
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (2, 16, 16, 3))
    maps = rng.dirichlet(np.full(16, 0.1), (2, 64))
    chosen = choose_queries(images, maps)
    assert chosen.shape == (2, 3, 2)
    assert attention_overlay(images, maps) == attention_overlay(images, maps, queries=chosen)


IMAGES = np.zeros((1, 16, 16, 1))
MAPS = one_hot_maps(8, 4, (0, 0))


@pytest.mark.parametrize(
    "images, maps, message",
    [
        (IMAGES, MAPS[0], r"num_images=1, queries, keys"),
        (IMAGES, np.repeat(MAPS, 2, axis=0), r"shape=\(2, 64, 16\)"),
        (IMAGES, MAPS[:, :60], r"square grid .* shape=\(1, 60, 16\)"),
        (IMAGES, MAPS[..., :15], r"square grid .* shape=\(1, 64, 15\)"),
        (IMAGES, one_hot_maps(4, 8, (0, 0)), r"at most as many keys"),
        (IMAGES, MAPS[..., :0], r"square grid"),
        (IMAGES[:, :, :12], MAPS, r"square, .* images of 16x12"),
        (IMAGES[:, :12, :12], MAPS, r"multiple of the 8x8 grid .* images of 12x12"),
        (IMAGES, 2 * MAPS, r"summing to 1. .* sums from 2 to 2"),
        (IMAGES, MAPS * [2.0] + [-1 / 16], r"values from -0.0625"),
        (IMAGES, MAPS * np.nan, r"values from nan"),
        (IMAGES * np.nan, MAPS, r"must not be NaN"),
    ],
)
def test_arrays_are_checked(images, maps, message):
    with pytest.raises(ValueError, match=message) as error:
        attention_overlay(images, maps)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "queries, message",
    [
        ([(0, 16)], "from 0 to 15. Received: values from 0 to 16"),
        ([(-1, 0)], "values from -1 to 0"),
        ((3, 4), r"Received: shape=\(2,\)"),
        ([(1, 2, 3)], r"shape=\(1, 1, 3\)"),
        ([[(1, 2)], [(1, 2)]], r"shape=\(2, 1, 2\)"),
        ([(1, 2)] * 5, "at most 4 queries"),
        (np.zeros((0, 2), int), r"shape=\(1, 0, 2\)"),
    ],
)
def test_queries_are_checked(queries, message):
    with pytest.raises(ValueError, match=message) as error:
        attention_overlay(IMAGES, MAPS, queries=queries)
    assert "\n" not in str(error.value)


def test_queries_are_whole_pixels():
    with pytest.raises(TypeError, match="integers. Received: dtype=float64"):
        attention_overlay(IMAGES, MAPS, queries=[(0.5, 0.5)])
