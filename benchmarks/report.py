"""Tables on the screen and JSON files of benchmarks."""

import importlib.metadata
import json
import os
import pathlib
import platform
import sys


def show(rows, columns):
    """Prints a table.

    Args:
        rows: Dict from titles to dicts of figures.
        columns: Dict from titles to keys of those dicts; a figure that is missing stays blank.
    """
    table = [["", *columns]]
    for title, figures in rows.items():
        table.append([title, *(_text(figures.get(key)) for key in columns.values())])
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        cells = [line[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        print("  ".join(cells).rstrip(), flush=True)


def write(name, figures):
    """Writes figures, with what they were measured on, to a JSON file; `None` writes nothing."""
    if name is None:
        return
    path = pathlib.Path(name).expanduser()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**_machine(), "figures": figures}, indent=1) + "\n")
    print(path)


def _machine():
    installed = {each.name: each.version for each in importlib.metadata.distributions()}
    return {
        "command": sys.argv,
        "cores": os.cpu_count(),
        "processor": _processor(),
        "python": platform.python_version(),
        "versions": {
            name: installed.get(name) for name in ("tensorflow", "keras", "torch", "numpy")
        },
    }


def _processor():
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return platform.processor()
    names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
    return names[0].partition(":")[2].strip() if names else platform.machine()


def _text(figure):
    if figure is None or isinstance(figure, str):
        return figure or ""
    return f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:.3g}"
