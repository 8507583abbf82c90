"""Where a generator looks."""

import numpy as np
from PIL import Image, ImageDraw

from sagan_tf.images import check_images, to_uint8
from sagan_tf.visualization.heat import heat_map, heat_scale
from sagan_tf.visualization.marks import REACH, Marks, center
from sagan_tf.visualization.pixels import (
    INK,
    PAPER,
    enlarge,
    font,
    scale_to,
)
from sagan_tf.visualization.query_selection import (
    check_attention,
    check_queries,
    choose_queries,
)

# Hues away from the yellow and red of the heat.
QUERY_COLORS = ((0, 190, 255), (90, 220, 80), (255, 90, 220), (80, 110, 255))
LEGIBLE_SIZE = 160
GAP = REACH
FRAME = 3
CAPTION_HEIGHT = 20
LEGEND_HEIGHT = 46
FONT_SIZE = 13


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
    cells = check_queries(queries, images) * query_size // size

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
        marks = Marks(side)
        for cell, color in zip(cells[row], QUERY_COLORS, strict=False):
            marks.dot(center(cell, query_size, side), color)
        marks.paste_on(picture, left, top)
        for cell, color in zip(cells[row], QUERY_COLORS, strict=False):
            left += column_step
            shares = maps[cell[0] * query_size + cell[1]].reshape(key_size, key_size)
            picture.paste(heat_map(image, shares), (left, top))
            frame = (left, top, left + side - 1, top + side - 1)
            draw.rectangle(frame, outline=color, width=FRAME)
            peak = np.unravel_index(shares.argmax(), shares.shape)
            marks = Marks(side)
            marks.arrow(center(cell, query_size, side), center(peak, key_size, side), color)
            marks.dot(center(cell, query_size, side), color)
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


def _draw_legend(picture, key_size):
    """Writes the scale below the panels: a bar from no attention to the panel's peak."""
    width, height = 120, 12
    left, top = GAP + 14, picture.height - LEGEND_HEIGHT + 4
    bar = np.broadcast_to(heat_scale(width), (height, width, 3))
    picture.paste(Image.fromarray(bar), (left, top))
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
