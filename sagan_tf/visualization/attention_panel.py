"""Where one pixel looks."""

import numpy as np

from sagan_tf.images import check_images, to_uint8
from sagan_tf.visualization.heat import heat_map
from sagan_tf.visualization.marks import Marks, center
from sagan_tf.visualization.pixels import enlarge, scale_to
from sagan_tf.visualization.query_selection import check_attention, check_queries

QUERY_COLOR = (0, 190, 255)
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
        heat: bool; without, the image has the dot alone. Defaults to `True`.

    Returns:
        An RGB `PIL.Image.Image`, `size * scale` pixels wide and high.

    Raises:
        TypeError: if the image is of integers, or the query is not.
        ValueError: if an array is not as above, or the query lies outside of the image.
    """
    images = check_images(np.asarray(image)[None])
    maps, query_size, key_size = check_attention(np.asarray(attention)[None], images)
    size = images.shape[1]
    (cell,) = check_queries([query], images)[0] * query_size // size
    if scale is None:
        scale = scale_to(size, LEGIBLE_SIZE)
    side = size * scale
    panel = enlarge(to_uint8(images)[0], scale)
    start = center(cell, query_size, side)
    marks = Marks(side)
    if heat:
        shares = maps[0, cell[0] * query_size + cell[1]].reshape(key_size, key_size)
        panel = heat_map(panel, shares)
        peak = np.unravel_index(shares.argmax(), shares.shape)
        marks.arrow(start, center(peak, key_size, side), QUERY_COLOR)
    marks.dot(start, QUERY_COLOR)
    marks.paste_on(panel, 0, 0)
    return panel
