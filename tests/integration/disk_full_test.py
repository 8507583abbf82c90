"""A disk that is full costs the checkpoint that does not fit, and nothing else."""

import shlex
import subprocess

import pytest

from tests.integration.runs import (
    assert_same_end,
    checkpoints,
    command,
    finished,
    records,
)

pytestmark = pytest.mark.soak

# A mount that is this process's own.
UNSHARE = ("unshare", "--user", "--map-root-user", "--mount")
MOUNT = "mount -t tmpfs -o size={size} tmpfs {directory}"


def test_a_full_disk_while_saving(undisturbed, tmp_path):
    small, copy = tmp_path / "small", tmp_path / "copy"
    small.mkdir()
    mount = MOUNT.format(size="1800k", directory=shlex.quote(str(small)))
    if subprocess.run((*UNSHARE, "sh", "-c", mount), capture_output=True).returncode:
        pytest.skip("this kernel does not let an ordinary process mount a tmpfs")
    train = shlex.join(command(small))
    script = f"{mount} && {train}; code=$?; cp -r {small} {copy}; exit $code"
    result = subprocess.run((*UNSHARE, "sh", "-c", script), capture_output=True, text=True)
    assert result.returncode == 1, result.stderr
    kept = checkpoints(copy)
    assert [path.name for path in kept] == ["step_0000002", "step_0000004"]
    failed, last = (small / "checkpoints" / f"step_000000{step}" for step in (6, 4))
    (line,) = [line for line in result.stderr.splitlines() if "train.py: error: " in line]
    assert line == (
        f"train.py: error: Cannot write checkpoint {failed}: No space left on device. "
        f"The last good checkpoint is {last}"
    )
    assert "Traceback" not in result.stderr

    # With room, the run goes on as if nothing had happened.
    output = finished(command(copy))
    assert f"Going on from {copy / 'checkpoints' / last.name}" in output
    assert_same_end(copy, undisturbed)
    assert records(copy) == records(undisturbed)
