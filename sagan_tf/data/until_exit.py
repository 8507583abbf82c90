"""Lets Python functions that tf.data calls come to an end before the interpreter does.

tf.data calls them from threads of its own. A thread that is inside such a call when the
interpreter is torn down never returns from it, and an iterator that is still alive then (a global
one, or one in the frames of an uncaught exception) waits for that thread for ever.
"""

import atexit
import threading
import time

_lock = threading.Lock()
_calls = {"active": 0, "last": float("-inf")}
_exiting = threading.Event()


def until_exit(function, placeholder):
    """Wraps a function so that it only returns `placeholder` once the interpreter is exiting.

    Nobody reads the placeholder, but it must have the type of the function's results.
    """

    def call(*args):
        with _lock:
            _calls["active"] += 1
        try:
            return placeholder if _exiting.is_set() else function(*args)
        finally:
            with _lock:
                _calls["active"] -= 1
                _calls["last"] = time.monotonic()

    return call


@atexit.register
def _wait_for_calls():
    """Waits until tf.data has filled its buffers with placeholders, and so stops calling."""
    _exiting.set()
    while _calls["active"] or time.monotonic() - _calls["last"] < 0.1:
        time.sleep(0.01)
