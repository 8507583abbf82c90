"""Dots and arrows."""

import numpy as np
from PIL import Image, ImageDraw

from sagan_tf.visualization.pixels import INK, PAPER

REACH = 10
SMOOTH = 4  # shapes are drawn this many times too large, then reduced


class Marks:
    """Smooth dots and arrows over a panel `side` pixels wide; they may reach 10 pixels out of it.

    Points are `(x, y)` in pixels of the panel, colours RGB.
    """

    def __init__(self, side):
        self.size = side + 2 * REACH
        self.layer = Image.new("RGBA", (self.size * SMOOTH, self.size * SMOOTH))
        self.draw = ImageDraw.Draw(self.layer)

    def dot(self, center, color):
        x, y = SMOOTH * (np.array(center) + REACH)
        for radius, fill in ((7, INK), (6, PAPER), (4.5, color)):
            self.draw.circle((x, y), radius * SMOOTH, fill=fill)

    def arrow(self, start, end, color):
        start, end = SMOOTH * (np.array(start) + REACH), SMOOTH * (np.array(end) + REACH)
        length = np.hypot(*(end - start))
        if length < 20 * SMOOTH:  # it would hide under the dot
            return
        along = (end - start) / length
        across = np.array((-along[1], along[0]))
        base = end - 9 * SMOOTH * along
        for outline, fill in ((1, INK), (0, color)):
            self.draw.line((*start, *base), fill=fill, width=(2 + 2 * outline) * SMOOTH)
            tip = end + 2 * outline * SMOOTH * along
            back = base - outline * SMOOTH * along
            barb = (5 + 1.5 * outline) * SMOOTH * across
            self.draw.polygon([*map(tuple, (tip, back + barb, back - barb))], fill=fill)

    def paste_on(self, picture, left, top):
        """Draws the marks on a picture in which the panel begins at `(left, top)`."""
        layer = self.layer.resize((self.size, self.size), Image.Resampling.BOX)
        picture.paste(layer, (left - REACH, top - REACH), mask=layer)


def center(cell, grid_size, side):
    """Centre `(x, y)` of a grid's cell `(row, column)` in a panel `side` pixels wide."""
    row, column = cell
    return (column + 0.5) * side / grid_size, (row + 0.5) * side / grid_size
