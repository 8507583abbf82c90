"""The course of a training run."""

import re

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

# Panel title, the metrics it shows (a regular expression), the label of its y-axis.
PANELS = (
    ("Losses", r"(?P<network>discriminator|generator)_loss", "loss"),
    ("Logits", r"(?P<network>real|fake)_logits", "mean logit of the discriminator"),
    (
        "Attention gates",
        r"(?P<network>discriminator|generator)_gate_(?P<size>\d+)",
        "gate: weight of the attention",
    ),
)
# Of a run that was scored on the way.
SCORES = ("Fréchet distance to the data", r"(?P<network>fid|intra_fid)", "distance")
COLORS = {
    "discriminator": "#1a73e8",
    "generator": "#e8710a",
    "real": "#188038",
    "fake": "#a142f4",
    "fid": "#c5221f",
    "intra_fid": "#12858d",
}
LINE_STYLES = ("-", "--", ":", "-.")  # one per resolution of attention


def training_curves(records):
    """Draws losses, logits and attention gates over the steps of a run.

    Faint lines join the records, strong ones their running mean over a fortieth of the run. A
    metric that no record has is left out; one that is NaN, infinite or None interrupts its line.
    Fréchet distances, which only some records have, get a panel of their own when there are any.
    When steps were repeated after a restart, the last record of each counts.

    Args:
        records: List of dicts as in `metrics.jsonl`: `step`, and any of `discriminator_loss`,
            `generator_loss`, `real_logits`, `fake_logits`, `discriminator_gate_<resolution>`,
            `generator_gate_<resolution>`, `fid` and `intra_fid`. Other keys are ignored.

    Returns:
        An RGB `PIL.Image.Image`, 450 pixels high, each panel 500 wide.

    Raises:
        ValueError: if there are no records, or one has no step.
    """
    if not records:
        raise ValueError("`records` must hold at least one record. Received: none")
    stepless = [index for index, record in enumerate(records) if "step" not in record]
    if stepless:
        raise ValueError(
            f"Every record must have a `step`. Received: {records[stepless[0]]} at index "
            f"{stepless[0]}"
        )
    by_step = {record["step"]: record for record in records}
    steps = sorted(by_step)
    records = [by_step[step] for step in steps]

    reach = len(steps) // 80
    scored = [record for record in records if "fid" in record or "intra_fid" in record]
    num_panels = len(PANELS) + bool(scored)
    figure = Figure(figsize=(5 * num_panels, 4.5), dpi=100, layout="constrained")
    panels = figure.subplots(1, num_panels, sharex=True)
    for axes, (title, pattern, unit) in zip(panels, PANELS, strict=False):
        lines = _lines(records, pattern)
        for label, style, values in lines:
            axes.plot(steps, values, alpha=0.25, linewidth=1, color=style["color"])
            axes.plot(steps, running_mean(values, reach), label=label, linewidth=1.8, **style)
        _finish(axes, title, unit, empty=not lines)
    if scored:
        title, pattern, unit = SCORES
        scored_steps = [record["step"] for record in scored]
        for label, style, values in _lines(scored, pattern):
            panels[-1].plot(scored_steps, values, label=label, **{**style, "marker": "o"})
        _finish(panels[-1], title, unit, empty=False)
    if reach:
        figure.supxlabel(
            f"faint: every record, strong: mean of {2 * reach + 1} records",
            fontsize=9,
            color="#5f6368",
        )
    return _render(figure)


def running_mean(values, reach):
    """Mean of each value and of the `reach` values before and after it.

    Args:
        values: float array of shape `(num_values,)`; NaN and infinity count as missing.
        reach: int, at least 0; less of it at the ends.

    Returns:
        float array of the same shape, NaN where `values` are missing.
    """
    missing = ~np.isfinite(values)
    window = np.ones(2 * reach + 1)
    inside = slice(reach, reach + len(values))
    total = np.convolve(np.where(missing, 0.0, values), window)[inside]
    count = np.convolve(~missing, window)[inside]
    return np.where(missing, np.nan, total / np.maximum(count, 1.0))


def _lines(records, pattern):
    """The metrics that match a pattern: `(label, style, float64 values)`, in the order drawn."""
    names = {name for record in records for name in record}
    matches = [match for match in (re.fullmatch(pattern, name) for name in names) if match]
    networks, sizes = list(COLORS), sorted({_size(match) for match in matches})
    lines = []
    for match in sorted(
        matches, key=lambda match: (networks.index(match["network"]), _size(match))
    ):
        size = _size(match)
        label = f"{match['network']}, {size} x {size}" if size else match["network"]
        values = np.array([record.get(match[0]) for record in records], dtype="float64")
        style = {
            "color": COLORS[match["network"]],
            "linestyle": LINE_STYLES[sizes.index(size) % len(LINE_STYLES)],
            "marker": "o" if np.isfinite(values).sum() == 1 else "",
        }
        lines.append((label, style, values))
    return lines


def _size(match):
    """The resolution in a metric's name, 0 if it has none."""
    return int(match.groupdict().get("size", 0))


def _finish(axes, title, unit, empty):
    axes.set_title(title, loc="left", fontweight="bold")
    axes.set_xlabel("step")
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    axes.set_ylabel(unit)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    if empty:
        axes.text(0.5, 0.5, "not recorded", transform=axes.transAxes, ha="center", color="grey")
        axes.set_yticks([])
        return
    axes.axhline(0.0, color="#9aa0a6", linewidth=0.8, zorder=1)
    axes.margins(x=0.01)
    axes.legend(frameon=False)


def _render(figure):
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
