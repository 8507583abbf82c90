"""Weights of one model for another one of other classes, size or channels."""

import numpy as np
from absl import logging
from keras import ops

NETWORKS = ("generator", "discriminator", "ema_generator")


def transfer_weights(source, target):
    """Gives a model what fits of the weights of another one, and says what does not.

    A weight is taken where the layer of the same place has one of the same shape. Tables with a row
    per class, where their number differs, become the mean of the known rows: images of a new class
    begin as images of any. All else keeps its initial value.

    Args:
        source: The `SAGAN` whose weights are taken.
        target: The `SAGAN` that is changed.

    Returns:
        Dict from `"taken"`, `"mean of classes"` and `"new"` to lists of the weights' names.
    """
    report = {"taken": [], "mean of classes": [], "new": []}
    classes = [each.generator.num_classes for each in (source, target)]
    for name in NETWORKS:
        known = _by_name(getattr(source, name))
        for path, weight in _by_name(getattr(target, name)).items():
            found = known.get(path)
            value = None if found is None else ops.convert_to_numpy(found)
            if value is not None and value.shape == tuple(weight.shape):
                kind = "taken"
            elif value is not None and _differ_by_classes(value.shape, weight.shape, *classes):
                kind = "mean of classes"
                value = np.broadcast_to(value.mean(axis=0), weight.shape)
            else:
                kind = "new"
            if kind != "new":
                weight.assign(value)
            report[kind].append(f"{name}/{path}")
    counts = ", ".join(f"{len(names)} {kind}" for kind, names in report.items() if names)
    layers = sorted({path.rpartition("/")[0] for path in report["new"]})
    logging.warning("Weights: %s%s", counts, f" ({', '.join(layers)})" if layers else "")
    return report


def _by_name(network):
    return {weight.path.partition("/")[2]: weight for weight in network.weights}


def _differ_by_classes(shape, other, classes, other_classes):
    return (
        len(shape) == len(other) == 2
        and shape[1] == other[1]
        and (shape[0], other[0]) == (classes, other_classes)
    )
