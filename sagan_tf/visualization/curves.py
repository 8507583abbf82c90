"""Curves of a training run."""

import re

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

# A panel has a title, the metrics that it shows (a network and perhaps a resolution) and a unit.
PANELS = (
    ("Losses", r"(discriminator|generator)_loss", "loss"),
    ("Logits", r"(real|fake)_logits", "mean logit of the discriminator"),
    ("Attention gates", r"(discriminator|generator)_gate_(\d+)", "gate: weight of the attention"),
)
# The first of these that a run has is drawn as well. Few images have no Fréchet distance.
SCORES = (
    ("Fréchet distance to the data", r"(fid|intra_fid)", "distance"),
    ("Kernel distance to the data", r"(kid)", "distance"),
)
COLORS = {
    "discriminator": "#1a73e8",
    "generator": "#e8710a",
    "real": "#188038",
    "fake": "#a142f4",
    "fid": "#c5221f",
    "intra_fid": "#12858d",
    "kid": "#c5221f",
}
LINE_STYLES = ("-", "--", ":", "-.")  # one per resolution of attention


def training_curves(records):
    """Draws losses, logits and attention gates over the steps of a run.

    Faint lines join the records, and strong ones show their running mean over a fortieth of the
    run. A metric that no record has is left out; one that is NaN, infinite or None interrupts its
    line. Fréchet distances, or else kernel distances, which only some records have, get a panel of
    their own when there are any. When steps were repeated after a restart, the last record of each
    counts.

    Args:
        records: List of dicts as in `metrics.jsonl`, with `step` and any of the metrics of `SAGAN`,
            `fid`, `intra_fid` and `kid`. Other keys are ignored.

    Returns:
        An RGB `PIL.Image.Image`, 450 pixels high, each panel 500 wide.

    Raises:
        ValueError: if there are no records, or one has no step.
    """
    if not records:
        raise ValueError("`records` must hold at least one record. Received: none")
    for index, record in enumerate(records):
        if "step" not in record:
            raise ValueError(f"A record must have a `step`. Received: {record} at index {index}")
    by_step = {record["step"]: record for record in records}
    records = [by_step[step] for step in sorted(by_step)]
    scores = next((panel for panel in SCORES if _having(records, panel)), None)
    panels = (*PANELS, scores) if scores else PANELS
    reach = len(records) // 80

    figure = Figure(figsize=(5 * len(panels), 4.5), dpi=100, layout="constrained")
    all_axes = figure.subplots(1, len(panels), sharex=True)
    for axes, panel in zip(all_axes, panels, strict=True):
        title, pattern, unit = panel
        drawn = _having(records, panel) if panel is scores else records
        steps = [record["step"] for record in drawn]
        lines = _lines(drawn, pattern)
        for label, style, values in lines:
            if panel is scores:
                axes.plot(steps, values, label=label, **{**style, "marker": "o"})
                continue
            axes.plot(steps, values, alpha=0.25, linewidth=1, color=style["color"])
            axes.plot(steps, running_mean(values, reach), label=label, linewidth=1.8, **style)
        _finish_axes(axes, title, unit, empty=not lines)
    if reach:
        text = f"faint: every record, strong: mean of {2 * reach + 1} records"
        figure.supxlabel(text, fontsize=9, color="#5f6368")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def _having(records, panel):
    """The records that have a metric of a panel."""
    return [record for record in records if any(re.fullmatch(panel[1], name) for name in record)]


def running_mean(values, reach):
    """Mean of each value and of the `reach` values before and after it, as far as there are any.

    NaN and infinity count as missing, and the mean is NaN there.
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
    networks = list(COLORS)
    found = [(networks.index(m[1]), int(m[2]) if m.re.groups > 1 else 0, m[0]) for m in matches]
    sizes = sorted({size for _, size, _ in found})
    lines = []
    for index, size, name in sorted(found):
        network = networks[index]
        values = np.array([record.get(name) for record in records], dtype="float64")
        style = {
            "color": COLORS[network],
            "linestyle": LINE_STYLES[sizes.index(size) % len(LINE_STYLES)],
            "marker": "o" if np.isfinite(values).sum() == 1 else "",
        }
        lines.append((f"{network}, {size} x {size}" if size else network, style, values))
    return lines


def _finish_axes(axes, title, unit, empty):
    axes.set_title(title, loc="left", fontweight="bold")
    axes.set_xlabel("step")
    axes.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    axes.set_ylabel(unit)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    if empty:
        axes.text(0.5, 0.5, "not recorded", transform=axes.transAxes, ha="center", color="gray")
        axes.set_yticks([])
        return
    axes.axhline(0.0, color="#9aa0a6", linewidth=0.8, zorder=1)
    axes.margins(x=0.01)
    axes.legend(frameon=False)
