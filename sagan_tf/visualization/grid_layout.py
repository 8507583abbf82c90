"""The places of the images in a grid."""

import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class GridLayout:
    """Images in rows, from left to right and from top to bottom.

    Args:
        num_images: int, at least 1.
        height, width: int, pixels of an image.
        columns: int, images per row, at least 1.
        scale: int, pixels of the picture per pixel of an image, at least 1.
        padding: int, pixels between the images and around them, at least 0.
        top: int, pixels above the first row.
    """

    num_images: int
    height: int
    width: int
    columns: int
    scale: int
    padding: int
    top: int

    def __post_init__(self):
        if min(self.num_images, self.columns, self.scale) < 1 or self.padding < 0:
            raise ValueError(
                "`num_images`, `columns` and `scale` must be at least 1, and `padding` at least "
                f"0. Received: num_images={self.num_images}, columns={self.columns}, "
                f"scale={self.scale}, padding={self.padding}"
            )

    @property
    def size(self):
        """Width and height of the picture."""
        rows = math.ceil(self.num_images / self.columns)
        right, bottom = self.columns * self._step(self.width), rows * self._step(self.height)
        return self.padding + right, self.top + bottom

    def corner(self, index):
        """Pixel `(left, top)` of the picture at which an image begins."""
        row, column = divmod(index, self.columns)
        left, top = column * self._step(self.width), row * self._step(self.height)
        return self.padding + left, self.top + top

    def pixel_at(self, x, y):
        """Image and pixel, ints `(index, row, column)`, at a point; `None` if no image is there."""
        if not (math.isfinite(x) and math.isfinite(y)):
            return None
        grid_column, x = divmod(x - self.padding, self._step(self.width))
        grid_row, y = divmod(y - self.top, self._step(self.height))
        row, column = int(y // self.scale), int(x // self.scale)
        index = int(grid_row * self.columns + grid_column)
        on_image = row < self.height and column < self.width
        if not on_image or not 0 <= grid_column < self.columns or not 0 <= index < self.num_images:
            return None
        return index, row, column

    def _step(self, length):
        return length * self.scale + self.padding
