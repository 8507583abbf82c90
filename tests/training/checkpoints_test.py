"""What is saved comes back, what is kept, and what damage, full disks and kills cost."""

import errno
import json
import os
import resource

import keras
import numpy as np
import pytest

from sagan_tf.models.model_folder import CONFIG_FILE, WEIGHTS_FILE
from sagan_tf.training import Checkpoints
from tests.tiny import assert_same, compiled, contents, tiny, variables


def scramble(sagan, step):
    """Gives all that training changes values that only this step has: to train takes longer."""
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


def save(checkpoints, step, metrics=None):
    scramble(checkpoints.sagan, step)
    checkpoints.save(metrics)
    return variables(checkpoints.sagan)


def running(sagan):
    return {
        metric.name: [float(variable) for variable in metric.variables] for metric in sagan.metrics
    }


def metrics_of(path):
    return json.loads((path / CONFIG_FILE).read_text())["metrics"]


def steps_in(directory):
    """The steps of the checkpoints in a folder, which must hold nothing else."""
    names = sorted(path.name for path in directory.iterdir())
    assert all(name.startswith("step_") for name in names), names
    return [int(name.removeprefix("step_")) for name in names]


def truncate(path):
    with (path / WEIGHTS_FILE).open("r+b") as file:
        file.truncate(1000)


def flip_a_byte(path):
    content = bytearray((path / WEIGHTS_FILE).read_bytes())
    content[len(content) // 2] ^= 1
    (path / WEIGHTS_FILE).write_bytes(content)


DAMAGES = {
    "truncated weights": (truncate, f"{WEIGHTS_FILE} is not as it was written"),
    "flipped byte": (flip_a_byte, f"{WEIGHTS_FILE} is not as it was written"),
    "no weights": (lambda path: (path / WEIGHTS_FILE).unlink(), "No such file or directory"),
    "no config": (lambda path: (path / CONFIG_FILE).unlink(), "No such file or directory"),
    "empty config": (lambda path: (path / CONFIG_FILE).write_text(""), "Expecting value: line 1"),
    "no JSON": (lambda path: (path / CONFIG_FILE).write_bytes(b"\xff\0"), "can't decode byte 0xff"),
}


def test_a_round_trip_changes_no_bit(saved, restored, tmp_path):
    directory = tmp_path / "a [1]" / "checkpoints"
    checkpoints = Checkpoints(directory, saved)
    expected = save(checkpoints, 7, {"fake_logits": 0.5})
    expected_running = running(saved)
    assert checkpoints.last == directory / "step_0000007"
    assert checkpoints.paths == [checkpoints.last]
    assert metrics_of(checkpoints.last) == {"fake_logits": 0.5}

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
    ("monitor", "mode", "kept", "best"),
    [
        ("fake_logits", "min", [[1], [1, 2], [2, 3], [2, 3, 4], [4, 5], [5, 6]], [1, 2, 2, 2, 5]),
        ("fake_logits", "max", [[1], [1, 2], [2, 3], [3, 4], [3, 4, 5], [3, 5, 6]], [1, 1, 3, 3]),
        # It is not among the metrics of these checkpoints.
        ("fid", "min", [[1], [1, 2], [2, 3], [3, 4], [4, 5], [5, 6]], [None]),
    ],
)
def test_the_newest_and_the_best_are_kept(saved, tmp_path, monitor, mode, kept, best):
    checkpoints = Checkpoints(tmp_path, saved, keep=2, monitor=monitor, mode=mode)
    values = [2.0, 1.0, 7.0, 3.0, -4.0, 5.0]
    best += best[-1:] * (len(values) - len(best))
    for step, value in enumerate(values, start=1):
        save(checkpoints, step, {"fake_logits": value, "real_logits": -step})
        assert steps_in(tmp_path) == kept[step - 1]
        number = best[step - 1]
        assert checkpoints.best == (number and tmp_path / f"step_{number:07d}")


def test_checkpoints_of_another_model_are_refused_before_anything_changes(saved, tmp_path):
    save(Checkpoints(tmp_path, saved), 4)
    path = tmp_path / "step_0000004"
    tiny().save_preset(tmp_path / "preset")
    for other, found, message in (
        (compiled("adam", base_channels=8), path, "of another model: base_channels=4 there, 8 her"),
        (compiled("sgd"), path, r"of another optimizer: its generator_optimizer has \d\d+ variabl"),
        (compiled("adam", seed=1), path, "of seed 0, not 1"),
        (compiled("adam"), tmp_path / "preset", "no checkpoint: it has no optimizers"),
    ):
        before = variables(other)
        with pytest.raises(ValueError, match=f"^{found} is {message}"):
            Checkpoints(tmp_path, other).restore(None if found is path else found)
        assert_same(variables(other), before)


