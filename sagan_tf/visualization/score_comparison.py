"""Scores of several variants, each trained at several seeds."""

import math

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

COLUMNS = 4
# How far dots and bars reach to both sides, of the distance of two variants.
_SPREAD, _MEAN = 0.12, 0.28
DOT_COLOR, MEAN_COLOR, PAIR_COLOR = "#1a73e8", "#c5221f", "#dadce0"


def score_comparison(setting, scores):
    """Draws a panel per score, with a dot for each seed of each variant and a bar at their mean.

    Gray lines join the dots of a seed: where all of them rise, or all fall, every seed agrees on
    the sign of the difference, however far the dots of a variant lie apart.

    Args:
        setting: str, what the variants are values of.
        scores: Dict from the names of variants to a dict from the names of scores to their values,
            a sequence of one float per seed, in the same order for all variants.

    Returns:
        An RGB `PIL.Image.Image`, with up to 4 panels in a row.

    Raises:
        ValueError: if there are no variants or no scores, variants have other scores or other
            numbers of seeds, or a value is NaN or infinite.
    """
    names = list(next(iter(scores.values()), ()))
    if not names:
        raise ValueError("`scores` must hold a variant with a score. Received: none")
    if any(list(found) != names for found in scores.values()):
        raise ValueError("`scores` must hold the same scores of all variants")
    # Of a score: the variants in rows, the seeds in columns.
    tables = {name: _table(name, [found[name] for found in scores.values()]) for name in names}
    columns = min(COLUMNS, len(names))
    rows = math.ceil(len(names) / columns)
    width = max(3.2, 0.6 + 0.7 * len(scores))
    figure = Figure(figsize=(width * columns, 3.2 * rows), dpi=100, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel, (name, table) in zip(axes, tables.items(), strict=False):
        _draw(panel, table)
        panel.set_title(name.replace("_", " "), loc="left", fontweight="bold")
        panel.set_xticks(range(len(scores)), list(scores))
        if max(map(len, scores)) * len(scores) > 30:
            for text in panel.get_xticklabels():
                text.set(rotation=30, horizontalalignment="right", rotation_mode="anchor")
    for panel in axes[len(names) :]:
        panel.set_axis_off()
    figure.supxlabel(
        f"{setting}\ndot and gray line: a seed, red bar: mean",
        fontsize=9,
        color="#5f6368",
    )
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def _table(name, rows):
    if len({len(row) for row in rows}) > 1 or not len(rows[0]):
        counts = ", ".join(str(len(row)) for row in rows)
        raise ValueError(f"All variants need as many seeds, at least one. Received: {counts}")
    table = np.array(rows, "float64")
    if not np.isfinite(table).all():
        raise ValueError(f"Scores must be finite. Received: {name}={table.tolist()}")
    return table


def _draw(panel, table):
    variants, seeds = table.shape
    places = np.arange(variants)[:, None] + _SPREAD * np.linspace(-1, 1, seeds + 2)[1:-1]
    panel.plot(places, table, color=PAIR_COLOR, linewidth=2, zorder=1)
    means = table.mean(axis=1)
    panel.hlines(
        means, np.arange(variants) - _MEAN, np.arange(variants) + _MEAN, color=MEAN_COLOR, zorder=2
    )
    panel.plot(places, table, "o", color=DOT_COLOR, markersize=5, zorder=3)
    panel.set_xlim(-0.5, variants - 0.5)
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(axis="y", alpha=0.25)
