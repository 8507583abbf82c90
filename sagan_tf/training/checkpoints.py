"""Checkpoints that survive what happens to machines."""

import math
import pathlib
import tempfile
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
from absl import logging

from sagan_tf import files
from sagan_tf.config import RunOptions
from sagan_tf.models.model_folder import (
    DamagedError,
    check_weights,
    checkpoint_name,
    checkpoint_paths,
    read_config,
    read_weights,
    write_model,
)
from sagan_tf.training.strategy import is_chief

_OPTIMIZERS = ("generator_optimizer", "discriminator_optimizer")


class Checkpoints:
    """The checkpoints of a run, one model folder `step_<step>` each.

    A checkpoint holds the networks, both optimizers and the metrics since the last record. Data and
    random numbers are functions of the step, which is the generator optimizer's, and of the seed.

    Args:
        directory: Folder of the checkpoints; several workers share it.
        sagan: A compiled `SAGAN`.
        keep: int, how many of the newest to keep. Defaults to `3`.
        monitor: str, name of a metric: the checkpoint that is best by it is kept as well. Defaults
            to `None`.
        mode: `"min"` or `"max"`: which value of `monitor` is best. Defaults to `None`, that of the
            score, and `"min"` for what is none.

    Attributes:
        last: Path of the last checkpoint that was written or read, or `None`.
        seconds: float, how long the run had trained at the checkpoint that was read.

    Raises:
        ValueError: if `keep` or `mode` is out of range.
    """

    def __init__(self, directory, sagan, keep=3, monitor=None, mode=None):
        options = RunOptions(keep=keep, monitor=monitor, mode=mode)  # checks them
        self.directory = pathlib.Path(directory)
        self.sagan = sagan
        self.keep = keep
        self.monitor = monitor
        self.mode = options.best
        self.last = None
        self.seconds = 0.0
        self._damaged = set()
        # Keras makes an optimizer to find out what it has to save. In the scope of a strategy all
        # workers would have to take part; in another thread no strategy is in force.
        self._outside = ThreadPoolExecutor(1)

    @property
    def paths(self):
        """List of the folders of all checkpoints, oldest first."""
        return checkpoint_paths(self.directory)

    @property
    def best(self):
        """Folder of the checkpoint that is best by `monitor`, the first of equals; or `None`."""
        values = {}
        for path in self.paths:
            if path in self._damaged:
                continue
            try:
                value = read_config(path)[1]["metrics"].get(self.monitor)
            except (DamagedError, AttributeError, KeyError):
                continue
            if _is_number(value):
                values[path] = value if self.mode == "min" else -value
        return min(values, key=values.__getitem__, default=None)

    def save(self, metrics=None, seconds=0.0):
        """Writes a checkpoint, then removes those that need not be kept.

        On several workers all must call it, and only the chief writes.

        Args:
            metrics: Dict from names to floats, to be kept beside the state. Defaults to none.
            seconds: float, how long the run has trained. Defaults to `0.0`.

        Raises:
            FloatingPointError: if a weight is NaN or infinite; nothing is written then.
            OSError: if the files cannot be written. Older checkpoints stay as they were.
        """
        sagan = self.sagan
        target = self.directory / checkpoint_name(sagan.step)
        # Every worker must take part in reading the metrics.
        running = {metric.name: _running_sums(metric) for metric in sagan.metrics}
        for weight in sagan.weights:
            if not np.isfinite(keras.ops.convert_to_numpy(weight)).all():
                raise FloatingPointError(
                    f"{weight.path} is not finite at step {sagan.step}. {self.last_good()}"
                )
        if is_chief():
            state = {
                "metrics": metrics or {},
                "running": running,
                "optimizer_variables": self._optimizer_variables(),
                "seconds": seconds,
            }
            try:
                self._outside.submit(self._write, target, state).result()
                self.last = target
                self._prune(target)
            except OSError as error:
                reason = error.strerror or files.one_line(error)
                raise OSError(
                    f"Cannot write checkpoint {target}: {reason}. {self.last_good()}"
                ) from error
        self.last = target

    def restore(self, path=None):
        """Brings the model to a checkpoint, and the learning rates to those of then.

        Args:
            path: Folder of the checkpoint. Defaults to `None`, the newest that is not damaged.

        Returns:
            The folder; `None` if there is no checkpoint yet.

        Raises:
            ValueError: if all checkpoints are damaged, or of another architecture, optimizer or
                seed.
        """
        if path is not None:
            return self._read(pathlib.Path(path))
        unfit = None
        for path in reversed(self.paths):
            try:
                return self._read(path)
            except DamagedError as error:
                self._damaged.add(path)
                logging.warning("Skipping a damaged checkpoint: %s", error)
            except ValueError as error:
                unfit = unfit or error
                logging.warning("Skipping a checkpoint that does not fit: %s", error)
        if unfit:
            raise unfit
        if self._damaged:
            raise ValueError(
                f"All checkpoints in {self.directory} are damaged: remove them to start anew"
            )
        return None

    def last_good(self):
        """A sentence that names the last checkpoint written or read."""
        return f"The last good checkpoint is {self.last}" if self.last else "There is no checkpoint"

    def _read(self, path):
        config, state = check_weights(path)
        # Checkpoints that were written before there was such an entry lack it.
        state = {"seconds": 0.0, **state}
        self._check_fit(path, config, state)
        read_weights(self.sagan, path)
        if self.sagan.step != state["step"]:
            raise DamagedError(
                f"{path} has weights of step {self.sagan.step}, but its config.json says "
                f"{state['step']}"
            )
        for metric in self.sagan.metrics:
            for variable, value in zip(
                metric.variables, state["running"][metric.name], strict=True
            ):
                variable.assign(value)
        self.last = path
        self.seconds = state["seconds"]
        return path

    def _write(self, target, state):
        files.remove_abandoned(self.directory)
        with files.replacing(target) as new:
            new.mkdir()
            write_model(self.sagan, new, optimizers=True, **state)
        self._damaged.discard(target)

    def _prune(self, newest):
        good = [path for path in self.paths if path not in self._damaged]
        kept = {*good[-self.keep :], self.best, newest}
        for path in self.paths:
            if path not in kept:
                # Renamed first: a checkpoint is there as a whole or not at all.
                with tempfile.TemporaryDirectory(dir=self.directory, prefix=files.ASIDE) as aside:
                    path.rename(pathlib.Path(aside, "old"))

    def _optimizer_variables(self):
        return {name: len(getattr(self.sagan, name).variables) for name in _OPTIMIZERS}

    def _check_fit(self, path, config, state):
        if not _STATE.keys() <= state.keys():
            raise ValueError(f"{path} is no checkpoint: it has no optimizers")
        for name, is_valid in _STATE.items():
            if not is_valid(state[name]):
                raise DamagedError(f"{path} is no valid checkpoint: its {name} is malformed")
        if state["seed"] != self.sagan.seed:
            raise ValueError(f"{path} is of seed {state['seed']}, not {self.sagan.seed}")
        difference = self.sagan.config.model.differences(config.model)
        if difference:
            raise ValueError(f"{path} is of another model: {'; '.join(difference.values())}")
        # Keras would only warn, and leave the optimizer as it is.
        for name, count in self._optimizer_variables().items():
            found = state["optimizer_variables"][name]
            if found != count:
                raise ValueError(
                    f"{path} is of another optimizer: its {name} has {found} variables, this one "
                    f"{count}"
                )
        sums = {name: len(values) for name, values in state["running"].items()}
        if sums != {metric.name: len(metric.variables) for metric in self.sagan.metrics}:
            raise ValueError(f"{path} has other metrics: {', '.join(sums)}")


def _is_number(value):
    return type(value) in (int, float) and math.isfinite(value)


def _is_dict(is_value):
    return lambda found: isinstance(found, dict) and all(map(is_value, found.values()))


_STATE = {
    "metrics": _is_dict(_is_number),
    "seconds": _is_number,
    "running": _is_dict(lambda sums: isinstance(sums, list) and all(map(_is_number, sums))),
    "optimizer_variables": lambda found: _is_dict(_is_number)(found) and {*_OPTIMIZERS} == {*found},
}


def _running_sums(metric):
    """The sums over all replicas of a metric's variables."""
    return [float(keras.ops.convert_to_numpy(variable)) for variable in metric.variables]
