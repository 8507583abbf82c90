"""How long a run will take, said when that is known."""

import math
import sys
import time

import tqdm

from sagan_tf.training.periodic import Periodic
from sagan_tf.training.strategy import is_chief, peak_device_memory

try:
    import resource
except ImportError:  # Windows has none.
    resource = None

# The rate is that of so many steps after the first, unless they take longer than a minute.
_STEPS, _SECONDS, _PATIENCE = 10, 5.0, 60.0


class Forecast(Periodic):
    """Prints once, in a line, when training will end and how much memory it has taken.

    Args:
        clock: The `Clock` that a `Recorder` reads.
        images_per_step: int, real images per step.
    """

    def __init__(self, clock, images_per_step):
        super().__init__()
        self.clock = clock
        self.images_per_step = images_per_step

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self._began, self._is_said = None, not is_chief()

    def on_train_batch_end(self, batch, logs=None):
        now, step = time.monotonic(), self.model.step
        # The first step traces and compiles.
        if self._began is None:
            self._began = now, step
        began, first = self._began
        seconds, steps = now - began, step - first
        measured = seconds >= _SECONDS if steps >= _STEPS else seconds >= _PATIENCE
        if self._is_said or not measured or step >= self.end:
            return
        self._is_said = True
        rate = steps / seconds
        until_limit = self.clock.limit - self.clock.seconds
        text = forecast_line(rate, rate * self.images_per_step, step, self.end, until_limit)
        memory = ", ".join(f"{size / 2**30:.1f} GiB of {name}" for name, size in _peaks().items())
        tqdm.tqdm.write(f"{text}{f'. So far it took {memory}' if memory else ''}")


def forecast_line(rate, images_per_second, step, end, until_limit, now=None):
    """A line that says how fast training is and when it will end.

    Args:
        rate: float, steps per second.
        images_per_second: float, real images per second.
        step: int, the last step.
        end: int or infinity, the step at which training ends.
        until_limit: float or infinity, seconds after which it ends at the latest.
        now: float, seconds since the epoch. Defaults to `None`, the present.

    Returns:
        str.
    """
    speed = f"{1 / rate:.2g} s per step" if rate < 1 else f"{rate:.1f} steps per second"
    text = f"Speed: {speed}, {images_per_second:.0f} images per second"
    seconds = min((end - step) / rate, until_limit)
    if math.isinf(seconds):
        return text
    last = end if seconds < until_limit else round(step + rate * seconds)
    about = "" if last == end else "about "
    moment = time.localtime((time.time() if now is None else now) + seconds)
    clock = time.strftime("%H:%M" if seconds < 20 * 3600 else "%Y-%m-%d %H:%M", moment)
    return f"{text}. The end, {about}step {last:,}, is {duration(seconds)} away, at {clock}"


def duration(seconds):
    """About how long it is, in words: `50 seconds`, `24 minutes`, `7.5 hours`, `12 days`."""
    for unit, size, most, digits in (
        ("seconds", 1, 90, 0),
        ("minutes", 60, 90, 0),
        ("hours", 3600, 36, 1),
    ):
        if seconds < most * size:
            return f"{seconds / size:.{digits}f} {unit}"
    return f"{seconds / 86400:.1f} days"


def _peaks():
    """Dict from kinds of memory to the most bytes that this process has had of them."""
    found = {}
    if resource:
        unit = 1 if sys.platform == "darwin" else 1024
        found["memory"] = unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    on_device = peak_device_memory()
    if on_device:
        found["device memory"] = on_device
    return found
