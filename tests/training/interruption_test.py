"""Signals, in a process of their own."""

import json
import signal
import subprocess
import sys

import pytest

SCRIPT = """
import json, signal, types
from sagan_tf.training import Interruption

numbers = (signal.SIGINT, signal.SIGTERM)
sagan = types.SimpleNamespace(stop_training=False)

def report(name):
    ours = [signal.getsignal(number) for number in numbers]
    print(json.dumps({
        "name": name,
        "stop_training": sagan.stop_training,
        "signal": getattr(interruption.signal, "name", None),
        "restored": [one is other for one, other in zip(ours, before)],
    }), flush=True)

def note(number, frame):
    print(json.dumps({"name": "own handler", "number": number}), flush=True)

for own_handler in (False, True):
    if own_handler:
        signal.signal(signal.SIGTERM, note)
    before = [signal.getsignal(number) for number in numbers]
    for number in numbers:
        sagan.stop_training = False
        with Interruption(sagan) as interruption:
            report("begun")
            signal.raise_signal(number)
            report("signalled")
        report("left")

sagan.stop_training = False
with Interruption(sagan) as interruption:
    pass
report("undisturbed")

try:
    with Interruption(sagan) as interruption:
        raise OSError
except OSError:
    report("failed")

with Interruption(sagan) as interruption:
    signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGTERM)
report("second to an own handler")

try:
    with Interruption(sagan) as interruption:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        report("not reached")
except KeyboardInterrupt:
    report("interrupted")

signal.signal(signal.SIGTERM, signal.SIG_DFL)
with Interruption(sagan) as interruption:
    signal.raise_signal(signal.SIGTERM)
    before = [signal.default_int_handler, signal.SIG_DFL]
    report("about to die")
    signal.raise_signal(signal.SIGTERM)
    report("not reached")
"""


@pytest.fixture(scope="module")
def process():
    return subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=200
    )


@pytest.fixture
def reports(process):
    """Dict from the names of reports to lists of them."""
    found = {}
    for line in process.stdout.splitlines():
        report = json.loads(line)
        found.setdefault(report.pop("name"), []).append(report)
    return found


def said(stopped, name, restored):
    return {"stop_training": stopped, "signal": name, "restored": [restored] * 2}


def test_the_first_signal_stops_training(reports):
    # With Python's handlers, then with an own one for SIGTERM.
    assert reports["begun"] == [said(False, None, False)] * 4
    for name in ("signalled", "left"):
        assert reports[name] == [said(True, "SIGINT", True), said(True, "SIGTERM", True)] * 2


def test_handlers_are_restored_without_a_signal(reports):
    for name in ("undisturbed", "failed"):
        assert reports[name] == [said(False, None, True)]


def test_a_second_signal_acts_as_before(process, reports):
    assert reports["own handler"] == [{"number": signal.SIGTERM}]
    assert reports["second to an own handler"] == [said(True, "SIGINT", True)]
    assert reports["interrupted"] == [said(True, "SIGTERM", True)]
    assert "not reached" not in reports
    assert list(reports)[-1] == "about to die"
    assert process.returncode == -signal.SIGTERM


def test_the_user_is_told(process):
    lines = [line for line in process.stderr.splitlines() if line.endswith(", then leaving")]
    first, second = "SIGINT: saving, then leaving", "SIGTERM: saving, then leaving"
    assert lines == [first, second, first, second, first, second, second]
