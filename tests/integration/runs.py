"""Runs of experiments/train.py in processes of their own, to be interrupted and compared."""

import contextlib
import pathlib
import subprocess
import sys
import time

import h5py
import numpy as np

from sagan_tf.files import read_json_lines
from sagan_tf.models.model_folder import read_config

ROOT = pathlib.Path(__file__).parents[2]
STEPS = 30
FLAGS = (
    f"--steps={STEPS}",
    "--log_every=1",
    "--checkpoint_every=2",
    "--sample_every=1000",
    "--batch_size=8",
    "--discriminator_steps=1",
    "--base_channels=4",
    "--latent_dim=8",
)


def command(directory, *flags):
    return [
        sys.executable,
        str(ROOT / "experiments" / "train.py"),
        f"--model_dir={directory}",
        *FLAGS,
        *flags,
    ]


@contextlib.contextmanager
def started(arguments):
    """The process of a command, with its output as text; killed in the end."""
    with subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def finished(arguments):
    """The output of a command, which must succeed."""
    result = subprocess.run(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


def last_step(directory):
    """The step of the last record, 0 before the first."""
    path = directory / "metrics.jsonl"
    records = read_json_lines(path) if path.exists() else []
    return records[-1]["step"] if records else 0


def wait_for_step(process, directory, step):
    """Waits until the run has recorded a step; it must not end before."""
    while last_step(directory) < step:
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.002)


def checkpoints(directory):
    """The folders of a run's checkpoints, oldest first."""
    return sorted((directory / "checkpoints").glob("step_*"))


def state(checkpoint):
    """Dict of all arrays of a checkpoint, and the sums of its metrics."""
    arrays = {}

    def add(name, node):
        if isinstance(node, h5py.Dataset):
            arrays[name] = node[()]

    with h5py.File(checkpoint / "model.weights.h5") as file:
        file.visititems(add)
    assert len(arrays) > 100
    return arrays | read_config(checkpoint)[1]["running"]


def records(directory):
    """The run's records without their timing."""
    timing = ("seconds", "images_per_second")
    lines = read_json_lines(directory / "metrics.jsonl")
    return [{key: line[key] for key in line if key not in timing} for line in lines]


def assert_same_end(one, other, **tolerance):
    """Compares all that two runs have learnt: bit by bit, or with `atol`."""
    ours, theirs = (state(checkpoints(each)[-1]) for each in (one, other))
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        if tolerance:
            np.testing.assert_allclose(value, theirs[name], err_msg=name, **tolerance)
        else:
            np.testing.assert_array_equal(value, theirs[name], err_msg=name)
