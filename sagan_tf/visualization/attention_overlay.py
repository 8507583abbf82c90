"""Where a generator looks."""

import numpy as np
from matplotlib import colormaps
from PIL import Image, ImageDraw

from sagan_tf.visualization.pixels import (
    INK,
    PAPER,
    check_images,
    enlarge,
    font,
    scale_to,
    to_uint8,
)
from sagan_tf.visualization.query_selection import check_attention, choose_queries

# Hues away from the yellow and red of the heat.
QUERY_COLORS = ((0, 190, 255), (90, 220, 80), (255, 90, 220), (80, 110, 255))
HEAT = colormaps["inferno"]
LEGIBLE_SIZE = 160
GAP = 10
FRAME = 3
CAPTION_HEIGHT = 20
LEGEND_HEIGHT = 46
FONT_SIZE = 13
SMOOTH = 4  # shapes are drawn this many times too large, then reduced


def attention_overlay(images, attention, queries=None):
    """Shows what a few pixels of each image attended to.

    One row per image: the image with a dot on each query, then per query, framed in the colour of
    its dot, the image in dim grey under the query's attention map. The map is enlarged by bicubic
    interpolation and scaled so that 0 is clear and its own largest value the brightest; a caption
    states that value, an arrow points from the query to it.

    Args:
        images: Float array of shape `(num_images, size, size, channels)` in [-1, 1], 1 or 3
            channels.
        attention: Float array of shape `(num_images, queries, keys)`, one of the maps that
            `Generator(...)(..., return_attention=True)` returns: rows sum to 1; queries and keys
            are square grids in row-major order, whose sides are inferred.
        queries: int array of shape `(num_queries, 2)`, or `(num_images, num_queries, 2)` for other
            queries in each image: row and column in pixels of the image, at most 4 queries.
            `None` lets `choose_queries` take 3 per image. Defaults to `None`.

    Returns:
        An RGB `PIL.Image.Image`, whose panels are the images enlarged by the least whole factor
        that makes them 160 pixels high.

    Raises:
        TypeError: if the images are integers, or `queries` are not.
        ValueError: if an array has another shape, if images or attention hold a NaN, attention
            does not sum to 1, or a query lies outside of the images.

    Reference:
        [Zhang et al., 2019](https://arxiv.org/abs/1805.08318), figures 1, 5 and 6.
    """
    images = check_images(images)
    attention, query_size, key_size = check_attention(attention, images)
    if queries is None:
        queries = choose_queries(images, attention)
    size = images.shape[1]
    cells = _check_queries(queries, images) * query_size // size

    scale = scale_to(size, LEGIBLE_SIZE)
    side = size * scale
    column_step, row_step = side + GAP, side + CAPTION_HEIGHT + GAP
    columns = 1 + cells.shape[1]
    picture = Image.new(
        "RGB", (GAP + columns * column_step, GAP + len(images) * row_step + LEGEND_HEIGHT), PAPER
    )
    draw = ImageDraw.Draw(picture)
    for row, (pixels, maps) in enumerate(zip(to_uint8(images), attention, strict=True)):
        image = enlarge(pixels, scale)
        left, top = GAP, GAP + row * row_step
        picture.paste(image, (left, top))
        marks = _Marks(side)
        for cell, color in zip(cells[row], QUERY_COLORS, strict=False):
            marks.dot(_center(cell, query_size, side), color)
        marks.paste_on(picture, left, top)
        for cell, color in zip(cells[row], QUERY_COLORS, strict=False):
            left += column_step
            shares = maps[cell[0] * query_size + cell[1]].reshape(key_size, key_size)
            picture.paste(_heat_map(image, shares), (left, top))
            frame = (left, top, left + side - 1, top + side - 1)
            draw.rectangle(frame, outline=color, width=FRAME)
            peak = np.unravel_index(shares.argmax(), shares.shape)
            marks = _Marks(side)
            marks.arrow(_center(cell, query_size, side), _center(peak, key_size, side), color)
            marks.dot(_center(cell, query_size, side), color)
            marks.paste_on(picture, left, top)
            draw.text(
                (left + side / 2, top + side + CAPTION_HEIGHT / 2 + 2),
                f"peak {shares.max():.1%}",
                fill=INK,
                font=font(FONT_SIZE),
                anchor="mm",
            )
    _draw_legend(picture, key_size)
    return picture


