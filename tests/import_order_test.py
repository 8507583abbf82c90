"""Who may import whom, and who may import TensorFlow."""

import ast
import importlib.util
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[1]
# Each may import those after it.
ORDER = (
    "export",
    "evaluation",
    "training",
    "visualization",
    "interop",
    "data",
    "models",
    "layers",
    "losses",
    "images",
    "files",
    "config",
)
TENSORFLOW_ANYWHERE = {"export", "evaluation", "training", "data"}
TENSORFLOW_IN_FUNCTIONS = {"visualization", "interop", "models"}
TENSORFLOW = {"tensorflow", "tensorflow_datasets", "tensorflow_hub", "tensorboard"}
# The body of `SAGAN.train_step`, which imports it when called.
TRAIN_STEP = "sagan_tf.models.update"
TRAIN_STEP_FILE = "sagan_tf/models/update.py"
FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "sagan_tf").rglob("*.py")
    if path != ROOT / "sagan_tf" / "__init__.py"
)


def _imported_modules(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        # `from sagan_tf import layers` imports a package, `from x.y import z` names x.y.
        return [f"{module}.{a.name}" for a in node.names] if module == "sagan_tf" else [module]
    return []


def _violations(file, source):
    """Why the module `file` of the package may not import what it does."""
    package = pathlib.PurePath(file).with_suffix("").parts[1]
    tree = ast.parse(source)
    inner = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
    }
    found = []
    for node in ast.walk(tree):
        for module in _imported_modules(node):
            top, *rest = module.split(".")
            if top in ("", "experiments", "tests") or (top == "sagan_tf" and not rest):
                found.append(f"imports {module or 'relatively'}")
            elif top == "sagan_tf" and ORDER.index(rest[0]) < ORDER.index(package):
                found.append(f"{package} is below {rest[0]}")
            elif top in TENSORFLOW or module == TRAIN_STEP:
                anywhere = package in TENSORFLOW_ANYWHERE or file == TRAIN_STEP_FILE
                in_functions = package in TENSORFLOW_IN_FUNCTIONS
                if not anywhere and not (in_functions and id(node) in inner):
                    found.append(f"{package} imports {module}")
    return found


@pytest.mark.parametrize("file", FILES)
def test_imports(file):
    assert not _violations(file, (ROOT / file).read_text())


@pytest.mark.parametrize(
    ("package", "source", "count"),
    [
        ("models", "from sagan_tf.layers import SelfAttention\nimport keras", 0),
        ("models", "def step():\n    import tensorflow as tf", 0),
        ("data", "import tensorflow_datasets as tfds", 0),
        ("training", "from sagan_tf import losses, models", 0),
        ("models", "import tensorflow as tf", 1),
        ("layers", "def call():\n    import tensorflow", 1),
        ("visualization", "class A:\n    from tensorflow import io", 1),
        ("layers", "from sagan_tf.models import Generator", 1),
        ("models", f"from {TRAIN_STEP} import train_step", 1),
        ("models", f"def f():\n    from {TRAIN_STEP} import train_step", 0),
        ("losses", "def f():\n    import sagan_tf.layers.self_attention", 1),
        ("data", "from sagan_tf import config, training", 1),
        ("export", "import sagan_tf", 1),
        ("models", "from .generator import Generator", 1),
        ("training", "from experiments import train", 1),
    ],
)
def test_violations_are_found(package, source, count):
    assert len(_violations(f"sagan_tf/{package}/file.py", source)) == count


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
    environment = {
        **os.environ,
        "KERAS_BACKEND": "jax",
        "PYTHONPATH": str(ROOT),
        "XLA_FLAGS": "--xla_backend_optimization_level=0",  # Compiles faster.
    }
    result = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
