"""Stopping when asked to."""

import contextlib
import signal
import sys


class Interrupted(KeyboardInterrupt):
    """Training was stopped by a signal, and all is saved.

    Attributes:
        signal: The `signal.Signals` that came; `SIGTERM` if another worker got it.
    """

    def __init__(self, text, number=None):
        super().__init__(text)
        self.signal = number or signal.SIGTERM


class Interruption:
    """A context in which signals stop training after the steps that are running.

    They are SIGINT, SIGTERM, and SIGHUP unless it is ignored, as under `nohup`. A second signal
    acts as it would without this context. For the main thread only.

    Args:
        sagan: The `SAGAN` whose `stop_training` they set.

    Attributes:
        signal: The `signal.Signals` that came, or `None`.
    """

    def __init__(self, sagan):
        self.sagan = sagan
        self.signal = None

    def __enter__(self):
        numbers = [signal.SIGINT, signal.SIGTERM]
        hangup = getattr(signal, "SIGHUP", None)  # Windows has none.
        if hangup and signal.getsignal(hangup) is not signal.SIG_IGN:
            numbers.append(hangup)
        self._previous = {number: signal.signal(number, self._stop) for number in numbers}
        return self

    def __exit__(self, *exception):
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _stop(self, number, frame):
        self.__exit__()
        self.signal = signal.Signals(number)
        self.sagan.stop_training = True
        # ^C may have ended the reader of a pipe as well.
        with contextlib.suppress(OSError):
            print(f"\n{self.signal.name}: saving, then leaving", file=sys.stderr, flush=True)
