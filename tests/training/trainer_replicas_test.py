"""N replicas compute what one computes with the whole batch."""

import functools

import numpy as np
import pytest

from sagan_tf.config import RunOptions
from sagan_tf.models import update
from sagan_tf.training import Checkpoints, Recorder, Trainer, make_strategy
from tests.tiny import BATCH, assert_same, batches, compiled, variables
from tests.two_replicas import two_replicas
from tests.two_workers import two_workers

pytestmark = pytest.mark.slow

STEPS = 5
PENALIZED, SLICED = "penalized", "accumulated, clipped, two discriminator steps"
# SGD shows a missing scale of the gradients, which Adam hides.
CASES = {
    PENALIZED: {"optimizer": "sgd", "penalty": "gradient_penalty"},
    SLICED: {
        "optimizer": "sgd",
        "discriminator_steps": 2,
        "accumulation_steps": 2,
        "global_clipnorm": 0.5,
        "augmentation": ("color", "translation", "cutout"),
    },
}


def train(strategy, options, scale=True):
    """What a model is after some steps."""
    if not scale:
        update._scale_for_sum = lambda gradients, replicas: gradients
    with strategy.scope():
        sagan = compiled(**options)
    Trainer(sagan, strategy, steps_per_loop=2).fit(
        batches(options.get("discriminator_steps", 1)), STEPS
    )
    assert_equal_replicas(sagan, strategy)
    return variables(sagan), {m.name: float(m.result()) for m in sagan.metrics}


def assert_equal_replicas(sagan, strategy):
    for weight in sagan.weights:
        values = [np.array(value) for value in strategy.experimental_local_results(weight.value)]
        for value in values:
            np.testing.assert_array_equal(value, values[0], err_msg=f"{weight.path} on replicas")


def go_on(strategy, directory):
    """What a model is that goes on from a checkpoint, and is recalibrated at its end."""
    with strategy.scope():
        first = compiled("adam")
        checkpoints = Checkpoints(directory / "checkpoints", first)
    options = RunOptions(checkpoint_every=2, log_every=2)
    Trainer(first, strategy).fit(batches(), 4, [Recorder(directory, BATCH, options, checkpoints)])
    with strategy.scope():
        second = compiled("adam")
        Checkpoints(directory / "checkpoints", second).restore(checkpoints.paths[0])
        assert second.step == 2
    Trainer(second, strategy).fit(batches(start=2), 4)
    with strategy.scope():
        second.recalibrate()
    assert_equal_replicas(second, strategy)
    assert_same(variables(second), variables(first), atol=1e-6)
    return variables(second)


def train_mirrored(strategy, options, scale):
    assert type(strategy) is type(make_strategy("mirrored"))
    return train(strategy, options, scale)


@pytest.fixture(scope="module")
def expected():
    return functools.cache(lambda case: train(make_strategy("none"), CASES[case]))


def assert_equal(found, expected):
    assert_same(found[0], expected[0], atol=1e-5)
    variance = {"real_variance", "fake_variance"}  # Those of a replica's images.
    for name, value in expected[1].items():
        if name not in variance:
            assert found[1][name] == pytest.approx(value, abs=1e-4), name


# TensorFlow mixes up the collective operations of two models in one process.
@pytest.mark.parametrize("case", CASES)
def test_mirrored_equals_one_replica(expected, case):
    with two_replicas() as run:
        assert_equal(run(train_mirrored, CASES[case], True), expected(case))


def test_a_missing_scale_of_the_gradients_would_show(expected):
    with two_replicas() as run, pytest.raises(AssertionError):
        assert_equal(run(train_mirrored, CASES[PENALIZED], False), expected(PENALIZED))


@pytest.mark.parametrize("case", [SLICED, pytest.param(PENALIZED, marks=pytest.mark.soak)])
def test_two_workers_equal_one_replica(expected, case):
    for found in two_workers(train, CASES[case]):
        assert_equal(found, expected(case))


# Adam makes whole steps of what is rounding: the gradient of a bias before batch norm is zero.
@pytest.mark.soak
def test_replicas_save_go_on_and_recalibrate_as_one(tmp_path):
    for name in ("one", "mirrored", "workers"):
        (tmp_path / name).mkdir()
    expected = go_on(make_strategy("none"), tmp_path / "one")
    with two_replicas() as run:
        found = run(go_on, tmp_path / "mirrored")
    assert_same(found, expected, atol=1e-3)
    first, second = two_workers(go_on, tmp_path / "workers")
    assert_same(second, first)
    assert_same(first, expected, atol=1e-3)
    assert (tmp_path / "workers" / "checkpoints" / "step_0000004").is_dir()
