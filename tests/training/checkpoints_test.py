"""Checkpoints, on models whose variables are scrambled: training would only take longer."""

import errno
import json
import os
import re
import resource

import keras
import numpy as np
import pytest

from sagan_tf.training import Checkpoints
from tests.training.small import assert_same, make, variables

DATA, INDEX, MANIFEST = "state.data-00000-of-00001", "state.index", "manifest.json"


@pytest.fixture(scope="module")
def saved():
    return make("adam")


@pytest.fixture(scope="module")
def restored():
    return make("adam")


def scramble(sagan, step):
    """Gives all that training changes values that only this step has."""
    random = np.random.default_rng(step)
    for optimizer in (sagan.generator_optimizer, sagan.discriminator_optimizer):
        for variable in optimizer.variables:
            variable.assign(random.uniform(0, 1, variable.shape).astype(variable.dtype))
        optimizer.iterations.assign(step)
    for network in (sagan.generator, sagan.discriminator, sagan.ema_generator):
        network.set_weights([random.normal(size=weight.shape) for weight in network.weights])
    for metric in sagan.metrics:
        metric.reset_state()
        metric.update_state(random.normal(size=3))


def running(sagan):
    return {
        metric.name: [float(variable) for variable in metric.variables] for metric in sagan.metrics
    }


def save(checkpoints, step, metrics=None):
    scramble(checkpoints.sagan, step)
    checkpoints.save(metrics)
    return variables(checkpoints.sagan)


def steps_in(directory):
    """The steps of the checkpoints in a folder, which must hold nothing else."""
    names = sorted(path.name for path in directory.iterdir())
    assert all(name.startswith("step_") for name in names), names
    return [int(name.removeprefix("step_")) for name in names]


def contents(directory):
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


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


def truncate(path):
    with (path / DATA).open("r+b") as file:
        file.truncate(1000)


