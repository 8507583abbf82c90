"""What a server runs, and what it reads: the files in deploy/."""

import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

LATENTS = np.random.default_rng(0).standard_normal((2, 8)).tolist()
DEPLOY = pathlib.Path(__file__).parents[2] / "deploy"


@pytest.mark.soak
@pytest.mark.parametrize("signature", ["serving_default", "generate_png"])
def test_saved_model_cli_runs_a_signature(path, tmp_path, signature):
    inputs = {"labels": [0, 1], "seeds": [4, 5], "truncation": [1.0, 0.5]}
    if not signature.startswith("generate"):
        inputs = {"latents": LATENTS, "labels": [0, 1]}
    printed = subprocess.run(
        [
            *(sys.executable, "-m", "tensorflow.python.tools.saved_model_cli", "run"),
            *("--dir", str(path), "--tag_set", "serve", "--signature_def", signature),
            *("--input_exprs", ";".join(f"{key}={value}" for key, value in inputs.items())),
            *("--outdir", str(tmp_path)),
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    ).stdout
    served = tf.saved_model.load(str(path))
    function = served.signatures[signature]
    _, specs = function.structured_input_signature
    arrays = {key: tf.constant(value, specs[key].dtype) for key, value in inputs.items()}
    for key, value in function(**arrays).items():
        if value.dtype == tf.string:
            assert printed.count(r"\x89PNG") == len(value)
        else:
            np.testing.assert_allclose(np.load(tmp_path / f"{key}.npy"), value, atol=1e-5)


def test_the_composed_server_reads_the_files_that_are_there():
    compose = (DEPLOY / "compose.yaml").read_text()
    mounted = re.findall(r"- \./(\S+):(\S+):ro", compose)
    assert {name for name, _ in mounted} == {"models.config", "batching.config"}
    for name, target in mounted:
        assert (DEPLOY / name).is_file()
        assert f"={target}" in compose
    # Only this machine reaches it.
    assert re.findall(r"- (\S+):850[01]:850[01]", compose) == ["127.0.0.1", "127.0.0.1"]

    config = model_server_config_pb2.ModelServerConfig()
    text_format.Parse((DEPLOY / "models.config").read_text(), config)
    (model,) = config.model_config_list.config
    assert (model.name, model.base_path) == ("digits", "/models/digits")
    assert model.model_version_policy.latest.num_versions == 2

    batching = (DEPLOY / "batching.config").read_text()
    (maximum,) = re.findall(r"max_batch_size \{ value: (\d+) \}", batching)
    allowed = [int(size) for size in re.findall(r"allowed_batch_sizes: (\d+)", batching)]
    assert allowed == sorted(allowed) and allowed[-1] == int(maximum)
