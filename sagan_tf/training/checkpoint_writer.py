"""Checkpoints while training."""

from sagan_tf.config import unknown_name
from sagan_tf.training.periodic import Periodic


class CheckpointWriter(Periodic):
    """Saves a checkpoint every so many steps, and when training ends or is stopped.

    Put it last, so that the other callbacks have reported what it saves.

    Args:
        checkpoints: A `Checkpoints`.
        every: int, steps between two checkpoints.
        steps: int, the step at which training ends.

    Raises:
        ValueError: when training begins, if the model has no metric `checkpoints.monitor`.
    """

    def __init__(self, checkpoints, every, steps):
        super().__init__(every, steps)
        self.checkpoints = checkpoints

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self._saved = self.model.step
        names = [metric.name for metric in self.model.metrics]
        if self.checkpoints.monitor not in (None, *names):
            raise unknown_name("metric", self.checkpoints.monitor, names)

    def act(self, step, logs):
        self.checkpoints.save(logs)
        self._saved = step

    def on_train_end(self, logs=None):
        if self.model.step != self._saved:
            self.checkpoints.save(logs)
