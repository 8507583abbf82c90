"""Signals, in a process of their own."""

import json
import signal
import subprocess
import sys

import pytest

SCRIPT = """
import json, signal
from sagan_tf.training import Interruption
from tests.training.small import make

numbers = (signal.SIGINT, signal.SIGTERM)
sagan = make()

def report(name, interruption):
    handlers = [signal.getsignal(number) for number in numbers]
    print(json.dumps({
        "name": name,
        "stop_training": sagan.stop_training,
        "signal": getattr(interruption.signal, "name", None),
        "restored": [ours is theirs for ours, theirs in zip(handlers, before)],
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
            report("begun", interruption)
            signal.raise_signal(number)
            report("signalled", interruption)
        report("left", interruption)

sagan.stop_training = False
with Interruption(sagan) as interruption:
    pass
report("undisturbed", interruption)

try:
    with Interruption(sagan) as interruption:
        raise OSError
except OSError:
    report("failed", interruption)

with Interruption(sagan) as interruption:
    signal.raise_signal(signal.SIGINT)
    signal.raise_signal(signal.SIGTERM)
report("second to an own handler", interruption)

try:
    with Interruption(sagan) as interruption:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        report("not reached", interruption)
except KeyboardInterrupt:
    report("interrupted", interruption)

signal.signal(signal.SIGTERM, signal.SIG_DFL)
with Interruption(sagan) as interruption:
    signal.raise_signal(signal.SIGTERM)
    before = [signal.default_int_handler, signal.SIG_DFL]
    report("about to die", interruption)
    signal.raise_signal(signal.SIGTERM)
    report("not reached", interruption)
"""


@pytest.fixture(scope="module")
def process():
    return subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=200
    )


@pytest.fixture
def reports(process):
    return [json.loads(line) for line in process.stdout.splitlines()]


def named(reports, name):
    return [report for report in reports if report["name"] == name]


def test_the_first_signal_stops_training(reports):
    begun, signalled, left = (named(reports, name) for name in ("begun", "signalled", "left"))
    for report in begun:
        assert report["stop_training"] is False
        assert report["signal"] is None
        assert report["restored"] == [False, False]
    # With Python's handlers, then with an own one for SIGTERM.
    assert [report["signal"] for report in signalled] == ["SIGINT", "SIGTERM"] * 2
    for report in signalled + left:
        assert report["stop_training"] is True
        assert report["restored"] == [True, True]


@pytest.mark.parametrize("name", ["undisturbed", "failed"])
def test_handlers_are_restored_without_a_signal(reports, name):
    (report,) = named(reports, name)
    assert report == {
        "name": name,
        "stop_training": False,
        "signal": None,
        "restored": [True, True],
    }


def test_a_second_signal_acts_as_before(process, reports):
    assert named(reports, "own handler") == [{"name": "own handler", "number": signal.SIGTERM}]
    (report,) = named(reports, "second to an own handler")
    assert report["signal"] == "SIGINT"
    (report,) = named(reports, "interrupted")
    assert report["signal"] == "SIGTERM"
    assert report["restored"] == [True, True]
    assert named(reports, "not reached") == []
    assert reports[-1]["name"] == "about to die"
    assert process.returncode == -signal.SIGTERM


def test_the_user_is_told(process):
    lines = [line for line in process.stderr.splitlines() if line.endswith(", then leaving")]
    first, second = "SIGINT: saving, then leaving", "SIGTERM: saving, then leaving"
    assert lines == [first, second, first, second, first, second, second]
