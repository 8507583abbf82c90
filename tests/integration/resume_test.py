"""A run ends with the same bits however often, and however rudely, it was interrupted."""

import shutil
import signal
import time

import numpy as np
import pytest

from tests.integration.runs import (
    STEPS,
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


@pytest.mark.parametrize("kills", [1, pytest.param(5, marks=pytest.mark.soak)])
def test_kills(undisturbed, tmp_path, kills):
    rng = np.random.default_rng()
    seed = rng.bit_generator.seed_seq.entropy
    print(f"The moments are those of seed {seed}")
    directory = tmp_path / "run"
    for kill in range(kills):
        with started(command(directory)) as process:
            if kill % 5 == 4:
                time.sleep(rng.uniform(0, 8))  # Perhaps before the first step.
            else:
                target = min(last_step(directory) + rng.integers(1, 5), STEPS - 1)
                wait_for_step(process, directory, target)
                time.sleep(rng.uniform(0, 0.1))
            process.send_signal(signal.SIGKILL)
            process.wait()
    finished(command(directory))
    assert_same_end(directory, undisturbed)
    assert records(directory) == records(undisturbed)


@pytest.mark.parametrize(
    "signals",
    [
        [(signal.SIGTERM, 12)],
        pytest.param(
            [(signal.SIGTERM, 3), (signal.SIGINT, 8), (signal.SIGTERM, 12)],
            marks=pytest.mark.soak,
        ),
    ],
    ids=len,
)
def test_signals_save_and_the_same_command_goes_on(undisturbed, tmp_path, signals):
    directory = tmp_path / "run"
    for number, target in signals:
        with started(command(directory)) as process:
            wait_for_step(process, directory, target)
            process.send_signal(number)
            output = process.communicate()[0]
        assert process.returncode == 128 + number, output
        step = last_step(directory)
        assert f"Stopped after step {step} of {STEPS}" in output
        saved = checkpoints(directory)[-1]
        assert saved.name == f"step_{step:07d}"
        assert f"all is in {saved}" in output
        assert " ".join(command(directory)) in output
        assert "Traceback" not in output
    assert f"Going on from {saved}" in finished(command(directory))
    assert_same_end(directory, undisturbed)
    assert records(directory) == records(undisturbed)


@pytest.mark.soak
def test_a_damaged_newest_checkpoint_is_skipped(undisturbed, tmp_path):
    directory = tmp_path / "run"
    shutil.copytree(undisturbed, directory)
    newest = checkpoints(directory)[-1]
    data = newest / "model.weights.h5"
    data.write_bytes(data.read_bytes()[:-100])
    output = finished(command(directory))
    assert f"Skipping a damaged checkpoint: {data} is not as it was written" in output
    assert f"Going on from {checkpoints(undisturbed)[-2].name}" in output.replace(
        f"{directory / 'checkpoints'}/", ""
    )
    assert_same_end(directory, undisturbed)
    assert records(directory) == records(undisturbed)
