"""Metrics as JSON lines and TensorBoard scalars."""

import json
import pathlib
import time

import tensorflow as tf

from sagan_tf.files import read_json_lines
from sagan_tf.training.periodic import Periodic
from sagan_tf.training.strategy import is_chief


class MetricsLogger(Periodic):
    """Writes the means of the metrics since the last writing, every so many steps.

    `metrics.jsonl` gets a line with `step`, `seconds` of training so far, `images_per_second` and
    the metrics; the folder `tensorboard` the same as scalars. A run that goes on from a checkpoint
    goes on with the file, from which the records of later steps are removed; TensorBoard gets them
    a second time.

    Args:
        directory: The run's folder.
        every: int, or a tuple of several: steps between two records.
        images_per_step: int, real images per step.
        steps: int, the step at which training ends; it is recorded in any case.

    Raises:
        OSError: if the file cannot be written.
    """

    def __init__(self, directory, every, images_per_step, steps):
        super().__init__(every, steps)
        self.directory = pathlib.Path(directory)
        self.images_per_step = images_per_step

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self._last_step = self.model.step
        self._last = time.monotonic()
        if is_chief():
            self._path = self.directory / "metrics.jsonl"
            self._began = self._last - self._keep_records(self._last_step)
            self._writer = tf.summary.create_file_writer(str(self.directory / "tensorboard"))

    def act(self, step, logs):
        if is_chief():
            self._write(step, {name: float(value) for name, value in logs.items()})
        for metric in self.model.metrics:
            metric.reset_state()

    def on_train_end(self, logs=None):
        if is_chief():
            self._writer.close()

    def _keep_records(self, step):
        """Removes the records after a step; returns the seconds of the last that stays."""
        records = read_json_lines(self._path) if self._path.exists() else []
        records = [record for record in records if record["step"] <= step]
        aside = self._path.with_suffix(".writing")
        aside.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
        aside.replace(self._path)
        return records[-1]["seconds"] if records else 0.0

    def _write(self, step, metrics):
        now = time.monotonic()
        rate = (step - self._last_step) * self.images_per_step / max(now - self._last, 1e-9)
        timing = {"seconds": round(now - self._began, 3), "images_per_second": round(rate, 1)}
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": step, **timing, **metrics}) + "\n")
        except OSError as error:
            raise OSError(f"Cannot write {self._path}: {error.strerror}") from error
        with self._writer.as_default(step=step):
            for name, value in {**metrics, "images_per_second": rate}.items():
                tf.summary.scalar(name, value)
        self._last, self._last_step = now, step
