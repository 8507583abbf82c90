"""Runs whose terminal, pipe or stream is gone, and programs that are told to end."""

import os
import signal
import subprocess
import sys
import time

import pytest

from sagan_tf.files import ASIDE, read_json_lines
from sagan_tf.models.model_folder import WEIGHTS_FILE
from tests.integration.runs import ROOT, command

pytestmark = pytest.mark.soak
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def wait_for(path, process):
    while not path.exists():
        assert process.poll() is None
        time.sleep(0.05)


@pytest.mark.parametrize("stream", ["| head -1", ">/dev/full", "<&- >&- 2>&-"])
def test_training_does_not_need_a_screen(stream, tmp_path):
    script = f'"$@" {stream}; exit ${{PIPESTATUS[0]}}'
    flags = command(tmp_path, "--steps=2")
    result = subprocess.run(["bash", "-c", script, "bash", *flags], env=ENVIRONMENT, timeout=300)
    assert result.returncode == 0
    assert (tmp_path / "preset" / WEIGHTS_FILE).exists()
    assert read_json_lines(tmp_path / "metrics.jsonl")[-1]["step"] == 2


@pytest.mark.parametrize("is_ignored", [False, True])
def test_a_closed_terminal_saves_unless_it_is_ignored(tmp_path, is_ignored):
    def begin():
        signal.signal(signal.SIGHUP, signal.SIG_IGN if is_ignored else signal.SIG_DFL)

    steps = 40 if is_ignored else 100_000
    with subprocess.Popen(
        command(tmp_path, f"--steps={steps}"),
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=begin,
    ) as process:
        wait_for(tmp_path / "checkpoints" / "step_0000002", process)
        process.send_signal(signal.SIGHUP)
        process.stdout.close()  # As the terminal does.
        errors = process.stderr.read()
        assert process.wait(300) == (0 if is_ignored else 128 + signal.SIGHUP)
    records = read_json_lines(tmp_path / "metrics.jsonl")
    if is_ignored:
        assert records[-1]["step"] == steps
    else:
        assert "SIGHUP: saving, then leaving" in errors
        saved = max(path.name for path in (tmp_path / "checkpoints").iterdir())
        assert saved == f"step_{records[-1]['step']:07d}"


@pytest.mark.parametrize("delay", [2.0, 5.0])
def test_an_export_ends_when_it_is_told_to(tmp_path, delay):
    output = tmp_path / "exported"
    program = str(ROOT / "experiments" / "export.py")
    flags = ("--model=sagan_digits_16", f"--output={output}")
    with subprocess.Popen([sys.executable, program, *flags], env=ENVIRONMENT) as process:
        time.sleep(delay)
        was_there = output.exists() and any(output.glob("[0-9]*"))
        process.send_signal(signal.SIGTERM)
        code = process.wait(60)
    # What is written aside first, and renamed, may be there as a whole.
    assert was_there or code in (1, -signal.SIGTERM)
    assert [path.name for path in tmp_path.rglob("*") if path.name.startswith(ASIDE)] == []
