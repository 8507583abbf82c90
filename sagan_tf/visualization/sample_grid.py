"""A picture of many images."""

import math

from PIL import Image

from sagan_tf.images import to_uint8
from sagan_tf.visualization.grid_layout import GridLayout
from sagan_tf.visualization.pixels import INK, PAPER, enlarge, scale_to, write

LEGIBLE_SIZE = 64
LABEL_FONT_SIZE = 12
LABEL_HEIGHT = 20


def sample_grid(
    images, columns=None, padding=2, scale=None, column_labels=None, paper=PAPER, ink=INK
):
    """Arranges images in rows, from left to right and from top to bottom.

    Args:
        images: Float array of shape `(num_images, height, width, 1 or 3)`, clipped to [-1, 1].
        columns: int, images per row. Defaults to one per label, or to a grid that is about square.
        padding: int, pixels between the images and around them. Defaults to `2`.
        scale: int, pixels of the picture per pixel of an image, without interpolation. Defaults to
            the least that makes the images 64 pixels high.
        column_labels: Sequence of one text per column, written above it and cut if it is too long.
            Defaults to `None`, no labels.
        paper: Three ints, RGB between the images. Defaults to white.
        ink: Three ints, RGB of the labels. Defaults to almost black.

    Returns:
        An RGB `PIL.Image.Image`.

    Raises:
        TypeError: if the images are integers.
        ValueError: if the images have another shape or a NaN, or a number is out of range, or there
            is not one label per column.

    Example:

    ```python
    labels = np.tile(np.arange(10), 8)  # a class per column, 8 samples of each
    picture = sample_grid(gan.generate(labels), column_labels=range(10))
    picture.save("samples.png")
    ```
    """
    pixels = to_uint8(images)
    layout = grid_layout(pixels.shape, columns, padding, scale, column_labels)
    if column_labels is not None and len(column_labels) != layout.columns:
        raise ValueError(
            "`column_labels` must have one text per column. "
            f"Received: {len(column_labels)} labels, columns={layout.columns}"
        )
    grid = Image.new("RGB", layout.size, paper)
    for index, image in enumerate(pixels):
        grid.paste(enlarge(image, layout.scale), layout.corner(index))

    width = layout.width * layout.scale
    for column, label in enumerate(column_labels or ()):
        center = layout.corner(column)[0] + width / 2, LABEL_HEIGHT / 2
        write(grid, center, str(label), LABEL_FONT_SIZE, width, ink, anchor="mm")
    return grid


def grid_layout(shape, columns=None, padding=2, scale=None, column_labels=None):
    """The `GridLayout` that `sample_grid` uses for images of a shape, given the same arguments."""
    num_images, height, width, _ = shape
    if columns is None:
        columns = math.ceil(math.sqrt(num_images)) if column_labels is None else len(column_labels)
    if scale is None:
        scale = scale_to(height, LEGIBLE_SIZE)
    top = padding if column_labels is None else LABEL_HEIGHT
    return GridLayout(num_images, height, width, columns, scale, padding, top)