def flip_a_byte(path):
    content = bytearray((path / DATA).read_bytes())
    content[len(content) // 2] ^= 1
    (path / DATA).write_bytes(content)


DAMAGES = {
    "truncated data": (truncate, f"{DATA} is not as it was written"),
    "flipped byte": (flip_a_byte, f"{DATA} is not as it was written"),
    "no manifest": (lambda path: (path / MANIFEST).unlink(), "No such file or directory"),
    "empty manifest": (lambda path: (path / MANIFEST).write_text(""), "Expecting value: line 1"),
    "no JSON": (lambda path: (path / MANIFEST).write_bytes(b"\xff\0"), "can't decode byte 0xff"),
    "no data": (lambda path: (path / DATA).unlink(), "No such file or directory"),
    "no index": (lambda path: (path / INDEX).unlink(), "No such file or directory"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_skipped_and_removed(saved, restored, tmp_path, caplog, damage):
    do, message = DAMAGES[damage]
    checkpoints = Checkpoints(tmp_path, saved, keep=2, monitor="fake_logits")
    expected = save(checkpoints, 1, {"fake_logits": 2.0})
    save(checkpoints, 2, {"fake_logits": 1.0})
    do(tmp_path / "step_0000002")

    again = Checkpoints(tmp_path, restored, keep=2, monitor="fake_logits")
    assert again.restore() == tmp_path / "step_0000001"
    assert_same(variables(restored), expected)
    (warning,) = (record.getMessage() for record in caplog.records)
    assert warning.startswith(f"Skipping a damaged checkpoint: {tmp_path / 'step_0000002'}: ")
    assert message in warning
    assert len(warning.splitlines()) == 1
    # It does not count among the newest two, nor as the best.
    assert again.best == tmp_path / "step_0000001"
    save(again, 3, {"fake_logits": 3.0})
    assert steps_in(tmp_path) == [1, 3]


def test_a_damaged_checkpoint_is_written_anew(saved, restored, tmp_path):
    checkpoints = Checkpoints(tmp_path, saved)
    save(checkpoints, 1)
    expected = save(checkpoints, 2)
    truncate(tmp_path / "step_0000002")
    again = Checkpoints(tmp_path, restored)
    again.restore()
    save(again, 2)
    assert steps_in(tmp_path) == [1, 2]
    scramble(saved, 5)
    assert checkpoints.restore() == tmp_path / "step_0000002"
    assert_same(variables(saved), expected)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_to_an_older_checkpoint_does_no_harm(saved, restored, tmp_path, damage):
    checkpoints = Checkpoints(tmp_path, saved, keep=2, monitor="fake_logits")
    for step in (1, 2, 3):
        save(checkpoints, step, {"fake_logits": step})
    DAMAGES[damage][0](tmp_path / "step_0000002")
    again = Checkpoints(tmp_path, restored, keep=2, monitor="fake_logits")
    assert again.restore() == tmp_path / "step_0000003"
    save(again, 4, {"fake_logits": 4})
    assert again.last == tmp_path / "step_0000004"
    assert set(steps_in(tmp_path)) - {2} == {1, 3, 4}


def test_all_are_damaged(saved, restored, tmp_path):
    checkpoints = Checkpoints(tmp_path, saved)
    for step in (1, 2):
        save(checkpoints, step)
        truncate(tmp_path / f"step_{step:07d}")
    before = variables(restored)
    with pytest.raises(ValueError, match=".") as info:
        Checkpoints(tmp_path, restored).restore()
    assert str(info.value) == (
        f"All checkpoints in {tmp_path} are damaged: remove them to start anew"
    )
    assert_same(variables(restored), before)
    assert steps_in(tmp_path) == [1, 2]


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


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("network", ["generator", "discriminator", "ema_generator"])
def test_a_broken_weight_is_never_saved(saved, tmp_path, network, value):
    checkpoints = Checkpoints(tmp_path, saved)
    save(checkpoints, 1)
    before = contents(tmp_path)
    scramble(saved, 2)
    weight = getattr(saved, network).weights[-1]
    broken = keras.ops.convert_to_numpy(weight).copy()
    broken.flat[-1] = value
    weight.assign(broken)
    with pytest.raises(FloatingPointError) as info:
        checkpoints.save()
    assert str(info.value) == (
        f"{weight.path} is not finite at step 2. "
        f"The last good checkpoint is {tmp_path / 'step_0000001'}"
    )
    assert contents(tmp_path) == before


# Each of the three files is flushed, then their folder.
@pytest.mark.parametrize("call", [0, 2, 3])
@pytest.mark.parametrize("step", [2, 3])
def test_a_full_disk_leaves_the_older_checkpoints(saved, tmp_path, monkeypatch, call, step):
    checkpoints = Checkpoints(tmp_path, saved, keep=1)
    save(checkpoints, 2)
    before = contents(tmp_path)
    flush, calls = os.fsync, []

    def fsync(descriptor):
        calls.append(descriptor)
        if len(calls) > call:
            raise OSError(errno.ENOSPC, "No space left on device")
        flush(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with pytest.raises(OSError, match=".") as info:
            save(checkpoints, step)
    assert str(info.value) == (
        f"Cannot write checkpoint {tmp_path / f'step_{step:07d}'}: [Errno 28] No space left on "
        f"device. The last good checkpoint is {tmp_path / 'step_0000002'}"
    )
    assert contents(tmp_path) == before
    assert steps_in(tmp_path) == [2]
    save(checkpoints, 3)
    assert steps_in(tmp_path) == [3]


def test_what_tensorflow_cannot_write(saved, tmp_path):
    checkpoints = Checkpoints(tmp_path, saved)
    save(checkpoints, 1)
    before = contents(tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Python ignores the signal that comes with it.
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(OSError, match=".") as info:
            save(checkpoints, 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    message = str(info.value)
    assert message.startswith(f"Cannot write checkpoint {tmp_path / 'step_0000002'}: ")
    assert "File too large" in message
    assert message.endswith(f". The last good checkpoint is {tmp_path / 'step_0000001'}")
    assert ".aside" not in message and "[Op:" not in message
    assert len(message.splitlines()) == 1
    assert contents(tmp_path) == before
    assert steps_in(tmp_path) == [1]


def test_a_folder_that_cannot_be(saved, tmp_path):
    (tmp_path / "file").write_text("")
    checkpoints = Checkpoints(tmp_path / "file" / "checkpoints", saved)
    with pytest.raises(OSError, match="Not a directory") as info:
        save(checkpoints, 1)
    assert str(info.value).endswith(". There is no checkpoint")


def test_what_a_killed_process_left_is_removed_by_the_next_save(saved, tmp_path):
    checkpoints = Checkpoints(tmp_path, saved)
    save(checkpoints, 1)
    (tmp_path / ".aside-abc" / "new").mkdir(parents=True)
    (tmp_path / ".aside-abc" / "new" / DATA).write_bytes(b"half")
    (tmp_path / ".aside-def" / "old").mkdir(parents=True)
    assert checkpoints.restore() == tmp_path / "step_0000001"
    save(checkpoints, 2)
    assert steps_in(tmp_path) == [1, 2]


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
