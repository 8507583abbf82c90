"""Dots on queries, and arrows to what they attend to."""

import numpy as np
from PIL import Image, ImageDraw

from sagan_tf.visualization.pixels import INK, PAPER

REACH = 10
_SMOOTH = 4  # Shapes are drawn this many times too large, then reduced.


class AttentionMarks:
    """Smooth dots and arrows over a panel `side` pixels wide, which may reach 10 pixels out of it.

    Points are `(x, y)` in pixels of the panel, and colors are RGB.
    """

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
            tip = end + 2 * outline * _SMOOTH * along
            back = base - outline * _SMOOTH * along
            barb = (5 + 1.5 * outline) * _SMOOTH * across
            self._pen.polygon([*map(tuple, (tip, back + barb, back - barb))], fill=fill)

    def paste_on(self, picture, left, top):
        """Draws the marks on a picture in which the panel begins at `(left, top)`."""
        layer = self._layer.resize((self._size, self._size), Image.Resampling.BOX)
        picture.paste(layer, (left - REACH, top - REACH), mask=layer)


def cell_center(cell, grid_size, side):
    """Center `(x, y)` of a grid's cell `(row, column)` in a panel `side` pixels wide."""
    row, column = cell
    return (column + 0.5) * side / grid_size, (row + 0.5) * side / grid_size
