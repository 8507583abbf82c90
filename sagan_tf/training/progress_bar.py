"""A progress bar that says what a GAN's trainer looks at."""

import contextlib
import math
import sys
import time

import tqdm

from sagan_tf.training.periodic import Periodic
from sagan_tf.training.strategy import is_chief

# A terminal, or a pipe's other end, may be gone; training goes on, and its end is saved.
_any_screen = contextlib.suppress(OSError)


class ProgressBar(Periodic):
    """Shows steps, time left, images per second, both losses and the attention gates.

    Args:
        images_per_step: int, real images per step.
        clock: The `Clock` that a `Recorder` reads, which may end training before its last step.
            Defaults to `None`, none.
    """

    def __init__(self, images_per_step, clock=None):
        super().__init__()
        self.images_per_step = images_per_step
        self.clock = clock
        self._bar = None

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self._bar = tqdm.tqdm(
            total=None if math.isinf(self.end) else self.end,
            initial=self.model.step,
            unit="step",
            dynamic_ncols=True,
            disable=not is_chief(),
            # A log file is not a screen: a line now and then is enough.
            mininterval=0.5 if sys.stderr.isatty() else 15.0,
        )
        self._began = None

    def on_train_batch_end(self, batch, logs=None):
        step = self.model.step
        # The first step traces and compiles: the rate is that of the steps after it.
        if self._began is None:
            self._began = time.monotonic(), step
        began, first = self._began
        seconds = max(time.monotonic() - began, 1e-9)
        rate = (step - first) * self.images_per_step / seconds
        values = {"img/s": f"{rate:.0f}"}
        for name, value in logs.items():
            network, _, kind = name.partition("_")
            if kind == "loss" or kind.startswith("gate"):
                values[f"{network[0].upper()} {kind.replace('_', ' ')}"] = f"{float(value):.3f}"
        if self.clock is not None and not math.isinf(self.clock.limit) and step > first:
            # The bar ends where the time will.
            steps = (self.clock.limit - self.clock.seconds) * (step - first) / seconds
            self._bar.total = min(self.end, max(step, round(step + steps)))
        with _any_screen:
            self._bar.set_postfix(values, refresh=False)
            self._bar.update(step - self._bar.n)

    def on_train_end(self, logs=None):
        with _any_screen:
            self._bar.close()
