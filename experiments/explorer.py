"""What the attention explorer knows and draws, apart from the page it is on."""

import dataclasses
import math

import numpy as np
from PIL import Image, ImageDraw

from sagan_tf import evaluation, models, visualization

MAX_IMAGES = 40
MAX_SEED = 2**32 - 1
WALK_STEPS = 21
# Of all models' attention maps in one drawing, which stays in memory for each visitor. More only
# where a single image has more, as with attention at 128: 256 MiB.
MAX_MAP_BYTES = 64 * 2**20
# A dark mat, on which pictures are at home in a light page and in a dark one.
MAT, ON_MAT, CHOSEN = (24, 26, 30), (210, 214, 220), (0, 190, 255)
COLUMNS, PADDING, FRAME = 10, 6, 3
THUMBNAIL, CLOSE_UP = 96, 288


@dataclasses.dataclass(frozen=True)
class Query:
    """A pixel of an image: index of the image, row and column of the first model's pixels."""

    image: int
    row: int
    column: int


@dataclasses.dataclass(frozen=True)
class Drawing:
    """Images of each model, with all their attention maps: `(images, maps)` per model."""

    labels: list | None
    columns: int
    drawn: tuple

    @property
    def num_images(self):
        """How many images each model has drawn."""
        return len(self.drawn[0][0])


@dataclasses.dataclass(frozen=True)
class View:
    """One model's answer to a query: two pictures and, if the model attends, the figures."""

    grid: Image.Image
    close_up: Image.Image
    figures: dict | None


