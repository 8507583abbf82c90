"""What one pixel of an image attended to, with a dot on it and an arrow to the peak."""

import numpy as np
from PIL import Image, ImageDraw

from sagan_tf.images import check_images, to_uint8
from sagan_tf.visualization.attention_colors import glow
from sagan_tf.visualization.attention_maps import AttentionMaps
from sagan_tf.visualization.pixels import INK, PAPER, enlarge, scale_to

# These hues are away from the yellow and red of the heat.
QUERY_COLORS = ((0, 190, 255), (90, 220, 80), (255, 90, 220), (80, 110, 255))
LEGIBLE_SIZE = 160
REACH = 10  # Marks on a border reach so many pixels out of the panel.
_SMOOTH = 4  # Shapes are drawn this many times too large, then reduced.


def attention_panel(image, attention, query, scale=None, heat=True, largest=None, smooth=True):
    """Draws what one pixel of an image attended to, over the image.

    A dot marks the query. The image is dimmed under the attention map as `attention_overlay` does
    it, and an arrow points to the map's largest value.

    Args:
        image: Float array of shape `(size, size, 1 or 3)` in [-1, 1].
        attention: Float array of shape `(queries, keys)`, the image's map at one resolution.
        query: Two ints, row and column in pixels of the image.
        scale: int, pixels of the panel per pixel of the image. Defaults to the least that makes
            the panel 160 pixels high.
        heat: bool, whether to show the attention, not the dot alone. Defaults to `True`.
        largest: float, the share that is the brightest. Defaults to `None`, the map's largest.
        smooth: bool, whether the map is interpolated; else each key is a square. Defaults to
            `True`.

    Returns:
        An RGB `PIL.Image.Image`, `size * scale` pixels wide and high.

    Raises:
        TypeError: if the image is of integers, or the query is not.
        ValueError: if an array is not as above, or the query lies outside of the image.
    """
    images = check_images(np.asarray(image)[None])
    maps = AttentionMaps(np.asarray(attention)[None], images)
    (cell,) = maps.cells([query])[0]
    enlarged = enlarge(to_uint8(images)[0], scale or scale_to(images.shape[1], LEGIBLE_SIZE))
    panel = Image.new("RGB", enlarged.size)
    shares = maps.shares(0, cell) if heat else None
    paste_panel(
        panel,
        (0, 0),
        enlarged,
        maps.query_size,
        [cell],
        QUERY_COLORS[:1],
        shares,
        largest=largest,
        smooth=smooth,
    )
    return panel


def paste_panel(picture, corner, image, query_size, cells, colors, shares=None, frame=0, **heat):
    """Draws a square image at a corner `(left, top)` of a picture, with a dot on each query.

    The queries are cells `(row, column)` of a grid `query_size` cells wide. If there is only one,
    `shares` of shape `(key_size, key_size)` may tell what it attended to: the image glows there,
    and an arrow points to the peak; `heat` are arguments of `glow`. A frame `frame` pixels wide has
    the first query's color.
    """
    left, top = corner
    side = image.width
    centers = [_cell_center(cell, query_size, side) for cell in cells]
    marks = _Marks(side)
    if shares is not None:
        image = glow(image, shares, **heat)
        peak = np.unravel_index(shares.argmax(), shares.shape)
        marks.arrow(centers[0], _cell_center(peak, len(shares), side), colors[0])
    picture.paste(image, corner)
    if frame:
        edges = (left, top, left + side - 1, top + side - 1)
        ImageDraw.Draw(picture).rectangle(edges, outline=colors[0], width=frame)
    for center, color in zip(centers, colors, strict=True):
        marks.dot(center, color)
    marks.paste_on(picture, left, top)


class _Marks:
    """Smooth dots and arrows over a panel; points are `(x, y)` in its pixels, and colors RGB."""

    def __init__(self, side):
        self._size = side + 2 * REACH
        self._layer = Image.new("RGBA", (self._size * _SMOOTH, self._size * _SMOOTH))
        self._pen = ImageDraw.Draw(self._layer)

    def dot(self, center, color):
        x, y = _SMOOTH * (np.array(center) + REACH)
        for radius, fill in ((7, INK), (6, PAPER), (4.5, color)):
            self._pen.circle((x, y), radius * _SMOOTH, fill=fill)

    def arrow(self, start, end, color):
        """Draws an arrow from one point to another, unless a dot on its start would hide it."""
        start, end = _SMOOTH * (np.array(start) + REACH), _SMOOTH * (np.array(end) + REACH)
        length = np.hypot(*(end - start))
        if length < 20 * _SMOOTH:
            return
        along = (end - start) / length
        across = np.array((-along[1], along[0]))
        base = end - 9 * _SMOOTH * along
        for outline, fill in ((1, INK), (0, color)):
            self._pen.line((*start, *base), fill=fill, width=(2 + 2 * outline) * _SMOOTH)
            tip, back = end + 2 * outline * _SMOOTH * along, base - outline * _SMOOTH * along
            barb = (5 + 1.5 * outline) * _SMOOTH * across
            self._pen.polygon([*map(tuple, (tip, back + barb, back - barb))], fill=fill)

    def paste_on(self, picture, left, top):
        """Draws the marks on a picture in which the panel begins at `(left, top)`."""
        layer = self._layer.resize((self._size, self._size), Image.Resampling.BOX)
        picture.paste(layer, (left - REACH, top - REACH), mask=layer)


def _cell_center(cell, grid_size, side):
    """Center `(x, y)` of a grid's cell `(row, column)` in a panel `side` pixels wide."""
    row, column = cell
    return (column + 0.5) * side / grid_size, (row + 0.5) * side / grid_size
