"""The time that a run has trained."""

import math
import time

from sagan_tf.training.strategy import make_from_chief


class Clock:
    """Seconds that a run has trained, from its first step on; all workers have those of the chief.

    Args:
        max_minutes: float, minutes of training after which a run is to end; `None` for no end.
            Defaults to `None`.

    Attributes:
        seconds: float, the time when `read` was called last.
        of_chief: Function that returns the chief's number on all workers, which all must call; it
            is there once the clock was started.
    """

    def __init__(self, max_minutes=None):
        self.limit = math.inf if max_minutes is None else 60.0 * max_minutes
        self.seconds = 0.0

    def start(self, seconds):
        """Goes on from the seconds that were trained before; on several workers all must call it.

        What counts are those of the chief.
        """
        self.of_chief = make_from_chief()
        self._began = time.monotonic() - seconds
        self._periods = [0.0, 0.0]
        self.seconds = self.of_chief(time.monotonic() - self._began)

    def read(self):
        """Takes the time, once after each loop of steps; on several workers all must call it."""
        before, self.seconds = self.seconds, self.of_chief(time.monotonic() - self._began)
        self._periods = [self._periods[1], self.seconds - before]

    @property
    def is_over(self):
        """Whether the run has trained as long as it may."""
        return self.seconds >= self.limit

    @property
    def left(self):
        """float in [0, 1], the share of the time that is left; 1 where there is no end."""
        return max(0.0, 1.0 - self.seconds / self.limit)

    def is_due(self, since, minutes):
        """Whether so many minutes since a time are over, or will be before the time is taken again.

        The next period is taken to be the shorter of the last two, since tracing and evaluations
        take longer than steps do.

        Args:
            since: float, seconds.
            minutes: float; `None` is never over.
        """
        if minutes is None:
            return False
        end = since + 60.0 * minutes
        return self.seconds >= end or self.seconds + min(self._periods) > end
