"""Trains small models on the backend of this process, for backends_test.py."""

import pathlib
import sys

import keras
import numpy as np

from sagan_tf import SAGAN
from sagan_tf.training import Checkpoints, Trainer, is_chief, make_strategy

CASES = {
    "sgd": {},
    "adam": {"adam": True},
    "all": {
        "accumulation_steps": 2,
        "global_clipnorm": 0.5,
        "penalty": "r1",
        "augmentation": ("color", "translation"),
        "adaptive_augmentation": True,
    },
}
STEPS = 5


def train_cases(folder, *cases):
    """Trains the model of a folder for some steps, and writes all its variables, for each case."""
    for case in cases:
        found = values(trained(folder, case))
        if is_chief():
            np.savez(folder / f"{case}.npz", **found)


def go_on(folder, end):
    """Goes on from the last checkpoint of a folder to the step `end`."""
    sagan = compiled(folder, "sgd")
    checkpoints = Checkpoints(folder / "checkpoints", sagan)
    checkpoints.restore()
    Trainer(sagan).fit(batches(folder, sagan.step), int(end))
    checkpoints.save()


def trained(folder, case):
    strategy = make_strategy()
    with strategy.scope():
        sagan = compiled(folder, case)
    Trainer(sagan, strategy).fit(batches(folder), STEPS)
    return sagan


def compiled(folder, case):
    options = dict(CASES[case])
    if options.pop("adam", False):
        optimizers = [keras.optimizers.Adam(rate, 0.0, 0.9) for rate in (1e-4, 4e-4)]
    else:
        optimizers = [keras.optimizers.SGD(rate) for rate in (0.01, 0.02)]
    sagan = SAGAN.from_preset(folder / "model")
    sagan.compile(*optimizers, **options)
    return sagan


def batches(folder, start=0):
    """The batches that lie in a folder, for ever, from the step `start` on."""
    with np.load(folder / "batches.npz") as arrays:
        images, labels = (np.roll(arrays[name], -start, axis=0) for name in ("images", "labels"))
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.data.Dataset.from_tensor_slices((images, labels)).repeat()
    return [*zip(images, labels, strict=True)] * 20


def values(sagan):
    """Dict from names to all variables as arrays, those of optimizers and metrics included."""
    groups = {
        "variable": [*sagan.variables, *sagan.optimizer.variables],
        "metric": sagan.metrics_variables,
    }
    # Keras numbers networks that were made before.
    return {
        f"{kind} {number} {'bias' * ('bias' in part.path)}": keras.ops.convert_to_numpy(part)
        for kind, parts in groups.items()
        for number, part in enumerate(parts)
    }


if __name__ == "__main__":
    {"cases": train_cases, "go_on": go_on}[sys.argv[1]](pathlib.Path(sys.argv[2]), *sys.argv[3:])