class Explorer:
    """Draws images with one model or several, and answers where their pixels attended to.

    It holds no images: what `draw` returns belongs to the caller.

    Args:
        named_models: Dict from a name to a `SAGAN`, for the same classes and latents.

    Raises:
        ValueError: if the models take different inputs, or none of them attends.
    """

    def __init__(self, named_models):
        self.models = named_models
        generators = [sagan.generator for sagan in named_models.values()]
        for key in ("num_classes", "latent_dim"):
            first, *others = [getattr(generator, key) for generator in generators]
            if any(other != first for other in others):
                raise ValueError(
                    f"Models side by side take the same inputs, and these differ in {key}: "
                    f"{first} and {others[0]}"
                )
        if not any(generator.gates for generator in generators):
            raise ValueError(
                f"{' and '.join(named_models)}: no attention to explore, attention_resolutions "
                "is empty"
            )
        self.num_classes = generators[0].num_classes
        self.image_size = generators[0].image_size
        names = {name for generator in generators for name in generator.gates}
        self.attentions = sorted(names, key=_resolution)
        map_bytes = sum(
            4 * _resolution(name) ** 4 // 4 for generator in generators for name in generator.gates
        )
        self.max_images = max(1, min(MAX_IMAGES, MAX_MAP_BYTES // map_bytes))

    def draw(self, labels, num_images, seed, truncation, other_seed, position):
        """Draws with every model, from a point of the walk between two seeds' latents.

        Args:
            labels: List of ints, taken in turn; `None` for unconditional models.
            num_images: int, from 1 to `max_images`.
            seed: int, where the walk starts: the images of `sample.py --seed`.
            truncation: float in (0, 1].
            other_seed: int, where it ends.
            position: float in [0, 1], how far to go.

        Returns:
            A `Drawing`.

        Raises:
            ValueError: if an input is out of range, or is no number.
        """
        num_images = _whole("images", num_images, 1, self.max_images)
        seed = _whole("seed", seed, 0, MAX_SEED)
        other_seed = _whole("other seed", other_seed, 0, MAX_SEED)
        _check("truncation", truncation, 0 < _number(truncation) <= 1, "in (0, 1]")
        _check("walk", position, 0 <= _number(position) <= 1, "in [0, 1]")
        if self.num_classes is not None:
            if not isinstance(labels, (list, tuple)) or not labels:
                raise ValueError("Choose at least one class")
            labels = [_whole("class", label, 0, self.num_classes - 1) for label in labels]
            labels = list(dict.fromkeys(labels))[:num_images]
        generator = next(iter(self.models.values())).generator
        ends = [models.draw_inputs(generator, num_images, each)[0] for each in (seed, other_seed)]
        walk = models.interpolate_latents(*ends, WALK_STEPS)
        latents = walk[:, round(position * (WALK_STEPS - 1))]
        drawn = tuple(
            sagan.generate(
                labels, num_images, truncation, seed=seed, latents=latents, return_attention=True
            )
            for sagan in self.models.values()
        )
        if labels is not None:
            labels = np.resize(labels, num_images).tolist()
        return Drawing(labels, _columns(labels, num_images), drawn)

    def check_query(self, drawing, image, row, column):
        """A `Query`; a ValueError where the drawing has no such pixel."""
        last = self.image_size - 1
        return Query(
            _whole("image", image, 0, drawing.num_images - 1),
            _whole("row", row, 0, last),
            _whole("column", column, 0, last),
        )

    def first_query(self, drawing):
        """A pixel worth a look, of the first image: by the first model that attends."""
        for images, maps in drawing.drawn:
            if maps:
                attention = maps[max(maps, key=_resolution)]
                ((row, column),) = visualization.choose_queries(images[:1], attention[:1], 1)[0]
                size = images.shape[1]
                return Query(0, *(self._to_first(int(each), size) for each in (row, column)))
        raise AssertionError("a model attends")

    def at_grid(self, drawing, model, point, image=None):
        """The `Query` at a point of a model's grid; `None` between the images.

        Args:
            drawing: A `Drawing`.
            model: int, which model's.
            point: `(x, y)` in pixels of the picture.
            image: Not needed.
        """
        layout = self._layout(drawing.drawn[model][0], drawing)
        return self._query(layout, layout.pixel_at(*_point(point)))

    def at_close_up(self, drawing, model, point, image):
        """The `Query` at a point of a model's close-up, in either panel; `None` between them.

        Args:
            drawing: A `Drawing`.
            model: int, which model's.
            point: `(x, y)` in pixels of the picture.
            image: int, the image that is shown.
        """
        layout = _close_up_layout(drawing.drawn[model][0].shape[1])
        located = layout.pixel_at(*_point(point))
        return self._query(layout, located and (image, *located[1:]))

    def look(self, drawing, query, attention):
        """What every model's pixel attended to.

        Args:
            drawing: A `Drawing`.
            query: A `Query` in it.
            attention: One of `attentions`; a model without it shows its last.

        Returns:
            List of a `View` per model.

        Raises:
            ValueError: if no model has such an attention.
        """
        if attention not in self.attentions:
            raise ValueError(
                f"attention must be one of {', '.join(self.attentions)}. "
                f"Received: {_short(attention)}"
            )
        return [
            self._view(sagan, images, maps, drawing, query, attention)
            for sagan, (images, maps) in zip(self.models.values(), drawing.drawn, strict=True)
        ]

    def _view(self, sagan, images, maps, drawing, query, attention):
        size = images.shape[1]
        row, column = (
            (2 * i + 1) * size // (2 * self.image_size) for i in (query.row, query.column)
        )
        image, shares, figures = images[query.image], None, None
        if maps:
            name = attention if attention in maps else max(maps, key=_resolution)
            shares = maps[name][query.image]
            gate = float(np.asarray(sagan.ema_generator.gates[name]))
            figures = {"gate": gate, **_figures(shares, row * size + column, size)}

        layout = _close_up_layout(size)
        close_up = Image.new("RGB", layout.size, MAT)
        for panel, heat in enumerate((False, True)):
            if not heat or maps:
                picture = _panel(image, shares, (row, column), layout.scale, heat)
                close_up.paste(picture, layout.corner(panel))

        layout = self._layout(images, drawing)
        grid = visualization.sample_grid(
            images, layout.columns, PADDING, layout.scale, column_labels(drawing), MAT, ON_MAT
        )
        left, top = layout.corner(query.image)
        grid.paste(_panel(image, shares, (row, column), layout.scale, True), (left, top))
        right, bottom = (start + size * layout.scale + FRAME - 1 for start in (left, top))
        frame = (left - FRAME, top - FRAME, right, bottom)
        ImageDraw.Draw(grid).rectangle(frame, outline=CHOSEN, width=FRAME)
        return View(grid, close_up, figures)

    def _layout(self, images, drawing):
        scale = max(1, -(-THUMBNAIL // images.shape[1]))
        return visualization.grid_layout(
            images.shape, drawing.columns, PADDING, scale, column_labels(drawing)
        )

    def _query(self, layout, located):
        if located is None:
            return None
        image, *pixel = located
        return Query(image, *(self._to_first(position, layout.width) for position in pixel))

    def _to_first(self, position, size):
        """A row or column of an image `size` pixels wide, in an image of the first model."""
        return (2 * position + 1) * self.image_size // (2 * size)


def column_labels(drawing):
    """The classes above the columns, where each column has one."""
    if drawing.labels is None or len(set(drawing.labels)) > COLUMNS:
        return None
    labels = (drawing.labels * drawing.columns)[: drawing.columns]
    return [str(label) for label in labels]


def describe(drawing, query):
    """What a query is of, in words."""
    kind = "" if drawing.labels is None else f" of class {drawing.labels[query.image]}"
    return f"Image {query.image}{kind}, row {query.row}, column {query.column}"


def _columns(labels, num_images):
    """Columns of a grid: as many as keep each class in columns of its own, if they can."""
    period = 1 if labels is None else len(dict.fromkeys(labels))
    columns = COLUMNS // period * period if period <= COLUMNS else COLUMNS
    return min(columns, num_images)


def _close_up_layout(size):
    """The close-up: the image, and beside it the same image under its attention."""
    scale = max(1, -(-CLOSE_UP // size))
    return visualization.GridLayout(2, size, size, 2, scale, PADDING, PADDING)


def _panel(image, shares, pixel, scale, heat):
    if shares is None:  # only the mark, whose cell is the pixel
        shares, heat = np.ones((image.shape[0] ** 2, 1), "float32"), False
    return visualization.attention_panel(image, shares, pixel, scale, heat)


def _figures(shares, pixel, size):
    """One query's attention in numbers, beside what they would be if it were even."""
    side, (queries, keys) = math.isqrt(len(shares)), shares.shape
    row, column = (position * side // size for position in divmod(pixel, size))
    query = row * side + column
    both = np.stack([shares, np.full((queries, keys), 1.0 / keys)])
    entropy, even_entropy = evaluation.attention_entropy(both)[:, query]
    distance, even_distance = evaluation.attention_distance(both)[:, query]
    return {
        "queries": side,
        "keys": math.isqrt(keys),
        "entropy": float(entropy),
        "even_entropy": float(even_entropy),
        "distance": float(distance),
        "even_distance": float(even_distance),
        "peak": float(shares[query].max()),
        "even_peak": 1.0 / keys,
    }


def _resolution(name):
    return int(name.removeprefix("attention_"))


def _number(value):
    """The value as a float, NaN if it is no number."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) < 1e300 else math.nan


def _point(point):
    """Two floats; NaN, which is nowhere, for what is no point."""
    is_pair = isinstance(point, (list, tuple)) and len(point) == 2
    return tuple(map(_number, point)) if is_pair else (math.nan, math.nan)


def _whole(name, value, low, high):
    number = _number(value)
    _check(
        name,
        value,
        low <= number <= high and number % 1 == 0,
        f"a whole number from {low} to {high}",
    )
    return int(number)


def _check(name, value, is_right, rule):
    if not is_right:
        raise ValueError(f"{name} must be {rule}. Received: {_short(value)}")


def _short(value):
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