def _check_queries(queries, images):
    """Queries as an int array `(num_images, num_queries, 2)` of pixels inside of the images."""
    queries = np.asarray(queries)
    if queries.dtype.kind not in "iu":
        raise TypeError(f"`queries` must be integers. Received: dtype={queries.dtype}")
    num_images, size = images.shape[:2]
    if queries.ndim == 2:
        queries = np.broadcast_to(queries, (num_images, *queries.shape))
    if (
        queries.ndim != 3
        or (len(queries), queries.shape[2]) != (num_images, 2)
        or not 1 <= queries.shape[1] <= len(QUERY_COLORS)
    ):
        raise ValueError(
            f"`queries` must have shape (num_queries, 2) or (num_images={num_images}, "
            f"num_queries, 2), at most {len(QUERY_COLORS)} queries. "
            f"Received: shape={queries.shape}"
        )
    if queries.min() < 0 or queries.max() >= size:
        raise ValueError(
            f"`queries` must be rows and columns from 0 to {size - 1}. "
            f"Received: values from {queries.min()} to {queries.max()}"
        )
    return queries.astype("int64")


def _center(cell, grid_size, side):
    """Centre `(x, y)` of a grid's cell `(row, column)` in a panel `side` pixels wide."""
    row, column = cell
    return (column + 0.5) * side / grid_size, (row + 0.5) * side / grid_size


def _heat_map(image, shares):
    """The image in dim grey under a map `(key_size, key_size)`, scaled to its peak."""
    heat = Image.fromarray(shares / shares.max()).resize(image.size, Image.Resampling.BICUBIC)
    grey = np.asarray(image.convert("L"), "float32") / 255.0
    return Image.fromarray(_heated(0.08 + 0.5 * grey, np.asarray(heat)))


def _heated(grey, heat):
    """Blends heat in [0, 1] over grey in [0, 1] of the same shape: uint8 RGB, clear where 0."""
    heat = np.clip(heat, 0.0, 1.0)[..., None]
    color = HEAT(0.15 + 0.85 * heat[..., 0])[..., :3]
    opacity = 0.85 * heat**0.75
    return np.rint(255.0 * ((1.0 - opacity) * grey[..., None] + opacity * color)).astype("uint8")


class _Marks:
    """Smooth dots and arrows over a panel `side` pixels wide; they may reach into the gap."""

    def __init__(self, side):
        self.size = side + 2 * GAP
        self.layer = Image.new("RGBA", (self.size * SMOOTH, self.size * SMOOTH))
        self.draw = ImageDraw.Draw(self.layer)

    def dot(self, center, color):
        x, y = SMOOTH * (np.array(center) + GAP)
        for radius, fill in ((7, INK), (6, PAPER), (4.5, color)):
            self.draw.circle((x, y), radius * SMOOTH, fill=fill)

    def arrow(self, start, end, color):
        start, end = SMOOTH * (np.array(start) + GAP), SMOOTH * (np.array(end) + GAP)
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
        layer = self.layer.resize((self.size, self.size), Image.Resampling.BOX)
        picture.paste(layer, (left - GAP, top - GAP), mask=layer)


def _draw_legend(picture, key_size):
    """Writes the scale below the panels: a bar from no attention to the panel's peak."""
    width, height = 120, 12
    left, top = GAP + 14, picture.height - LEGEND_HEIGHT + 4
    heat = np.broadcast_to(np.linspace(0.0, 1.0, width), (height, width))
    picture.paste(Image.fromarray(_heated(np.full(heat.shape, 0.3), heat)), (left, top))
    draw = ImageDraw.Draw(picture)
    even = 1 / key_size**2
    for position, text in (
        ((GAP, top + 6), "0"),
        ((left + width + 6, top + 6), "the panel's peak"),
        (
            (GAP, top + 26),
            f"share of the attention over {key_size} x {key_size} keys (even: {even:.2%})",
        ),
    ):
        draw.text(position, text, fill=INK, font=font(FONT_SIZE), anchor="lm")
