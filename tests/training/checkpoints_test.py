"""What is saved comes back, and what is kept. Damage is in checkpoints_damage_test.py."""

import json
import os
import re

import numpy as np
import pytest

from sagan_tf.training import Checkpoints
from tests.training.scrambled import MANIFEST, save, scramble, steps_in, truncate
from tests.training.small import assert_same, make, variables


def running(sagan):
    return {
        metric.name: [float(variable) for variable in metric.variables] for metric in sagan.metrics
    }


def test_a_round_trip_changes_no_bit(saved, restored, tmp_path):
    directory = tmp_path / "run" / "checkpoints"
    checkpoints = Checkpoints(directory, saved)
    expected = save(checkpoints, 7, {"fake_logits": 0.5})
    expected_running = running(saved)
    assert checkpoints.last == directory / "step_0000007"
    assert checkpoints.paths == [checkpoints.last]
    assert json.loads((checkpoints.last / MANIFEST).read_text())["metrics"] == {"fake_logits": 0.5}

    scramble(restored, 3)
    other = Checkpoints(directory, restored)
    assert other.restore() == other.last == checkpoints.last
    assert restored.step == 7
    assert_same(variables(restored), expected)
    assert running(restored) == expected_running
    # The order of the weights in a network is the same in any process; the values are not.
    for name, value in expected.items():
        assert np.unique(value).size > 1 or value.size == 1, name


def test_there_is_none_yet(restored, tmp_path):
    checkpoints = Checkpoints(tmp_path / "none", restored, monitor="fake_logits")
    assert checkpoints.restore() is None
    assert checkpoints.paths == []
    assert checkpoints.best is None
    assert checkpoints.last_good() == "There is no checkpoint"
    assert not (tmp_path / "none").exists()


def test_steps_are_ordered_as_numbers(saved, restored, tmp_path):
    checkpoints = Checkpoints(tmp_path, saved)
    for step in (9_999_999, 10_000_000):
        save(checkpoints, step)
    assert Checkpoints(tmp_path, restored).restore().name == "step_10000000"
    assert restored.step == 10_000_000


@pytest.mark.parametrize(
    ("mode", "kept"),
    [
        ("min", [[1], [1, 2], [2, 3], [2, 3, 4], [4, 5], [5, 6]]),
        ("max", [[1], [1, 2], [2, 3], [3, 4], [3, 4, 5], [3, 5, 6]]),
    ],
)
def test_the_newest_and_the_best_are_kept(saved, tmp_path, mode, kept):
    checkpoints = Checkpoints(tmp_path, saved, keep=2, monitor="fake_logits", mode=mode)
    values = [2.0, 1.0, 7.0, 3.0, -4.0, 5.0]
    best = min if mode == "min" else max
    for step, expected in enumerate(kept, start=1):
        save(checkpoints, step, {"fake_logits": values[step - 1], "real_logits": -step})
        assert steps_in(tmp_path) == expected
        number = values.index(best(values[:step])) + 1
        assert checkpoints.best == tmp_path / f"step_{number:07d}"


def test_without_a_monitor_only_the_newest_are_kept(saved, tmp_path):
    checkpoints = Checkpoints(tmp_path, saved, keep=1)
    for step in (5, 10, 15):
        save(checkpoints, step, {"fake_logits": step})
        assert checkpoints.best is None
        assert steps_in(tmp_path) == [step]


def test_checkpoints_without_the_monitored_metric_are_not_the_best(saved, tmp_path):
    checkpoints = Checkpoints(tmp_path, saved, keep=1, monitor="fake_logits")
    save(checkpoints, 1)
    save(checkpoints, 2, {"fake_logits": 3.0})
    save(checkpoints, 3)
    assert steps_in(tmp_path) == [2, 3]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"base_channels": 8},
            r" is of another architecture: generator\w*/linear/u has the shape \(1, 256\) there, "
            r"\(1, 512\) here",
        ),
        (
            {"optimizer": "sgd"},
            " is of another architecture or optimizer: its generator_optimizer has 64 variables, "
            "this one 2",
        ),
        ({"seed": 1}, " is of seed 0, not 1"),
    ],
)
def test_checkpoints_of_another_model(saved, tmp_path, options, message):
    save(Checkpoints(tmp_path, saved), 4)
    other = make(**{"optimizer": "adam", **options})
    before = variables(other)
    with pytest.raises(ValueError, match=".") as info:
        Checkpoints(tmp_path, other).restore()
    assert re.fullmatch(f"{tmp_path / 'step_0000004'}{message}", str(info.value))
    assert_same(variables(other), before)


def test_reading_does_not_disturb_who_writes(saved, restored, tmp_path, monkeypatch):
    checkpoints = Checkpoints(tmp_path, saved)
    save(checkpoints, 1)
    flush, read = os.fsync, []

    def fsync(descriptor):
        # As a second process would, at any time.
        read.append(Checkpoints(tmp_path, restored).restore().name)
        flush(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        expected = save(checkpoints, 2)
    # Three files, their folder, and the folder of all after the renaming.
    assert read == ["step_0000001"] * 4 + ["step_0000002"]
    assert_same(variables(restored), expected)
    assert steps_in(tmp_path) == [1, 2]


def test_a_given_checkpoint(saved, restored, tmp_path):
    checkpoints = Checkpoints(tmp_path, saved)
    expected = save(checkpoints, 1)
    save(checkpoints, 2)
    other = Checkpoints(tmp_path, restored)
    assert other.restore(str(tmp_path / "step_0000001")) == other.last == tmp_path / "step_0000001"
    assert_same(variables(restored), expected)
    truncate(tmp_path / "step_0000002")
    for step in (2, 3):
        with pytest.raises(ValueError, match=f"^{tmp_path}/step_000000{step}: "):
            other.restore(tmp_path / f"step_000000{step}")
    assert_same(variables(restored), expected)


def test_saving_a_step_again_replaces_it(saved, restored, tmp_path):
    checkpoints = Checkpoints(tmp_path, saved)
    save(checkpoints, 4, {"fake_logits": 1.0})
    for gate in saved.gates.values():
        gate.assign(0.25)
    checkpoints.save({"fake_logits": 2.0})
    assert steps_in(tmp_path) == [4]
    assert json.loads((checkpoints.last / MANIFEST).read_text())["metrics"] == {"fake_logits": 2.0}
    Checkpoints(tmp_path, restored).restore()
    assert [float(gate) for gate in restored.gates.values()] == [0.25, 0.25]


def test_arguments_out_of_range(saved, tmp_path):
    with pytest.raises(ValueError, match="^`keep` must be at least 1. Received: 0$"):
        Checkpoints(tmp_path, saved, keep=0)
    with pytest.raises(ValueError, match="^`mode` must be min or max. Received: best$"):
        Checkpoints(tmp_path, saved, mode="best")
    with pytest.raises(
        ValueError, match=r"is a pattern to TensorFlow: .*a \[1\]. Rename the folder"
    ):
        Checkpoints(tmp_path / "a [1]", saved)


def test_what_is_no_checkpoint_is_left_alone(saved, tmp_path):
    (tmp_path / "step_0000001.bak").mkdir()
    checkpoints = Checkpoints(tmp_path, saved, keep=1)
    for step in (2, 3):
        save(checkpoints, step)
    assert [path.name for path in checkpoints.paths] == ["step_0000003"]
    assert (tmp_path / "step_0000001.bak").exists()
