"""Scores as a table and as JSON, with all that they depend on."""

import importlib.metadata
import pathlib
import platform
import subprocess

import numpy as np

_PACKAGES = ("tensorflow", "keras", "tensorflow-datasets", "numpy", "scipy", "scikit-learn")


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
    return {
        "num_real_images": first.num_real_images,
        "num_images": first.num_images,
        "scores": {
            name: _mean_and_std([each.values[name] for each in scores]) for name in first.values
        },
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
    return {
        "versions": {
            "python": platform.python_version(),
            **{name: _version(name) for name in ("sagan-tf", *_PACKAGES)},
        },
        "git_revision": _git_revision(),
    }


def format_table(columns):
    """A table for a screen.

    Args:
        columns: Dict from titles to what `summarize` has returned.

    Returns:
        str, several lines: the scores, then the classes and the attention of the first column.
    """
    first = next(iter(columns.values()))
    lines = [
        ["", *columns],
        ["images", *(f"{each['num_images']:,}" for each in columns.values())],
        ["real images", *(f"{each['num_real_images']:,}" for each in columns.values())],
    ]
    lines += [
        [name, *(_text(each["scores"].get(name)) for each in columns.values())]
        for name in first["scores"]
    ]
    tables = [lines]
    if first["classes"]:
        names = list(dict.fromkeys(name for row in first["classes"] for name in row))
        rows = [[_cell(name, row.get(name)) for name in names] for row in first["classes"]]
        tables.append([[name.replace("_", " ") for name in names], *rows])
    if first["attention"]:
        names = list(next(iter(first["attention"].values())))
        rows = [
            [name.replace("_", " "), *(_number(row[key]) for key in names)]
            for name, row in first["attention"].items()
        ]
        tables.append([["", *(name.replace("_", " ") for name in names)], *rows])
    return "\n\n".join(_aligned(table) for table in tables)


def _mean_and_std(values):
    std = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"mean": float(np.mean(values)), "std": std, "values": values}


def _means(rows):
    """Means of the numbers in several dicts, what is no number as it is in the first."""
    names = [name for name in rows[0] if all(name in row for row in rows)]
    return {
        name: rows[0][name]
        if isinstance(rows[0][name], str)
        else float(np.mean([row[name] for row in rows]))
        for name in names
    }


def _version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _git_revision():
    folder = pathlib.Path(__file__).parent

    def git(*arguments):
        command = ["git", "-C", str(folder), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        # Fails where the package lies in a repository to which it does not belong.
        git("ls-files", "--error-unmatch", pathlib.Path(__file__).name)
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "HEAD") + ("-modified" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _text(score):
    if score is None:
        return ""
    std = score["std"]
    return _number(score["mean"]) + ("" if std is None else f" ± {_number(std)}")


def _cell(name, value):
    if value is None or isinstance(value, str):
        return value or ""
    return f"{value:,.0f}" if name.endswith("images") else _number(value)


def _number(value):
    return f"{value:.2f}" if abs(value) >= 10 else f"{value:.4f}"


def _aligned(rows):
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        ).rstrip()
        for row in rows
    )
