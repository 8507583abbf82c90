"""A process of the explorer, for the tests."""

import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).parents[3]
PROGRAM = [sys.executable, str(ROOT / "experiments" / "explore.py")]


def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


@contextlib.contextmanager
def explore(*flags, end=signal.SIGINT):
    """The program, and the address that it prints when it is ready."""
    process = subprocess.Popen(
        [*PROGRAM, *flags],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    timer = threading.Timer(120, process.kill)
    timer.start()
    try:
        line = process.stdout.readline()
        timer.cancel()
        assert line, process.stderr.read()
        yield re.fullmatch(r"Open (http://127\.0\.0\.1:\d+/) .*\n", line)[1]
    finally:
        timer.cancel()
        process.send_signal(end)
        try:
            _, errors = process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    # Nothing that a visitor did ended in a traceback.
    assert "Traceback" not in errors, errors
