"""Scores as a table and as JSON, with all that they depend on."""

import contextlib
import importlib.metadata
import pathlib
import platform
import subprocess

import numpy as np

from sagan_tf.evaluation.comparison import spread

_PACKAGES = ("tensorflow", "jax", "keras", "tensorflow-datasets", "numpy", "scipy", "scikit-learn")


def summarize(scores):
    """Mean and deviation over repeats of an evaluation.

    Args:
        scores: List of `Scores` under the same protocol, of different seeds.

    Returns:
        Dict ready for JSON: `num_real_images`, `num_images`, `scores` (a dict from names to
        `mean`, `std` and `values`), `classes` and `attention` (means). The deviation is that of
        the sample (n - 1), `None` of a single value.
    """
    first = scores[0]
    # Where classes are drawn at random, a small one may be missing from some.
    names = [name for name in first.values if all(name in each.values for each in scores)]
    columns = {name: [each.values[name] for each in scores] for name in names}
    return {
        "num_real_images": first.num_real_images,
        "num_images": first.num_images,
        "scores": {name: spread(values) for name, values in columns.items()},
        "classes": [_means(rows) for rows in zip(*(each.classes for each in scores), strict=True)],
        "attention": {
            name: _means([each.attention[name] for each in scores]) for name in first.attention
        },
    }


def provenance():
    """Versions of what computed the scores, and the git revision of this package.

    Returns:
        Dict ready for JSON; `git_revision` is `None` outside of a repository, and ends in
        `"-modified"` where files differ from it.
    """
    versions = {"python": platform.python_version()}
    for name in ("sagan-tf", *_PACKAGES):
        versions[name] = None
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return {"versions": versions, "git_revision": _git_revision(pathlib.Path(__file__))}


def format_table(columns):
    """A table for a screen, of several lines.

    Args:
        columns: Dict from titles to what `summarize` has returned. Their scores are shown side by
            side, and then the classes and the attention of the first.
    """
    summaries = list(columns.values())
    scores, attention = summaries[0]["scores"], summaries[0]["attention"]
    table = [
        ["", *columns],
        ["images", *(f"{each['num_images']:,}" for each in summaries)],
        ["real images", *(f"{each['num_real_images']:,}" for each in summaries)],
        *([name, *(_mean(each["scores"].get(name)) for each in summaries)] for name in scores),
    ]
    rows = [{"": name.replace("_", " "), **row} for name, row in attention.items()]
    parts = table, _cells(summaries[0]["classes"]), _cells(rows)
    return "\n\n".join(_aligned(part) for part in parts if part)


def format_comparison(setting, variants):
    """A table for a screen, with a line for each score.

    Args:
        setting: str, what the variants are values of. It heads the first column.
        variants: What `compare_variants` has returned. There is a column for each variant, and one
            for the difference of each but the first from the first, with its interval in brackets.

    Returns:
        str of several lines. Without deviations, as for one seed, there are no intervals either.
    """
    first, *others = variants
    header = [setting, *variants, *(f"{other} minus {first}" for other in others)]
    rows = [
        [
            name,
            *(_mean(scores[name]) for scores in variants.values()),
            *(_difference(variants[other][name]["difference"]) for other in others),
        ]
        for name in variants[first]
    ]
    return _aligned([header, *rows])


def _difference(difference):
    mean, low, high = (difference[name] for name in ("mean", "low", "high"))
    interval = "" if low is None else f" [{_number(low)}, {_number(high)}]"
    return _number(mean) + interval


def _cells(rows):
    """Lists of cells, the first for the header, from dicts that may lack some of the columns."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    header = [[name.replace("_", " ") for name in names]] if rows else []
    return header + [[_cell(name, row.get(name, "")) for name in names] for row in rows]


def _cell(name, value):
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if name.endswith("images") else _number(value)


def _mean(score):
    if score is None:
        return ""
    deviation = "" if score["std"] is None else f" ± {_number(score['std'])}"
    return _number(score["mean"]) + deviation


def _number(value):
    return f"{value:.2f}" if abs(value) >= 10 else f"{value:.4f}"


def _aligned(rows):
    first, *others = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [[row[0].ljust(first), *map(str.rjust, row[1:], others)] for row in rows]
    return "\n".join("  ".join(line).rstrip() for line in lines)


def _means(rows):
    """Means of the numbers in several dicts, and the text of the first, where all have them."""
    return {
        name: value if isinstance(value, str) else float(np.mean([row[name] for row in rows]))
        for name, value in rows[0].items()
        if all(name in row for row in rows)
    }


def _git_revision(file):
    def git(*arguments):
        command = ["git", "-C", str(file.parent), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        # Fails where the package lies in a repository to which it does not belong.
        git("ls-files", "--error-unmatch", file.name)
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "HEAD") + ("-modified" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None
