"""Who may import TensorFlow and Keras. Who may import whom is in build_file_test.py."""

import ast
import importlib.util
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
ANY_BACKEND = ("layers", "losses", "models", "visualization")
TENSORFLOW = {"tensorflow", "tensorflow_datasets", "tensorflow_hub"}
# The steps of each backend, which `SAGAN.train_step` imports when it is called.
STEPS = ("sagan_tf.models.tensorflow_step", "sagan_tf.models.jax_step")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def imported(path):
    """Pairs of each module that a file imports, and whether that happens inside a function."""
    tree = ast.parse(path.read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    inside = {id(node) for function in functions for node in ast.walk(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module, id(node) in inside


def test_only_files_of_tensorflow_and_jax_import_them():
    package = ROOT / "sagan_tf"
    files = {file for name in ANY_BACKEND for file in (package / name).rglob("*.py")}
    for file in {*files, *package.glob("*.py"), *(package / "training").rglob("*.py")}:
        for module, inside in imported(file):
            top = module.split(".")[0]
            assert top != "jax" or file.stem in ("jax", "jax_step"), file
            assert top not in TENSORFLOW or file.stem in ("tensorflow", "tensorflow_step"), file
            assert module not in STEPS or inside or "engine" in file.parts, file


def test_settings_and_names_are_checked_without_keras():
    program = """
import sys
import sagan_tf
from sagan_tf.config import Config, ModelConfig
from sagan_tf.evaluation.protocol import Protocol
from sagan_tf.models.model_folder import find_model, read_config
from sagan_tf.models.presets import PRESETS
read_config(find_model("sagan_digits_16"))
Protocol(metrics=("fid",))
assert not {"keras", "tensorflow", "sklearn"} & {name.split(".")[0] for name in sys.modules}
assert sagan_tf.SAGAN.__name__ == "SAGAN"
assert {"SAGAN", "data", "r1_penalty"} <= set(dir(sagan_tf))
"""
    subprocess.run([sys.executable, "-c", program], env=ENVIRONMENT, check=True)


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="needs the JAX backend")
def test_layers_and_models_work_without_tensorflow():
    program = """
import sys
sys.modules["tensorflow"] = None  # Importing it raises ImportError.
import sagan_tf, sagan_tf.layers, sagan_tf.losses, sagan_tf.models
import numpy as np
generator = sagan_tf.Generator(image_size=16, num_classes=None, base_channels=2, latent_dim=4)
labels = np.zeros(1, "int32")
images = generator((np.ones((1, 4), "float32"), labels), training=True)
logits = sagan_tf.Discriminator(image_size=16, num_classes=None, base_channels=2)((images, labels))
assert logits.shape == (1, 1)
assert not any(name.startswith("tensorflow.") for name in sys.modules)
"""
    environment = {**ENVIRONMENT, "KERAS_BACKEND": "jax"}
    result = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
