"""What the attention explorer knows and draws, apart from the page that shows it."""

import math
import pathlib

import numpy as np
from PIL import Image, ImageDraw

from experiments.explorer.drawing import MAT, ON_MAT, PADDING, Drawing, Query, View
from experiments.explorer.visitor_inputs import check, check_fraction, point, whole_number
from sagan_tf import evaluation, models, visualization

MAX_IMAGES = 40
MAX_SEED = 2**32 - 1
WALK_STEPS = 21
# The attention maps of one drawing, of all models, stay in memory for each visitor. They are larger
# only where those of a single image are, as with attention at 128: 256 MiB.
MAX_MAP_BYTES = 64 * 2**20
CHOSEN = (0, 190, 255)
FRAME = 3
# The glow is dimmed where attention, which is added times the gate, hardly reaches the image.
IDLE_GATE = 0.01


class Explorer:
    """Draws images with one model or several, and answers what their pixels attended to.

    It holds no images: what `draw` returns belongs to the caller.

    Args:
        named_models: Dict from a name to a `SAGAN`, for the same classes and latents.
        use_ema: bool, whether the averaged weights draw. Defaults to `True`.

    Raises:
        ValueError: if the models take different inputs, or none of them attends.
    """

    def __init__(self, named_models, use_ema=True):
        self.models = named_models
        self.use_ema = use_ema
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
                "is empty, or attention_layer is residual"
            )
        self.num_classes = generators[0].num_classes
        # Models whose names differ may mean other classes by the same label.
        first, *others = [sagan.class_names for sagan in named_models.values()]
        self.class_names = None if any(other != first for other in others) else first
        self.image_size = generators[0].image_size
        # Folders of runs may be called the same, and each model's pictures are files in one folder.
        names = [pathlib.PurePath(name).name for name in named_models]
        if len(set(names)) < len(names):
            names = [f"{name}_{number}" for number, name in enumerate(names, 1)]
        self._file_names = names
        attentions = [name for generator in generators for name in generator.gates]
        self.attentions = sorted(set(attentions), key=_resolution)
        # A map has a query per position and a key per four, each a float32.
        map_bytes = sum(4 * _resolution(name) ** 4 // 4 for name in attentions)
        self.max_images = max(1, min(MAX_IMAGES, MAX_MAP_BYTES // map_bytes))

    def draw(self, labels, num_images, seed, truncation, other_seed, position):
        """Draws with every model, from a point of the walk between two seeds' latents.

        Args:
            labels: List of ints, taken in turn; unconditional models ignore it.
            num_images: int, from 1 to `max_images`.
            seed: int, start of the walk, where the images are those of `sample.py --seed`.
            truncation: float in (0, 1].
            other_seed: int, end of the walk.
            position: float in [0, 1], the part of the walk that is behind.

        Returns:
            A `Drawing`.

        Raises:
            ValueError: if an input is out of range, or is no number.
        """
        num_images = whole_number("images", num_images, 1, self.max_images)
        seed = whole_number("seed", seed, 0, MAX_SEED)
        other_seed = whole_number("other seed", other_seed, 0, MAX_SEED)
        check_fraction("truncation", truncation, zero_is_right=False)
        check_fraction("walk", position, zero_is_right=True)
        if self.num_classes is None:
            labels = None
        elif not isinstance(labels, (list, tuple)) or not labels:
            raise ValueError("Choose at least one class")
        else:
            labels = [whole_number("class", label, 0, self.num_classes - 1) for label in labels]
            labels = np.resize(list(dict.fromkeys(labels)), num_images).tolist()
        generator = next(iter(self.models.values())).generator
        ends = [models.draw_inputs(generator, num_images, each)[0] for each in (seed, other_seed)]
        walk = models.interpolate_latents(*ends, WALK_STEPS)
        latents = walk[:, round(position * (WALK_STEPS - 1))]
        options = {"seed": seed, "latents": latents, "use_ema": self.use_ema}
        drawn = [
            sagan.generate(labels, num_images, truncation, return_attention=True, **options)
            for sagan in self.models.values()
        ]
        return Drawing(labels, tuple(drawn), seed, self.class_names)

    def check_query(self, drawing, image, row, column):
        """A `Query`; a ValueError where the drawing has no such pixel."""
        last = self.image_size - 1
        return Query(
            whole_number("image", image, 0, drawing.num_images - 1),
            whole_number("row", row, 0, last),
            whole_number("column", column, 0, last),
        )

    def first_query(self, drawing):
        """A pixel of the first image that is worth a look, chosen for the first that attends."""
        images, maps = next((images, maps) for images, maps in drawing.drawn if maps)
        attention = maps[max(maps, key=_resolution)]
        (pixel,) = visualization.choose_queries(images[:1], attention[:1], 1)[0]
        return self._query(0, *pixel.tolist(), images.shape[1])

    def query_in_grid(self, drawing, model, at):
        """The `Query` at a point of a model's grid; `None` between the images."""
        layout = drawing.grid_layout(model)
        found = layout.pixel_at(*point(at))
        return found and self._query(*found, layout.width)

    def query_in_close_up(self, drawing, model, at, image):
        """The `Query` at a point of a model's close-up of an image; `None` between its panels."""
        layout = drawing.close_up_layout(model)
        found = layout.pixel_at(*point(at))
        return found and self._query(image, *found[1:], layout.width)

    def views(self, drawing, query, attention):
        """A `View` per model of what its pixel attended to, all on one scale of colors.

        `attention` is one of `attentions`, or a ValueError says so. A model without it shows its
        last one.
        """
        names = self.attentions
        check("attention", attention, attention in names, f"one of {', '.join(names)}")
        found = [self._look(index, drawing, query, attention) for index in range(len(self.models))]
        largest = max(each["peak"] for _, _, each in found if each)
        return [
            self._view(index, drawing, query, *each, largest) for index, each in enumerate(found)
        ]

    def _look(self, index, drawing, query, attention):
        """A model's pixel, its map of the image, and the statistics of both; `None` without one."""
        images, maps = drawing.drawn[index]
        size = images.shape[1]
        pixel = [_at_scale(each, self.image_size, size) for each in (query.row, query.column)]
        if not maps:
            return pixel, None, None
        name = attention if attention in maps else max(maps, key=_resolution)
        shares = maps[name][query.image]
        sagan = list(self.models.values())[index]
        generator = sagan.ema_generator if self.use_ema else sagan.generator
        gate = float(np.asarray(generator.gates[name]))
        statistics = {"gate": gate, "is_idle": abs(gate) < IDLE_GATE}
        return pixel, shares, statistics | _statistics(shares, pixel, size)

    def _view(self, index, drawing, query, pixel, shares, statistics, largest):
        images, _ = drawing.drawn[index]
        image, size = images[query.image], images.shape[1]
        options = {"largest": largest, "is_idle": statistics and statistics["is_idle"]}
        layout = drawing.close_up_layout(index)
        close_up = Image.new("RGB", layout.size, MAT)
        close_up.paste(_panel(image, shares, pixel, layout.scale, heat=False), layout.corner(0))
        for panel, smooth in ((1, True), (2, False)) if statistics else ():
            picture = _panel(image, shares, pixel, layout.scale, smooth=smooth, **options)
            close_up.paste(picture, layout.corner(panel))
        name = f"{self._file_names[index]}_seed{drawing.seed}"
        place = f"image{query.image}_row{query.row}_column{query.column}"
        close_up.info["name"] = f"{name}_{place}.png"

        layout = drawing.grid_layout(index)
        grid = visualization.sample_grid(
            images, layout.columns, PADDING, layout.scale, drawing.column_labels, MAT, ON_MAT
        )
        left, top = layout.corner(query.image)
        grid.paste(_panel(image, shares, pixel, layout.scale, **options), (left, top))
        right, bottom = (start + size * layout.scale + FRAME - 1 for start in (left, top))
        frame = (left - FRAME, top - FRAME, right, bottom)
        ImageDraw.Draw(grid).rectangle(frame, outline=CHOSEN, width=FRAME)
        grid.info["name"] = f"{name}.png"
        if statistics:
            statistics["largest"] = largest
        return View(grid, close_up, statistics)

    def _query(self, image, row, column, size):
        """The query at a pixel of a model's image `size` pixels wide."""
        return Query(image, *(_at_scale(each, size, self.image_size) for each in (row, column)))


def _at_scale(position, size, other_size):
    """A row or column of an image `size` pixels wide, in one that is `other_size` pixels wide."""
    return (2 * position + 1) * other_size // (2 * size)


def _panel(image, shares, pixel, scale, heat=True, largest=None, smooth=True, is_idle=False):
    if shares is None:  # There is only the mark, whose cell is the pixel.
        shares, heat = np.ones((image.shape[0] ** 2, 1), "float32"), False
    panel = visualization.attention_panel(image, shares, pixel, scale, heat, largest, smooth)
    if is_idle:
        plain = visualization.attention_panel(image, shares, pixel, scale, heat=False)
        panel = Image.blend(plain, panel, 0.4)
    return panel


def _statistics(shares, pixel, size):
    """One query's attention in numbers, beside what they would be if it were even."""
    side, (queries, keys) = math.isqrt(len(shares)), shares.shape
    row, column = (position * side // size for position in pixel)
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
