"""Checkpoints that survive what happens to machines."""

import contextlib
import glob
import hashlib
import json
import math
import os
import pathlib
import shutil
import tempfile

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from sagan_tf.training.strategy import is_chief

_PREFIX, _ASIDE = "step_", ".aside-"
_MANIFEST, _STATE = "manifest.json", "state"
_NETWORKS = ("generator", "discriminator", "ema_generator")
_OPTIMIZERS = ("generator_optimizer", "discriminator_optimizer")


class Checkpoints:
    """The checkpoints of a run, one folder `step_<step>` each.

    A checkpoint holds the three networks, both optimizers and the metrics since the last record.
    With the step, which is the generator optimizer's, and the seed, which it checks, that is all:
    data and random numbers are functions of these. It is written aside and renamed, and its files'
    sizes and checksums are in `manifest.json`.

    Args:
        directory: Folder of the checkpoints; several workers share it.
        sagan: A compiled `SAGAN`.
        keep: int, how many of the newest to keep. Defaults to `3`.
        monitor: str, name of a metric: the checkpoint that is best by it is kept as well. Defaults
            to `None`.
        mode: `"min"` or `"max"`: which value of `monitor` is best. Defaults to `"min"`.

    Raises:
        ValueError: if `keep` or `mode` is out of range, or TensorFlow cannot take the path.
    """

    def __init__(self, directory, sagan, keep=3, monitor=None, mode="min"):
        if keep < 1:
            raise ValueError(f"`keep` must be at least 1. Received: {keep}")
        if mode not in ("min", "max"):
            raise ValueError(f"`mode` must be min or max. Received: {mode}")
        if glob.has_magic(str(directory)):
            raise ValueError(
                f"A path with *, ? or [ is a pattern to TensorFlow: {directory}. Rename the folder"
            )
        self.directory = pathlib.Path(directory)
        self.sagan = sagan
        self.keep = keep
        self.monitor = monitor
        self.mode = mode
        self.last = None
        self._damaged = set()
        # Of the models themselves tf.train.Checkpoint would find, and save, only some variables:
        # it does not look into Keras's lists of layers.
        self._variables = {
            **{name: getattr(sagan, name).weights for name in _NETWORKS},
            **{name: getattr(sagan, name).variables for name in _OPTIMIZERS},
        }
        self._state = tf.train.Checkpoint(
            **{name: [v.value for v in each] for name, each in self._variables.items()}
        )

    @property
    def paths(self):
        """List of the folders of all checkpoints, oldest first."""
        found = self.directory.glob(f"{_PREFIX}*")
        return sorted((path for path in found if _step(path) is not None), key=_step)

    @property
    def best(self):
        """Folder of the checkpoint that is best by `monitor`, or `None`."""
        values = {}
        for path in set(self.paths) - self._damaged:
            with contextlib.suppress(_DamagedError):
                value = _manifest(path)["metrics"].get(self.monitor, math.nan)
                if math.isfinite(value):
                    values[path] = value if self.mode == "min" else -value
        return min(values, key=values.__getitem__, default=None)

    def save(self, metrics=None):
        """Writes a checkpoint, then removes those that need not be kept.

        On several workers all must call it, and only the chief writes.

        Args:
            metrics: Dict from names to floats, to be kept beside the state. Defaults to none.

        Raises:
            FloatingPointError: if a weight is NaN or infinite; nothing is written then.
            OSError: if the files cannot be written. Older checkpoints stay as they were.
        """
        sagan = self.sagan
        target = self.directory / f"{_PREFIX}{sagan.step:07d}"
        running = {metric.name: _values(metric) for metric in sagan.metrics}
        for weight in sagan.weights:
            if not np.isfinite(keras.ops.convert_to_numpy(weight)).all():
                raise FloatingPointError(
                    f"{weight.path} is not finite at step {sagan.step}. {self.last_good()}"
                )
        if is_chief():
            manifest = {
                "step": sagan.step,
                "seed": sagan.seed,
                "metrics": metrics or {},
                "running": running,
                "shapes": self._shapes(),
            }
            try:
                self._write(target, manifest)
                self.last = target
                self._prune(target)
            except (OSError, tf.errors.OpError) as error:
                raise OSError(
                    f"Cannot write checkpoint {target}: {_reason(error)}. {self.last_good()}"
                ) from error
        self.last = target

    def restore(self, path=None):
        """Brings the model to the newest checkpoint that is not damaged, or to a given one.

        The optimizers' learning rates are restored as well.

        Args:
            path: Folder of a checkpoint. Defaults to `None`, the newest.

        Returns:
            The checkpoint's folder; `None` if there is none yet.

        Raises:
            ValueError: if all checkpoints are damaged, or the one to restore is of another
                architecture, optimizer or seed.
        """
        if path is not None:
            return self._read(pathlib.Path(path))
        for path in reversed(self.paths):
            try:
                return self._read(path)
            except _DamagedError as error:
                self._damaged.add(path)
                logging.warning("Skipping a damaged checkpoint: %s", error)
        if self._damaged:
            raise ValueError(
                f"All checkpoints in {self.directory} are damaged: remove them to start anew"
            )
        return None

    def last_good(self):
        """A sentence that names the last checkpoint written or read."""
        return f"The last good checkpoint is {self.last}" if self.last else "There is no checkpoint"

    def _read(self, path):
        manifest = _checked_manifest(path)
        self._check_fit(path, manifest)
        self._state.read(str(path / _STATE)).assert_consumed()
        for metric in self.sagan.metrics:
            for variable, value in zip(
                metric.variables, manifest["running"][metric.name], strict=True
            ):
                variable.assign(value)
        self.last = path
        return path

    def _write(self, target, manifest):
        self.directory.mkdir(parents=True, exist_ok=True)
        for abandoned in self.directory.glob(f"{_ASIDE}*"):
            shutil.rmtree(abandoned, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=self.directory, prefix=_ASIDE) as aside:
            new = pathlib.Path(aside, "new")
            new.mkdir()
            self._state.write(str(new / _STATE))
            manifest["files"] = {path.name: _fingerprint(path) for path in sorted(new.iterdir())}
            (new / _MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
            for path in (*new.iterdir(), new):
                _flush(path)
            if target.exists():
                target.rename(pathlib.Path(aside, "old"))
            new.rename(target)
            _flush(self.directory)
        self._damaged.discard(target)

    def _prune(self, newest):
        good = [path for path in self.paths if path not in self._damaged]
        kept = {*good[-self.keep :], self.best, newest}
        for path in self.paths:
            if path not in kept:
                # Renamed first: a checkpoint is there as a whole or not at all.
                with tempfile.TemporaryDirectory(dir=self.directory, prefix=_ASIDE) as aside:
                    path.rename(pathlib.Path(aside, "old"))

    def _shapes(self):
        return {name: [list(v.shape) for v in each] for name, each in self._variables.items()}

    def _check_fit(self, path, manifest):
        if manifest["seed"] != self.sagan.seed:
            raise ValueError(f"{path} is of seed {manifest['seed']}, not {self.sagan.seed}")
        for name, variables in self._variables.items():
            shapes = manifest["shapes"][name]
            if len(variables) != len(shapes):
                raise ValueError(
                    f"{path} is of another architecture or optimizer: its {name} has "
                    f"{len(shapes)} variables, this one {len(variables)}"
                )
            for variable, shape in zip(variables, shapes, strict=True):
                if list(variable.shape) != shape:
                    raise ValueError(
                        f"{path} is of another architecture: {variable.path} has the shape "
                        f"{tuple(shape)} there, {tuple(variable.shape)} here"
                    )


def _step(path):
    """The step in a checkpoint's name, `None` for other names."""
    digits = path.name.removeprefix(_PREFIX)
    return int(digits) if digits.isdecimal() else None


def _values(metric):
    """The sums over all replicas of a metric's variables."""
    return [float(keras.ops.convert_to_numpy(variable)) for variable in metric.variables]


def _fingerprint(path):
    with path.open("rb") as file:
        return {
            "bytes": path.stat().st_size,
            "sha256": hashlib.file_digest(file, "sha256").hexdigest(),
        }


class _DamagedError(ValueError):
    pass


def _checked_manifest(path):
    """The manifest of a checkpoint, or a `_DamagedError` that says which of its files it is."""
    manifest = _manifest(path)
    for name, fingerprint in manifest["files"].items():
        try:
            intact = _fingerprint(path / name) == fingerprint
        except OSError as error:
            raise _DamagedError(f"{path}: {name}: {error.strerror}") from error
        if not intact:
            raise _DamagedError(f"{path}: {name} is not as it was written")
    return manifest


def _manifest(path):
    try:
        manifest = json.loads((path / _MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _DamagedError(f"{path}: {_MANIFEST}: {_reason(error)}") from error
    parts = ("files", "metrics", "running", "shapes")
    if not isinstance(manifest, dict) or not all(
        isinstance(manifest.get(part), dict) for part in parts
    ):
        raise _DamagedError(f"{path}: {_MANIFEST} is not the manifest of a checkpoint")
    return manifest


def _reason(error):
    """What TensorFlow or the system say, without the op that says it and its temporary files."""
    text = str(error).split(" [Op:")[0].strip() or type(error).__name__
    return text.splitlines()[0].split("; ")[-1]


def _flush(path):
    """Waits until a file, or the entries of a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
