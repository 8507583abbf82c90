"""Many images in one picture."""

import math

from PIL import Image, ImageDraw

from sagan_tf.visualization.pixels import INK, PAPER, enlarge, font, scale_to, to_uint8

LEGIBLE_SIZE = 64
LABEL_FONT_SIZE = 12
LABEL_HEIGHT = 20


def sample_grid(images, columns=None, padding=2, scale=None, column_labels=None):
    """Arranges images in rows, from left to right and from top to bottom.

    Args:
        images: Float array of shape `(num_images, height, width, channels)` in [-1, 1] (values
            outside are clipped), 1 or 3 channels.
        columns: int, images per row; `None` for a grid that is about square, or for as many as
            there are `column_labels`. Defaults to `None`.
        padding: int, white pixels between the images and around them. Defaults to `2`.
        scale: int, pixels of the picture per pixel of an image, without interpolation; `None`
            for the least scale that makes the images 64 pixels high. Defaults to `None`.
        column_labels: Sequence of one text per column, written above it; texts that are too long
            are cut. `None` for no labels. Defaults to `None`.

    Returns:
        An RGB `PIL.Image.Image`.

    Raises:
        TypeError: if the images are integers.
        ValueError: if the images have another shape or a NaN, if `columns` or `scale` is less
            than 1, if `padding` is negative, or if there is not one label per column.

    Example:

    ```python
    labels = np.tile(np.arange(10), 8)  # a class per column, 8 samples of each
    picture = sample_grid(gan.generate(labels), column_labels=range(10))
    picture.save("samples.png")
    ```
    """
    pixels = to_uint8(images)
    num_images, height, width, _ = pixels.shape
    if columns is None:
        columns = math.ceil(math.sqrt(num_images)) if column_labels is None else len(column_labels)
    if scale is None:
        scale = scale_to(height, LEGIBLE_SIZE)
    if columns < 1 or scale < 1 or padding < 0:
        raise ValueError(
            "`columns` and `scale` must be at least 1, and `padding` at least 0. "
            f"Received: {columns=}, {scale=}, {padding=}"
        )
    if column_labels is not None and len(column_labels) != columns:
        raise ValueError(
            "`column_labels` must have one text per column. "
            f"Received: {len(column_labels)} labels, {columns=}"
        )

    top = padding if column_labels is None else LABEL_HEIGHT
    column_step, row_step = width * scale + padding, height * scale + padding
    rows = math.ceil(num_images / columns)
    grid = Image.new("RGB", (padding + columns * column_step, top + rows * row_step), PAPER)
    for index, image in enumerate(pixels):
        row, column = divmod(index, columns)
        corner = (padding + column * column_step, top + row * row_step)
        grid.paste(enlarge(image, scale), corner)

    draw = ImageDraw.Draw(grid)
    for column, label in enumerate(column_labels or ()):
        center = (padding + column * column_step + width * scale / 2, LABEL_HEIGHT / 2)
        _write(draw, center, str(label), width * scale)
    return grid


def _write(draw, center, text, width):
    """Writes a text centred on a point, cut to fit a width in pixels."""
    label_font = font(LABEL_FONT_SIZE)
    fitting = text
    while fitting and label_font.getlength(fitting) > width:
        text = text[:-1]
        fitting = text and text + "…"
    draw.text(center, fitting, fill=INK, font=label_font, anchor="mm")
