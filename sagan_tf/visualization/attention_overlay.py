"""What a few pixels of each image attended to."""

import numpy as np
from PIL import Image

from sagan_tf.images import check_images, to_uint8
from sagan_tf.visualization.attention_colors import heat_scale
from sagan_tf.visualization.attention_maps import AttentionMaps
from sagan_tf.visualization.attention_panel import LEGIBLE_SIZE, QUERY_COLORS, REACH, paste_panel
from sagan_tf.visualization.grid_layout import GridLayout
from sagan_tf.visualization.pixels import PAPER, enlarge, scale_to, write
from sagan_tf.visualization.query_selection import choose_queries

GAP = REACH
FRAME = 3
CAPTION_HEIGHT = 20
LEGEND_HEIGHT = 46
FONT_SIZE = 13  # pixels


def attention_overlay(images, attention, queries=None):
    """Shows what a few pixels of each image attended to.

    Each image has a row: first the image with a dot on each query, then a panel per query, framed
    in the color of its dot, with the image in dim gray under the query's attention map. The map is
    enlarged by bicubic interpolation and scaled so that 0 is clear and its own largest value the
    brightest; a caption states that value, and an arrow points from the query to it.

    Args:
        images: Float array of shape `(num_images, size, size, 1 or 3)` in [-1, 1].
        attention: Float array of shape `(num_images, queries, keys)`, as the generator returns it
            for one resolution: rows sum to 1, queries and keys are square grids in row-major order.
        queries: int array of shape `(num_queries, 2)`, or `(num_images, num_queries, 2)` for other
            queries in each image: row and column in pixels of the image, at most 4 queries.
            Defaults to 3 per image, which `choose_queries` takes.

    Returns:
        An RGB `PIL.Image.Image`, whose panels are the images enlarged by the least whole factor
        that makes them 160 pixels high.

    Raises:
        TypeError: if the images are integers, or `queries` are not.
        ValueError: if an array is not as above, holds a NaN, or a query is outside of the images.

    Reference:
        [Zhang et al., 2019](https://arxiv.org/abs/1805.08318), figures 1, 5 and 6.
    """
    images = check_images(images)
    maps = AttentionMaps(attention, images)
    cells = maps.cells(choose_queries(images, attention) if queries is None else queries)
    num_images, num_queries, _ = cells.shape
    colors = QUERY_COLORS[:num_queries]

    scale = scale_to(images.shape[1], LEGIBLE_SIZE)
    side = images.shape[1] * scale
    columns = 1 + num_queries
    layout = GridLayout(
        num_images * columns, side + CAPTION_HEIGHT, side, columns, scale=1, padding=GAP, top=GAP
    )
    width, height = layout.size
    picture = Image.new("RGB", (width, height + LEGEND_HEIGHT), PAPER)
    for index, pixels in enumerate(to_uint8(images)):
        image = enlarge(pixels, scale)
        corners = [layout.corner(index * columns + column) for column in range(columns)]
        paste_panel(picture, corners[0], image, maps.query_size, cells[index], colors)
        for corner, cell, color in zip(corners[1:], cells[index], colors, strict=True):
            shares = maps.shares(index, cell)
            paste_panel(picture, corner, image, maps.query_size, [cell], [color], shares, FRAME)
            center = (corner[0] + side / 2, corner[1] + side + CAPTION_HEIGHT / 2 + 2)
            write(picture, center, f"peak {shares.max():.1%}", FONT_SIZE, anchor="mm")
    _draw_legend(picture, maps.key_size)
    return picture


def _draw_legend(picture, key_size):
    """Draws the scale below the panels: a bar from no attention to the panel's peak."""
    width, height = 120, 12
    left, top = GAP + 14, picture.height - LEGEND_HEIGHT + 4
    bar = np.broadcast_to(heat_scale(width), (height, width, 3))
    picture.paste(Image.fromarray(bar), (left, top))
    even = 1 / key_size**2
    unit = f"share of the attention over {key_size} x {key_size} keys (even: {even:.2%})"
    write(picture, (GAP, top + 6), "0", FONT_SIZE)
    write(picture, (left + width + 6, top + 6), "the panel's peak", FONT_SIZE)
    write(picture, (GAP, top + 26), unit, FONT_SIZE)
