"""The launcher with small programs as its workers: real processes, real signals."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from tests.experiments.programs import ROOT, run_process

LAUNCH = """
import sys
from experiments.launch_local import launch
workers, grace, *command = sys.argv[1:]
sys.exit(launch(command, int(workers), float(grace)))
"""
# Workers leave notes, with their process id, in a folder.
WORKER = """
import json, os, pathlib, signal, sys, time
index = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
folder = pathlib.Path(sys.argv[1])

def note(name, text=str(os.getpid())):
    path = folder / f"{name}-{index}"
    path.with_suffix(".part").write_text(text)
    path.with_suffix(".part").rename(path)

def wait_for(name):
    while not (folder / name).exists():
        time.sleep(0.01)

def save_and_leave(number, frame):
    note(signal.Signals(number).name)
    signal.signal(number, lambda *_: note("asked-twice"))
    time.sleep(1)
    sys.exit(128 + number)

def train():
    note("ready")
    time.sleep(600)
    note("not-stopped")

"""
OBEDIENT = "signal.signal(signal.SIGTERM, save_and_leave)\n"
DEAF = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
FAILS = "signal.signal(signal.SIGTERM, lambda *_: sys.exit(index))\n"
INT, TERM = signal.SIGINT, signal.SIGTERM
BOTH = {"ready-0", "ready-1"}
FIRST = {"ready-0", "SIGTERM-0"}
SAVED = {*BOTH, "SIGTERM-0", "SIGTERM-1"}
ASKED = "\nlaunch_local.py: asking the workers to save and leave; a second signal kills them\n"
GO_ON = "; the same command goes on from the last checkpoint\n"


def start(folder, worker, workers=2):
    grace = "0.5" if DEAF in worker else "60"
    command = [sys.executable, "-c", WORKER + worker, str(folder)]
    return subprocess.Popen(
        [sys.executable, "-c", LAUNCH, str(workers), grace, *command],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until(condition):
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def wait_for(folder, names):
    wait_until(lambda: all((folder / name).exists() for name in names))


def test_each_worker_has_its_place_in_one_cluster(tmp_path):
    worker = 'note("config", os.environ["TF_CONFIG"])\nassert os.getsid(0) == os.getpid()'
    process = start(tmp_path, worker, workers=3)
    assert process.communicate(timeout=120)[1] == "" and process.returncode == 0
    configs = [json.loads((tmp_path / f"config-{index}").read_text()) for index in range(3)]
    addresses = configs[0]["cluster"]["worker"]
    assert len(set(addresses)) == 3
    assert all(address.startswith("localhost:") for address in addresses)
    for index, config in enumerate(configs):
        task = {"type": "worker", "index": index}
        assert config == {"cluster": {"worker": addresses}, "task": task}


def dies(how):
    return f'if index == 1:\n wait_for("ready-0")\n {how}\n{OBEDIENT}train()'


@pytest.mark.parametrize(
    ("worker", "signals", "code", "says", "notes"),
    [
        # When a worker dies the others are asked to leave.
        (dies("sys.exit(3)"), [], 1, f"worker 1 exited with code 3{GO_ON}", FIRST),
        (dies("os.kill(os.getpid(), 9)"), [], 1, f"worker 1 was killed by SIGKILL{GO_ON}", FIRST),
        # Nobody had asked for it.
        (dies("os.kill(os.getpid(), 15)"), [], 1, f"worker 1 was killed by SIGTERM{GO_ON}", FIRST),
        # What does not leave is killed.
        (
            f'if index == 0:\n wait_for("ready-1")\n sys.exit(1)\n{DEAF}train()',
            [],
            1,
            f"worker 0 exited with code 1{GO_ON}",
            {"ready-1"},
        ),
        # A signal lets all save. Twice at once, as `timeout` sends it, it is one request.
        (OBEDIENT + "train()", [INT, 0.1, INT], 143, ASKED, SAVED),
        (OBEDIENT + "train()", [TERM, 0.1, TERM], 143, ASKED, SAVED),
        # A worker that was asked by others takes all with it, also those that do not listen yet.
        (OBEDIENT + "train()", [], 143, "", SAVED),
        (f"if index == 1:\n {OBEDIENT}\ntrain()", [], 143, "", {*BOTH, "SIGTERM-1"}),
        # A second one kills; sooner, it counts as the same.
        (DEAF + "train()", [INT, 1.5, INT], 137, ASKED, BOTH),
        # Those that are asked before they listen have not failed.
        ("train()", [TERM], 143, ASKED, BOTH),
        # A failure while saving is a failure.
        (FAILS + "train()", [TERM], 1, f"{ASKED}worker 1 exited with code 1{GO_ON}", BOTH),
    ],
)
def test_endings(tmp_path, worker, signals, code, says, notes):
    process = start(tmp_path, worker)
    errors = ""
    if signals:
        wait_for(tmp_path, BOTH)
        process.send_signal(signals[0])
        errors = process.stderr.readline() + process.stderr.readline()
    elif code == 143:
        wait_for(tmp_path, BOTH)
        os.kill(int((tmp_path / "ready-1").read_text()), TERM)
    for delay, number in zip(signals[1::2], signals[2::2], strict=True):
        time.sleep(delay)
        process.send_signal(number)
    errors += process.communicate(timeout=120)[1]
    assert (process.returncode, errors) == (code, says)
    # They asked once, nobody trained to the end, and nobody is left.
    assert {path.name for path in tmp_path.iterdir()} == notes
    for note in tmp_path.glob("ready-*"):
        with pytest.raises(ProcessLookupError):
            os.kill(int(note.read_text()), 0)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_one_that_was_killed_is_named_first(tmp_path):
    worker = 'note("ready")\nwait_for("go")\nsys.exit(1) if index == 0 else os.abort()'
    process = start(tmp_path, worker)
    wait_for(tmp_path, BOTH)
    process.send_signal(signal.SIGSTOP)
    (tmp_path / "go").touch()
    stats = [pathlib.Path("/proc", (tmp_path / name).read_text(), "stat") for name in BOTH]
    wait_until(lambda: all(") Z " in stat.read_text() for stat in stats))
    process.send_signal(signal.SIGCONT)
    assert process.communicate(timeout=120)[1] == f"worker 1 was killed by SIGABRT{GO_ON}"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of this")
def test_workers_do_not_outlive_a_killed_launcher(tmp_path):
    process = start(tmp_path, OBEDIENT + "train()")
    wait_for(tmp_path, BOTH)
    process.kill()
    process.communicate(timeout=120)
    wait_for(tmp_path, SAVED)


@pytest.mark.parametrize(
    ("arguments", "first", "last"),
    [
        (["stray", "--", "--steps=1"], "", "unexpected argument 'stray'; flags of train.py go"),
        (["--steps=1"], "", "Unknown command line flag 'steps'; flags of train.py go after --"),
        (["--workers=0", "--", "--steps=1"], "", "--workers=0: 0 is not a positive integer"),
        (["--workers=2"], "", "nothing to train; flags of train.py go after --"),
        # What follows the dashes are flags of train.py.
        (["--workers=1", "--", "--x=1"], "Unknown command line flag 'x'", "worker 0 exited with"),
    ],
)
def test_wrong_input_is_named_in_the_last_line(arguments, first, last):
    result = run_process("launch_local", *arguments)
    assert result.returncode == 1
    *others, line = result.stderr.splitlines()
    assert line.startswith("launch_local.py: error: ") and last in line
    assert first in "".join(others) and bool(others) == bool(first)
