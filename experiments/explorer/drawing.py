"""Images that were drawn, questions about them, and pictures in answer."""

import dataclasses

from PIL import Image

from sagan_tf import visualization

# Pictures have a dark mat, on which they are at home in a light page and in a dark one.
MAT, ON_MAT = (24, 26, 30), (210, 214, 220)
COLUMNS, PADDING = 10, 6
THUMBNAIL, CLOSE_UP = 96, 288


@dataclasses.dataclass(frozen=True)
class Query:
    """A pixel of an image: index of the image, row and column of the first model's pixels."""

    image: int
    row: int
    column: int


@dataclasses.dataclass(frozen=True)
class View:
    """One model's answer to a query: two pictures and, if the model attends, its statistics."""

    grid: Image.Image
    close_up: Image.Image
    statistics: dict | None


@dataclasses.dataclass(frozen=True)
class Drawing:
    """Images of each model with all their attention maps.

    Args:
        labels: List of ints, the class of each image; `None` for unconditional models.
        drawn: Tuple of `(images, maps)` per model, as `SAGAN.generate` returns them.
        seed: int, the seed at which the walk began.
        class_names: Tuple of the classes' names; `None` for numbers.
    """

    labels: list | None
    drawn: tuple
    seed: int = 0
    class_names: tuple | None = None

    @property
    def num_images(self):
        """The number of images that each model has drawn."""
        return len(self.drawn[0][0])

    @property
    def columns(self):
        """Columns of the grid: as many as keep each class in columns of its own, if they can."""
        period = 1 if self.labels is None else len(set(self.labels))
        columns = COLUMNS // period * period if period <= COLUMNS else COLUMNS
        return min(columns, self.num_images)

    @property
    def column_labels(self):
        """The classes above the columns; `None` where a column has several."""
        if self.labels is None or len(set(self.labels)) > COLUMNS:
            return None
        return [self._name(label) for label in self.labels[: self.columns]]

    def grid_layout(self, model):
        """The `GridLayout` of a model's grid; `model` is its index."""
        images = self.drawn[model][0]
        scale = max(1, -(-THUMBNAIL // images.shape[1]))
        return visualization.grid_layout(
            images.shape, self.columns, PADDING, scale, self.column_labels
        )

    def close_up_layout(self, model):
        """The `GridLayout` of a close-up: an image, and it under its attention, smooth and not."""
        size = self.drawn[model][0].shape[1]
        scale = max(1, -(-CLOSE_UP // size))
        return visualization.GridLayout(3, size, size, 3, scale, PADDING, PADDING)

    def describe(self, query):
        """Says in words which pixel of which image a query is."""
        kind = "" if self.labels is None else f" of class {self._name(self.labels[query.image])}"
        return f"Image {query.image}{kind}, row {query.row}, column {query.column}"

    def _name(self, label):
        return self.class_names[label] if self.class_names else str(label)
