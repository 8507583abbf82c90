"""Damaged checkpoints, broken weights, full disks and killed processes."""

import errno
import os
import resource

import keras
import numpy as np
import pytest

from sagan_tf.training import Checkpoints
from tests.training.scrambled import DATA, INDEX, MANIFEST, save, scramble, steps_in, truncate
from tests.training.small import assert_same, variables


def contents(directory):
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


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
