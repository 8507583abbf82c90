"""What TensorFlow and JAX learn, which is the same."""

import functools
import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

from tests.experiments.explorer.explore_process import free_port
from tests.integration.runs import ROOT, assert_same_end, checkpoints
from tests.integration.train_backend import CASES, STEPS, go_on, train_cases
from tests.tiny import tiny

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="needs JAX"),
]


@pytest.fixture(scope="module")
def on_jax(tmp_path_factory):
    """A function that runs train_backend.py with JAX, on so many devices."""
    cache = tmp_path_factory.mktemp("compiled")
    return functools.partial(_on_jax, cache)


def _on_jax(cache, *arguments, devices=1, hosts=1):
    flags = os.environ["XLA_FLAGS"]
    if devices > 1:
        flags += f" --xla_force_host_platform_device_count={devices}"
    environment = {
        **os.environ,
        "KERAS_BACKEND": "jax",
        "XLA_FLAGS": flags,
        "JAX_COMPILATION_CACHE_DIR": str(cache),
    }
    if hosts > 1:
        environment |= {
            "KERAS_DISTRIBUTION_JOB_ADDRESSES": f"localhost:{free_port()}",
            "KERAS_DISTRIBUTION_NUM_PROCESSES": str(hosts),
            "JAX_CPU_COLLECTIVES_IMPLEMENTATION": "gloo",
        }
    command = [sys.executable, "-m", "tests.integration.train_backend", *map(str, arguments)]
    processes = [
        subprocess.Popen(
            command, env={**environment, "KERAS_DISTRIBUTION_PROCESS_ID": str(host)}, cwd=ROOT
        )
        for host in range(hosts)
    ]
    try:
        assert [process.wait(300) for process in processes] == [0] * hosts
    finally:
        for process in processes:
            process.kill()


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A folder with a model whose gates are open, and batches."""
    folder = tmp_path_factory.mktemp("model")
    sagan = tiny(base_channels=2, discriminator_steps=2, seed=3)
    for gate in sagan.gates.values():
        gate.assign(0.5)
    sagan.save_preset(folder / "model")
    random = np.random.default_rng(0)
    images = random.uniform(-1, 1, (STEPS, 16, 16, 16, 1)).astype("float32")
    labels = random.integers(3, size=(STEPS, 16)).astype("int32")
    np.savez(folder / "batches.npz", images=images, labels=labels)
    return folder


@pytest.fixture(scope="module")
def learned_on_jax(on_jax, model):
    """What JAX learns on one device: arrays of a case, by name."""

    @functools.cache
    def learned(case):
        on_jax("cases", model, case)
        return read(model, case)

    return learned


def read(folder, case):
    with np.load(folder / f"{case}.npz") as arrays:
        return dict(arrays)


def assert_close(ours, theirs, tolerance, zero_gradients=()):
    """Each difference is small beside the largest number of its variable."""
    assert ours.keys() == theirs.keys()
    for name, expected in theirs.items():
        if any(part in name for part in zero_gradients):
            continue
        # Means of logits may be near 0, between logits of about 1.
        least = 1.0 if name.startswith("metric") else 1e-3
        scale = max(np.abs(expected).max(initial=0), least)
        np.testing.assert_allclose(ours[name] / scale, expected / scale, atol=tolerance)


_OTHERS = [pytest.param(case, marks=pytest.mark.soak) for case in CASES if case != "sgd"]


@pytest.mark.parametrize("case", ["sgd", *_OTHERS])
def test_jax_learns_what_tensorflow_learns(learned_on_jax, model, case):
    train_cases(model, case)
    expected = read(model, case)
    # Before a batch norm biases have gradients of 0, and Adam goes where rounding points.
    is_adam = case == "adam"
    assert_close(learned_on_jax(case), expected, *((1e-3, ["bias"]) if is_adam else (1e-5,)))


@pytest.mark.soak
def test_two_devices_learn_what_one_learns(on_jax, learned_on_jax, model):
    expected = learned_on_jax("all")
    on_jax("cases", model, "all", devices=2)
    assert_close(read(model, "all"), expected, 1e-5)


@pytest.mark.soak
def test_two_hosts_learn_what_one_learns(on_jax, learned_on_jax, model):
    expected = learned_on_jax("sgd")
    (model / "sgd.npz").unlink(missing_ok=True)
    on_jax("cases", model, "sgd", hosts=2)
    assert_close(read(model, "sgd"), expected, 1e-5)


@pytest.mark.soak
def test_a_run_goes_from_one_to_the_other_and_back(on_jax, model, tmp_path):
    alone, changing, on_one_jax, stopped = (
        tmp_path / name for name in ("alone", "changing", "on_one_jax", "stopped")
    )
    for folder in (alone, changing, on_one_jax, stopped):
        folder.mkdir()
        for name in ("model", "batches.npz"):
            (folder / name).symlink_to(model / name)
    go_on(alone, 60)
    go_on(changing, 20)
    on_jax("go_on", changing, 40)
    go_on(changing, 60)
    assert_same_end(changing, alone, atol=1e-4)
    # And on JAX alone a run that was stopped ends with the same bits.
    on_jax("go_on", on_one_jax, 20)
    on_jax("go_on", stopped, 7)
    on_jax("go_on", stopped, 20)
    assert len(checkpoints(stopped)) == 2
    assert_same_end(stopped, on_one_jax)