def test_a_given_checkpoint(saved, restored, tmp_path):
    checkpoints = Checkpoints(tmp_path, saved)
    expected = save(checkpoints, 1)
    save(checkpoints, 2)
    other = Checkpoints(tmp_path, restored)
    assert other.restore(str(tmp_path / "step_0000001")) == other.last == tmp_path / "step_0000001"
    assert_same(variables(restored), expected)
    truncate(tmp_path / "step_0000002")
    for step in (2, 3):
        with pytest.raises(ValueError, match=f"^{tmp_path}/step_000000{step}/"):
            other.restore(tmp_path / f"step_000000{step}")
    assert_same(variables(restored), expected)


def test_what_is_no_checkpoint_is_left_alone_but_for_what_a_kill_left(saved, tmp_path):
    (tmp_path / "step_0000001.bak").mkdir()
    (tmp_path / ".aside-abc" / "step_0000001").mkdir(parents=True)
    (tmp_path / ".aside-abc" / "step_0000001" / WEIGHTS_FILE).write_bytes(b"half")
    checkpoints = Checkpoints(tmp_path, saved, keep=1)
    assert checkpoints.restore() is None
    for step in (2, 3):
        save(checkpoints, step)
    assert [path.name for path in checkpoints.paths] == ["step_0000003"]
    assert {path.name for path in tmp_path.iterdir()} == {"step_0000001.bak", "step_0000003"}


def test_arguments_out_of_range(saved, tmp_path):
    with pytest.raises(ValueError, match="^`keep` must be at least 1. Received: 0$"):
        Checkpoints(tmp_path, saved, keep=0)
    with pytest.raises(ValueError, match="^Unknown mode: best. Valid: max, min$"):
        Checkpoints(tmp_path, saved, mode="best")


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
    assert warning.startswith(f"Skipping a damaged checkpoint: {tmp_path / 'step_0000002'}/")
    assert message in warning
    assert len(warning.splitlines()) == 1
    # It does not count among the newest two, nor as the best.
    assert again.best == tmp_path / "step_0000001"
    save(again, 3, {"fake_logits": 3.0})
    assert steps_in(tmp_path) == [1, 3]


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


def test_a_damaged_checkpoint_is_written_anew(saved, restored, tmp_path):
    checkpoints = Checkpoints(tmp_path, saved)
    save(checkpoints, 1)
    expected = save(checkpoints, 2, {"fake_logits": 1.0})
    truncate(tmp_path / "step_0000002")
    again = Checkpoints(tmp_path, restored)
    again.restore()
    save(again, 2, {"fake_logits": 2.0})
    assert steps_in(tmp_path) == [1, 2]
    assert metrics_of(again.last) == {"fake_logits": 2.0}
    scramble(saved, 5)
    assert checkpoints.restore() == tmp_path / "step_0000002"
    assert_same(variables(saved), expected)


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


# The first file is flushed, a later one, and the folder of all after the renaming of another step.
@pytest.mark.parametrize(("step", "call"), [(2, 0), (2, 3), (3, 2)])
def test_a_full_disk_leaves_the_older_checkpoints(saved, tmp_path, monkeypatch, step, call):
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
        f"Cannot write checkpoint {tmp_path / f'step_{step:07d}'}: No space left on device. "
        f"The last good checkpoint is {tmp_path / 'step_0000002'}"
    )
    assert contents(tmp_path) == before
    save(checkpoints, 3)
    assert steps_in(tmp_path) == [3]


@pytest.mark.parametrize("limit", [5_000, 100_000])
def test_what_the_system_does_not_write(saved, tmp_path, limit):
    checkpoints = Checkpoints(tmp_path, saved)
    save(checkpoints, 1)
    before = contents(tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Python ignores the signal that comes with it.
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limits[1]))
    try:
        with pytest.raises(OSError, match=".") as info:
            save(checkpoints, 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert str(info.value) == (
        f"Cannot write checkpoint {tmp_path / 'step_0000002'}: File too large. "
        f"The last good checkpoint is {tmp_path / 'step_0000001'}"
    )
    assert contents(tmp_path) == before
    assert steps_in(tmp_path) == [1]
    save(checkpoints, 2)
    assert steps_in(tmp_path) == [1, 2]


def test_a_folder_that_cannot_be(saved, tmp_path):
    (tmp_path / "file").write_text("")
    checkpoints = Checkpoints(tmp_path / "file" / "checkpoints", saved)
    with pytest.raises(OSError, match="Not a directory") as info:
        save(checkpoints, 1)
    assert str(info.value).endswith(". There is no checkpoint")


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
    # The last one is that of the folder of all, after the renaming.
    assert len(read) > 3
    assert read == ["step_0000001"] * (len(read) - 1) + ["step_0000002"]
    assert_same(variables(restored), expected)
    assert steps_in(tmp_path) == [1, 2]


def test_the_first_of_equally_good_checkpoints_is_the_best(saved, tmp_path):
    checkpoints = Checkpoints(tmp_path, saved, keep=9, monitor="recall")
    for step in range(1, 7):
        save(checkpoints, step, {"recall": float(step > 1)})
    assert checkpoints.best == tmp_path / "step_0000002"
