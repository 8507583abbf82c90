"""Pictures of what the generator makes while it learns."""

import pathlib

import numpy as np
import tensorflow as tf

from sagan_tf.training.periodic import Periodic
from sagan_tf.training.strategy import is_chief
from sagan_tf.visualization import class_grid


class SampleWriter(Periodic):
    """Draws the same latents every so many steps, with the averaged weights.

    Writes `samples/step_<step>.png` and a TensorBoard image. One column per class, for the first
    ten classes.

    Args:
        directory: The run's folder.
        every: int, steps between two pictures.
        steps: int, the step at which training ends; it is drawn in any case.
    """

    def __init__(self, directory, every, steps):
        super().__init__(every, steps)
        self.directory = pathlib.Path(directory)

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        if is_chief():
            (self.directory / "samples").mkdir(exist_ok=True)
            self._writer = tf.summary.create_file_writer(str(self.directory / "tensorboard"))

    def act(self, step, logs):
        if not is_chief():
            return
        grid = class_grid(self.model)
        grid.save(self.directory / "samples" / f"step_{step:07d}.png")
        with self._writer.as_default(step=step):
            pixels = np.asarray(grid)
            tf.summary.image("samples", pixels.reshape((1, *pixels.shape[:2], -1)))

    def on_train_end(self, logs=None):
        if is_chief():
            self._writer.close()
