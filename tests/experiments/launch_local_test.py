"""The launcher with small programs as its workers: real processes, real signals."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).parents[2]
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
    time.sleep(60)
    note("not-stopped")

"""
OBEDIENT = "signal.signal(signal.SIGTERM, save_and_leave)\n"
DEAF = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"


def start(folder, worker, workers=2, grace=60):
    command = [sys.executable, "-c", WORKER + worker, str(folder)]
    return subprocess.Popen(
        [sys.executable, "-c", LAUNCH, str(workers), str(grace), *command],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process):
    """Exit code and errors of a launcher that ends by itself."""
    _, errors = process.communicate(timeout=120)
    return process.returncode, errors


def wait_for(*paths):
    deadline = time.monotonic() + 120
    while not all(path.exists() for path in paths):
        assert time.monotonic() < deadline, f"none of {paths} came"
        time.sleep(0.01)


def is_alive(note):
    try:
        os.kill(int(note.read_text()), 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def ready(tmp_path):
    return [tmp_path / "ready-0", tmp_path / "ready-1"]


def test_each_worker_has_its_place_in_one_cluster(tmp_path):
    worker = 'note("config", os.environ["TF_CONFIG"])\nassert os.getsid(0) == os.getpid()'
    assert end(start(tmp_path, worker, workers=3)) == (0, "")
    configs = [json.loads((tmp_path / f"config-{index}").read_text()) for index in range(3)]
    tasks = [config["task"] for config in configs]
    assert tasks == [{"type": "worker", "index": index} for index in range(3)]
    addresses = configs[0]["cluster"]["worker"]
    assert len(set(addresses)) == 3
    assert all(address.startswith("localhost:") for address in addresses)
    assert all(config["cluster"] == {"worker": addresses} for config in configs)


@pytest.mark.parametrize(
    ("death", "how"),
    [
        ("sys.exit(3)", "exited with code 3"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "was killed by SIGKILL"),
        # Nobody had asked for it.
        ("os.kill(os.getpid(), signal.SIGTERM)", "was killed by SIGTERM"),
    ],
)
def test_when_a_worker_dies_the_others_are_asked_to_leave(tmp_path, death, how):
    worker = f'if index == 1:\n wait_for("ready-0")\n {death}\n' + OBEDIENT + "train()"
    code, errors = end(start(tmp_path, worker))
    assert code == 1
    assert errors == f"worker 1 {how}; the same command goes on from the last checkpoint\n"
    assert (tmp_path / "SIGTERM-0").exists()
    assert not (tmp_path / "asked-twice-0").exists()


def test_what_does_not_leave_is_killed(tmp_path):
    worker = 'if index == 0:\n wait_for("ready-1")\n sys.exit(1)\n' + DEAF + "train()"
    code, errors = end(start(tmp_path, worker, grace=0.5))
    assert code == 1
    assert errors.startswith("worker 0 exited with code 1;")
    assert not (tmp_path / "not-stopped-1").exists()
    assert not is_alive(tmp_path / "ready-1")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_one_that_was_killed_is_named_first(tmp_path, ready):
    worker = 'note("ready")\nwait_for("go")\nsys.exit(1) if index == 0 else os.abort()'
    process = start(tmp_path, worker)
    wait_for(*ready)
    process.send_signal(signal.SIGSTOP)
    (tmp_path / "go").touch()
    stats = [pathlib.Path(f"/proc/{note.read_text()}/stat") for note in ready]
    deadline = time.monotonic() + 120
    while any(") Z " not in stat.read_text() for stat in stats):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGCONT)
    assert end(process)[1].startswith("worker 1 was killed by SIGABRT;")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_lets_all_workers_save(tmp_path, ready, number):
    process = start(tmp_path, OBEDIENT + "train()")
    wait_for(*ready)
    process.send_signal(number)
    time.sleep(0.1)
    # As `timeout` does; it is one request.
    process.send_signal(number)
    code, errors = end(process)
    assert code == 128 + signal.SIGTERM
    assert "error" not in errors and "second signal kills" in errors
    assert {path.name for path in tmp_path.iterdir()} == {
        *("ready-0", "ready-1"),
        *("SIGTERM-0", "SIGTERM-1"),
    }


def test_workers_that_are_asked_before_they_listen_have_not_failed(tmp_path, ready):
    process = start(tmp_path, "train()")
    wait_for(*ready)
    process.send_signal(signal.SIGTERM)
    code, errors = end(process)
    assert code == 128 + signal.SIGTERM
    assert "worker " not in errors


@pytest.mark.parametrize("listens", [True, False])
def test_a_worker_that_was_asked_by_others_takes_all_with_it(tmp_path, ready, listens):
    process = start(tmp_path, f"if {listens} or index == 1:\n {OBEDIENT}\ntrain()")
    wait_for(*ready)
    os.kill(int(ready[1].read_text()), signal.SIGTERM)
    assert end(process) == (128 + signal.SIGTERM, "")
    assert (tmp_path / "SIGTERM-0").exists() == listens


def test_a_failure_while_saving_is_a_failure(tmp_path, ready):
    fails = "signal.signal(signal.SIGTERM, lambda *_: sys.exit(index))\n"
    process = start(tmp_path, fails + "train()")
    wait_for(*ready)
    process.send_signal(signal.SIGTERM)
    code, errors = end(process)
    assert code == 1
    assert "worker 1 exited with code 1;" in errors


def test_a_second_signal_kills(tmp_path, ready):
    process = start(tmp_path, DEAF + "train()")
    wait_for(*ready)
    process.send_signal(signal.SIGINT)
    assert process.stderr.readline() == "\n"
    assert "second signal kills" in process.stderr.readline()
    time.sleep(1.5)  # Sooner, it counts as the same.
    process.send_signal(signal.SIGINT)
    assert end(process)[0] == 128 + signal.SIGKILL
    assert not any(is_alive(note) for note in ready)
    assert not list(tmp_path.glob("not-stopped-*"))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of this")
def test_workers_do_not_outlive_a_killed_launcher(tmp_path, ready):
    process = start(tmp_path, OBEDIENT + "train()")
    wait_for(*ready)
    process.kill()
    process.communicate(timeout=120)
    wait_for(tmp_path / "SIGTERM-0", tmp_path / "SIGTERM-1")


def run(*arguments):
    program = ROOT / "experiments" / "launch_local.py"
    return subprocess.run(
        [sys.executable, str(program), *arguments], capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["stray", "--", "--steps=1"], "unexpected argument 'stray'; flags of train.py go after"),
        (["--steps=1"], "Unknown command line flag 'steps'"),
        (["--workers=0", "--", "--steps=1"], "--workers=0: 0 is not a positive integer"),
        (["--workers=2"], "nothing to train; flags of train.py go after --"),
    ],
)
def test_wrong_input_ends_in_one_line(arguments, message):
    result = run(*arguments)
    (line,) = result.stderr.splitlines()
    assert line.startswith("launch_local.py: error: ") and message in line
    assert result.returncode == 1


def test_flags_after_the_dashes_are_those_of_train():
    result = run("--workers=1", "--", "--no_such_flag=1")
    assert result.returncode == 1
    assert "Unknown command line flag 'no_such_flag'" in result.stderr
    assert result.stderr.splitlines()[-1].startswith(
        "launch_local.py: error: worker 0 exited with code 1; the same command"
    )


def test_it_starts_at_once():
    program = "import sys, experiments.launch_local; print('tensorflow' in sys.modules)"
    command = [sys.executable, "-c", program]
    assert subprocess.check_output(command, cwd=ROOT, text=True) == "False\n"
