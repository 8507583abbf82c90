"""Metrics as JSON lines and TensorBoard scalars."""

import json
import math
import pathlib
import time

import keras
import tensorflow as tf


class MetricsLogger(keras.callbacks.Callback):
    """Writes the means of the metrics since the last writing, every so many steps.

    `metrics.jsonl` gets a line with `step`, `seconds` since training began, `images_per_second`
    and the metrics; the folder `tensorboard` the same as scalars.

    Args:
        directory: The run's folder.
        every: int, steps between two records.
        images_per_step: int, real images per step.
        steps: int, the step at which training ends; it is recorded in any case.

    Raises:
        FloatingPointError: when a metric is NaN or infinite; the message names step and metric.
    """

    def __init__(self, directory, every, images_per_step, steps):
        super().__init__()
        self.directory = pathlib.Path(directory)
        self.every = every
        self.images_per_step = images_per_step
        self.steps = steps

    def on_train_begin(self, logs=None):
        self._path = self.directory / "metrics.jsonl"
        self._writer = tf.summary.create_file_writer(str(self.directory / "tensorboard"))
        self._began = self._last = time.monotonic()
        self._last_step = self.model.step

    def on_train_batch_end(self, batch, logs=None):
        step = self.model.step
        if step % self.every and step != self.steps:
            return
        metrics = {name: float(value) for name, value in logs.items()}
        for name, value in metrics.items():
            if not math.isfinite(value):
                raise FloatingPointError(
                    f"{name} became {value} between steps {self._last_step} and {step}: training "
                    "stopped. Lower the learning rates or keep spectral_norm on"
                )
        now = time.monotonic()
        rate = (step - self._last_step) * self.images_per_step / max(now - self._last, 1e-9)
        timing = {"seconds": round(now - self._began, 3), "images_per_second": round(rate, 1)}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **timing, **metrics}) + "\n")
        with self._writer.as_default(step=step):
            for name, value in {**metrics, "images_per_second": rate}.items():
                tf.summary.scalar(name, value)
        self._last, self._last_step = now, step
        for metric in self.model.metrics:
            metric.reset_state()

    def on_train_end(self, logs=None):
        self._writer.close()
