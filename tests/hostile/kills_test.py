"""A run that is killed before any of its changes on the disk ends as one that nobody disturbed."""

import os
import pathlib
import subprocess
import sys

import pytest

from sagan_tf.files import ASIDE
from tests.integration.runs import ROOT, assert_same_end, command, finished, records

pytestmark = pytest.mark.soak
# The clock decides nothing here, however slow the machine is.
FLAGS = ("--steps=6", "--sample_every=3", "--sample_minutes=none", "--checkpoint_minutes=none")
# Of so many places one is tried: 1 tries all, in about ten minutes.
STRIDE = int(os.environ.get("KILL_STRIDE", "12"))


def files(directory):
    """The names of a run's files; TensorBoard gets one more from each process."""
    found = {str(path.relative_to(directory)) for path in directory.rglob("*")}
    return {name for name in found if not name.startswith("tensorboard/")}


def test_a_kill_before_each_change_on_the_disk(tmp_path):
    whole = tmp_path / "whole"
    python, *arguments = command(whole, *FLAGS)
    whole.mkdir()
    program = pathlib.Path(__file__).with_name("snapshots.py")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([python, program, whole, *arguments], env=environment, check=True, timeout=300)
    left = sorted((tmp_path / "whole.snapshots").iterdir())
    assert len(left) > 60
    assert any(name.startswith(ASIDE) for each in left for name in os.listdir(each))
    for directory in left[::STRIDE]:
        finished(command(directory, *FLAGS))
        assert files(directory) == files(whole), directory.name
        assert records(directory) == records(whole), directory.name
        assert_same_end(directory, whole)
        print(directory.name, "ends alike", file=sys.stderr)
