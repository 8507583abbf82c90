"""What one pixel of an image attended to."""

import numpy as np
from PIL import Image, ImageDraw

from sagan_tf.images import check_images, to_uint8
from sagan_tf.visualization.attention_colors import glow
from sagan_tf.visualization.attention_maps import AttentionMaps
from sagan_tf.visualization.attention_marks import AttentionMarks, cell_center
from sagan_tf.visualization.pixels import enlarge, scale_to

# These hues are away from the yellow and red of the heat.
QUERY_COLORS = ((0, 190, 255), (90, 220, 80), (255, 90, 220), (80, 110, 255))
LEGIBLE_SIZE = 160


def attention_panel(image, attention, query, scale=None, heat=True):
    """Draws what one pixel of an image attended to, over the image.

    A dot marks the query. The image is dimmed under the attention map as `attention_overlay` does
    it, and an arrow points to the map's largest value.

    Args:
        image: Float array of shape `(size, size, channels)` in [-1, 1], 1 or 3 channels.
        attention: Float array of shape `(queries, keys)`, the image's map at one resolution.
        query: Two ints, row and column in pixels of the image.
        scale: int, pixels of the panel per pixel of the image; `None` for the least that makes
            the panel 160 pixels high. Defaults to `None`.
        heat: bool, whether to show the attention; if not, the image has the dot alone. Defaults to
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
    if scale is None:
        scale = scale_to(images.shape[1], LEGIBLE_SIZE)
    enlarged = enlarge(to_uint8(images)[0], scale)
    panel = Image.new("RGB", enlarged.size)
    shares = maps.shares(0, cell) if heat else None
    paste_panel(panel, (0, 0), enlarged, maps.query_size, [cell], QUERY_COLORS[:1], shares)
    return panel


def paste_panel(picture, corner, image, query_size, cells, colors, shares=None, frame=0):
    """Draws a square image at a corner `(left, top)` of a picture, with a dot on each query.

    The queries are cells `(row, column)` of a grid `query_size` cells wide. If there is only one,
    `shares` of shape `(key_size, key_size)` may tell what it attended to: the image glows there,
    and an arrow points to the peak. A frame `frame` pixels wide has the first query's color.
    """
    left, top = corner
    side = image.width
    centers = [cell_center(cell, query_size, side) for cell in cells]
    marks = AttentionMarks(side)
    if shares is not None:
        image = glow(image, shares)
        peak = np.unravel_index(shares.argmax(), shares.shape)
        marks.arrow(centers[0], cell_center(peak, len(shares), side), colors[0])
    picture.paste(image, corner)
    if frame:
        edges = (left, top, left + side - 1, top + side - 1)
        ImageDraw.Draw(picture).rectangle(edges, outline=colors[0], width=frame)
    for center, color in zip(centers, colors, strict=True):
        marks.dot(center, color)
    marks.paste_on(picture, left, top)
