"""Disks that are full at one moment or another, for all that writes: one line, and nothing lost."""

import filecmp
import logging
import pathlib
import shutil
import subprocess

import pytest

from sagan_tf import SAGAN
from sagan_tf.data import find_dataset, load, pipeline
from sagan_tf.evaluation.features.classifier import Classifier
from sagan_tf.files import ASIDE
from tests.experiments.programs import SMALL, error_line, run

pytestmark = pytest.mark.soak
DIGITS = "--model=sagan_digits_16"


def train(directory):
    return "train", f"--model_dir={directory}/run", *SMALL, "--steps=4", "--checkpoint_every=2"


def export(directory):
    return "export", DIGITS, f"--output={directory}/exported"


def lite(directory):
    return "export", DIGITS, "--format=tflite", f"--output={directory}/digits.tflite"


def sample(directory):
    return "sample", DIGITS, f"--output={directory}/samples.png"


@pytest.fixture
def disk(tmp_path):
    """A function that makes an empty disk of so many bytes, in place of the one before."""
    directory = tmp_path / "disk"
    directory.mkdir()

    def unmount():
        subprocess.run(["umount", "--lazy", directory], capture_output=True)

    def mount(size):
        unmount()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", directory]
        if subprocess.run(command, capture_output=True).returncode:
            pytest.skip("only root may mount a disk")
        return directory

    yield mount
    unmount()


def bytes_in(directory):
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def names(directory):
    """All but TensorBoard's files, which are named after the time."""
    found = {str(path.relative_to(directory)) for path in directory.rglob("*")}
    return {name for name in found if "/tensorboard/" not in name}


def sizes(total, count):
    """So many sizes of disks, from next to nothing to next to all that is needed."""
    return [max(4096, number * total // count) for number in range(count)]


def assert_no_litter(directory):
    assert [path for path in directory.rglob("*") if path.name.startswith(ASIDE)] == []


@pytest.mark.parametrize(("program", "count"), [(train, 6), (export, 4), (lite, 2), (sample, 2)])
def test_a_program_says_so_in_a_line(program, count, disk, tmp_path):
    whole = tmp_path / "whole"
    whole.mkdir()
    run(*program(whole))
    for size in sizes(bytes_in(whole), count):
        directory = disk(size)
        line = error_line(*program(directory))
        print(program.__name__, size, line)
        assert "No space left on device" in line and str(directory) in line
        assert_no_litter(directory)
    # With more room, the same command goes on.
    copy = tmp_path / "copy"
    shutil.copytree(directory, copy)
    run(*program(copy))
    assert names(copy) == names(whole)


def test_a_preset_stays_as_it_was(disk, tmp_path):
    sagan = SAGAN.from_preset("sagan_digits_16")
    other = tmp_path / "other"
    sagan.save_preset(other)
    sagan.ema_generator.set_weights([2 * each for each in sagan.ema_generator.get_weights()])
    room = bytes_in(other)
    for size in sizes(room, 6):
        directory = disk(room + 65_536 + size)
        shutil.copytree(other, directory / "preset")
        with pytest.raises(OSError, match="No space left on device"):
            sagan.save_preset(directory / "preset")
        assert_no_litter(directory)
        comparison = filecmp.dircmp(other, directory / "preset")
        assert not (comparison.diff_files or comparison.left_only or comparison.right_only)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_decoded_images_that_do_not_fit_are_a_line(disk, share, monkeypatch):
    monkeypatch.setattr(pipeline, "MAX_BYTES_IN_MEMORY", 0)
    directory = disk(max(4096, int(share * 1797 * 64 * 64)))
    with pytest.raises(OSError, match=rf"No space left on device: '{directory}/decoded_"):
        load("digits", 64, 8, channels=1, decoded_dir=directory)
    assert list(pathlib.Path(directory).iterdir()) == []


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_classifier_that_cannot_be_kept_is_used(disk, tmp_path, caplog, share):
    def trained(cache):
        return Classifier.trained_on(find_dataset("digits"), 16, 1, cache_dir=cache, steps=2)

    expected = trained(tmp_path / "cache")
    directory = disk(max(4096, int(share * bytes_in(tmp_path / "cache"))))
    caplog.clear()
    with caplog.at_level(logging.WARNING, "absl"):
        assert trained(directory).fingerprint == expected.fingerprint
    (message,) = caplog.messages
    assert message.startswith("The classifier cannot be kept in ")
    assert list(pathlib.Path(directory).iterdir()) == []
