"""Weights of one model for another one of other classes, size or channels."""

import numpy as np
from absl import logging
from keras import ops

NETWORKS = ("generator", "discriminator", "ema_generator")
_TABLES = ("gamma", "beta", "embeddings")


def transfer_weights(source, target):
    """Gives a model what fits of the weights of another one, and says what does not.

    A weight is taken where the layer of the same place has one of the same shape. Tables with a row
    per class get the row of the class of the same name; a class that is not known begins as the
    mean of the known ones, and so does all of an unconditional model. Without names on either side
    tables of as many classes are taken as they are. All else keeps its initial value.

    Args:
        source: The `SAGAN` whose weights are taken.
        target: The `SAGAN` that is changed.

    Returns:
        Dict from `"taken"`, `"mean of classes"` and `"new"` to lists of the weights' names.
    """
    report = {"taken": [], "mean of classes": [], "new": []}
    rows = _rows_of_classes(source, target)
    for name in NETWORKS:
        known = _by_name(getattr(source, name))
        for path, weight in _by_name(getattr(target, name)).items():
            kind, value = "new", known.get(path)
            if value is not None:
                kind, value = _fitted(path, ops.convert_to_numpy(value), weight.shape, rows)
            if value is not None:
                weight.assign(value)
            report[kind].append(f"{name}/{path}")
    logging.warning("Weights: %s", _described(report, rows, target.class_names))
    return report


def _rows_of_classes(source, target):
    """For each class of the target, the number of the source's that it is; `None` if unknown."""
    names, others = source.class_names, target.class_names
    count, other_count = (each.generator.num_classes or 0 for each in (source, target))
    if names and others:
        return [names.index(name) if name in names else None for name in others]
    return [row if count == other_count else None for row in range(other_count)]


def _fitted(path, value, shape, rows):
    """How a weight is found, and its value for another shape."""
    is_table = path.rpartition("/")[2] in _TABLES and value.shape[-1:] == tuple(shape[-1:])
    if is_table and 2 in (value.ndim, len(shape)):
        known = np.atleast_2d(value)
        mean = known.mean(axis=0)
        if len(shape) == 1:
            return "mean of classes", mean
        if value.ndim == 1 or None in rows:
            new = [mean if row is None or value.ndim == 1 else known[row] for row in rows]
            return "mean of classes", np.stack(new)
        return "taken", known[rows]
    if value.shape == tuple(shape):
        return "taken", value
    return "new", None


def _described(report, rows, names):
    text = ", ".join(f"{len(paths)} {kind}" for kind, paths in report.items() if paths)
    layers = sorted({path.rpartition("/")[0] for path in report["new"]})
    text += f" ({', '.join(layers)})" if layers else ""
    unknown = [name for name, row in zip(names or (), rows, strict=False) if row is None]
    return text + (f"; classes that begin as the mean: {', '.join(unknown)}" if unknown else "")


def _by_name(network):
    return {weight.path.partition("/")[2]: weight for weight in network.weights}
