"""A long run takes no more memory than a short one."""

import pathlib

import pytest

from tests.integration.runs import command, last_step, started, wait_for_step

pytestmark = pytest.mark.soak


def resident_mebibytes(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def test_memory_is_flat_over_two_thousand_steps(tmp_path):
    flags = ("--steps=2000", "--log_every=20", "--sample_every=100", "--checkpoint_every=100")
    with started(command(tmp_path, *flags)) as process:
        sizes = {}
        for step in range(400, 2000, 200):
            wait_for_step(process, tmp_path, step)
            sizes[step] = resident_mebibytes(process)
        process.communicate()
    print(sizes)
    assert last_step(tmp_path) == 2000
    # A leak of 10 KiB per step would be 12 MiB.
    assert sizes[1800] - sizes[600] < 10
