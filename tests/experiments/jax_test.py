"""The programs on JAX, where TensorFlow cannot be imported."""

import importlib.util
import os
import pathlib
import subprocess
import sys

import pytest

from sagan_tf.files import read_json

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="needs JAX"),
]
ROOT = pathlib.Path(__file__).parents[2]


@pytest.fixture
def run(tmp_path):
    """A function that runs a program of experiments/ and returns its process, which has ended."""
    (tmp_path / "hidden").mkdir()
    hide = 'import sys; sys.modules["tensorflow"] = None\n'
    (tmp_path / "hidden" / "sitecustomize.py").write_text(hide)

    def call(program, *flags):
        environment = {
            **os.environ,
            "KERAS_BACKEND": "jax",
            "PYTHONPATH": os.pathsep.join([str(tmp_path / "hidden"), str(ROOT)]),
            "HOME": str(tmp_path),
        }
        command = [sys.executable, str(ROOT / "experiments" / f"{program}.py"), *map(str, flags)]
        return subprocess.run(command, env=environment, capture_output=True, text=True)

    return call


def test_training_sampling_and_scoring(run, tmp_path):
    directory = tmp_path / "run"
    flags = ("--steps=20", "--batch_size=8", "--base_channels=4", "--latent_dim=8")
    result = run("train", "--preset=sagan_digits_16", f"--model_dir={directory}", *flags)
    assert result.returncode == 0, result.stderr
    assert "Training on one CPU, with JAX" in result.stdout
    assert {path.name for path in directory.glob("*.png")} == {
        "attention.png",
        "curves.png",
        "samples.png",
    }
    assert list((directory / "tensorboard").iterdir())
    result = run("sample", f"--model={directory}", f"--output={tmp_path / 'x.png'}")
    assert result.returncode == 0, result.stderr
    output = tmp_path / "scores.json"
    result = run("evaluate", "--model=sagan_digits_16", "--num_images=600", f"--output={output}")
    assert result.returncode == 0, result.stderr
    scores = read_json(output)["generated"]["scores"]
    # The card has 0.99 and more.
    assert scores["recognized"]["mean"] > 0.98


def test_what_needs_tensorflow_says_so(run, tmp_path):
    result = run("export", "--model=sagan_digits_16", f"--output={tmp_path / 'model'}")
    assert result.returncode == 1
    assert "This needs TensorFlow, which is not there: pip install tensorflow" in result.stderr
    assert "Traceback" not in result.stderr
