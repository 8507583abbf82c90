"""Two workers on this machine, started as the README says."""

import os
import pathlib
import signal
import sys

import pytest

from tests.integration.runs import (
    ROOT,
    assert_same_end,
    checkpoints,
    command,
    finished,
    last_step,
    records,
    started,
    wait_for_step,
)

pytestmark = pytest.mark.slow

STEPS = 16


def launch(directory):
    program = str(ROOT / "experiments" / "launch_local.py")
    flags = command(directory, f"--steps={STEPS}")[2:]
    return [sys.executable, program, "--workers=2", "--", *flags]


def workers(launcher):
    """The process ids of a launcher's workers, the chief's first."""
    children = pathlib.Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text()
    return [int(child) for child in children.split()]


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """The folder of a run of two workers that nothing interrupted."""
    directory = tmp_path_factory.mktemp("runs") / "two"
    finished(launch(directory))
    return directory


def test_two_workers_learn_what_one_learns(two, tmp_path):
    finished(command(tmp_path / "one", f"--steps={STEPS}"))
    ours, theirs = records(two), records(tmp_path / "one")
    assert [record["step"] for record in ours] == list(range(1, STEPS + 1))
    for record, expected in zip(ours, theirs, strict=True):
        for name in ("real_variance", "fake_variance"):  # Those of a worker's own images.
            del record[name], expected[name]
        assert record == pytest.approx(expected, abs=1e-5)


@pytest.mark.soak
def test_killed_workers(two, tmp_path):
    directory = tmp_path / "run"
    for victim, step in ((1, 4), (0, 9)):
        with started(launch(directory)) as launcher:
            wait_for_step(launcher, directory, step)
            os.kill(workers(launcher)[victim], signal.SIGKILL)
            output = launcher.communicate()[0]
        assert launcher.returncode == 1
        assert (
            f"launch_local.py: error: worker {victim} was killed by SIGKILL; the same command goes "
            "on from the last checkpoint" in output
        )
    found = checkpoints(directory)[-1]
    assert f"Going on from {found}" in finished(launch(directory))
    assert_same_end(directory, two, atol=1e-5)


@pytest.mark.soak
def test_a_signal_to_one_worker_stops_all_at_the_same_step(two, tmp_path):
    directory = tmp_path / "run"
    with started(launch(directory)) as launcher:
        wait_for_step(launcher, directory, 5)
        os.kill(workers(launcher)[1], signal.SIGTERM)
        output = launcher.communicate()[0]
    assert launcher.returncode == 128 + signal.SIGTERM, output
    step = last_step(directory)
    assert f"Stopped after step {step} of {STEPS}" in output
    assert checkpoints(directory)[-1].name == f"step_{step:07d}"
    finished(launch(directory))
    assert_same_end(directory, two, atol=1e-5)
