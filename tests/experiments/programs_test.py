"""The programs as a user runs them: in processes of their own, on real files."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.slow

ROOT = pathlib.Path(__file__).parents[2]
SMALL = ("--set=base_channels=4", "--set=latent_dim=8", "--batch_size=8")


def run(program, *flags, **environment):
    return subprocess.run(
        [sys.executable, str(ROOT / "experiments" / f"{program}.py"), *flags],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=600,
    )


def run_well(program, *flags):
    result = run(program, *flags)
    assert result.returncode == 0, result.stderr
    return result.stdout


def error_line(program, *flags, **environment):
    """The one line in which a program says what is wrong."""
    result = run(program, *flags, **environment)
    assert result.returncode == 1
    lines = [line for line in result.stderr.splitlines() if f"{program}.py: error: " in line]
    assert len(lines) == 1
    assert "Traceback" not in result.stderr
    return lines[0]


@pytest.fixture(scope="module")
def run_directory(tmp_path_factory):
    directory = tmp_path_factory.mktemp("run") / "digits"
    data_dir = tmp_path_factory.mktemp("tfds")
    output = run_well(
        "train",
        f"--model_dir={directory}",
        f"--data_dir={data_dir}",
        "--steps=6",
        "--log_every=2",
        "--sample_every=4",
        "--checkpoint_every=4",
        *SMALL,
    )
    for name in ("preset", "samples.png", "attention.png", "curves.png", "metrics.jsonl"):
        assert str(directory / name) in output
    return directory


def test_a_run_leaves_everything_behind(run_directory):
    names = {path.name for path in run_directory.iterdir()}
    assert names == {
        ".lock",
        "checkpoints",
        "config.json",
        "metrics.jsonl",
        "tensorboard",
        "samples",
        "preset",
        "samples.png",
        "attention.png",
        "curves.png",
    }
    records = [json.loads(line) for line in (run_directory / "metrics.jsonl").open()]
    assert [record["step"] for record in records] == [2, 4, 6]
    assert np.isfinite(records[-1]["discriminator_loss"])
    assert {path.name for path in (run_directory / "samples").iterdir()} == {
        "step_0000004.png",
        "step_0000006.png",
    }
    config = json.loads((run_directory / "config.json").read_text())
    assert config["model"]["base_channels"] == 4
    assert config["training"]["steps"] == 6


def test_samples_of_a_preset_folder(run_directory, tmp_path):
    model = f"--model={run_directory / 'preset'}"
    for name, flags in {
        "grid": ("--labels=3,7", "--num_images=6", "--truncation=0.5"),
        "walk": ("--interpolate", "--num_images=2"),
        "attention": ("--attention", "--num_images=2"),
    }.items():
        for copy in "ab":
            run_well("sample", model, "--seed=1", *flags, f"--output={tmp_path / name}-{copy}.png")
        first, second = (np.asarray(Image.open(tmp_path / f"{name}-{copy}.png")) for copy in "ab")
        np.testing.assert_array_equal(first, second)
        assert first.std() > 0
    # A walk keeps the class of its row; by default each row has the next.
    flags = (model, "--seed=1", "--interpolate", "--num_images=2", "--labels=0,1")
    run_well("sample", *flags, f"--output={tmp_path / 'named.png'}")
    assert (tmp_path / "named.png").read_bytes() == (tmp_path / "walk-a.png").read_bytes()


def test_export_for_litert(run_directory, tmp_path):
    model = f"--model={run_directory / 'preset'}"
    path = tmp_path / "new" / "digits.tflite"
    output = run_well("export", model, f"--output={path}", "--format=tflite", "--precision=int8")
    assert output.strip() == str(path)
    assert path.read_bytes()[4:8] == b"TFL3"
    line = error_line("export", model, f"--output={tmp_path / 'x'}", "--precision=int8")
    assert "--precision is for --format=tflite" in line


def test_export_of_a_preset_folder(run_directory, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    output = run_well("export", f"--model={run_directory / 'preset'}", "--output=~/served")
    assert output.strip() == str(tmp_path / "served" / "1")
    assert (tmp_path / "served" / "1" / "saved_model.pb").exists()
    assert "--output is empty" in error_line("export", "--model=sagan_digits_16", "--output=")


def test_an_export_that_is_ended_leaves_nothing(tmp_path):
    program = subprocess.Popen(
        [
            *(sys.executable, str(ROOT / "experiments" / "export.py")),
            *("--model=sagan_digits_16", f"--output={tmp_path}"),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        while program.poll() is None and not list(tmp_path.glob(".writing-*/model")):
            time.sleep(0.01)
        program.send_signal(signal.SIGTERM)
        _, said = program.communicate(timeout=60)
    finally:
        program.kill()
    assert said == "export.py: interrupted\n"
    assert program.returncode == 1
    assert not list(tmp_path.iterdir())


def test_training_on_a_folder_of_images_takes_its_classes(tmp_path):
    rng = np.random.default_rng(0)
    for name, size in (("cat", (40, 30)), ("dog", (17, 33))):
        folder = tmp_path / "images" / "train" / name
        folder.mkdir(parents=True)
        for index in range(4):
            pixels = rng.integers(0, 256, (*size, 3), dtype="uint8")
            Image.fromarray(pixels).save(folder / f"{index}.jpg")
    run_well(
        "train",
        "--preset=sagan_cifar10_32",
        f"--model_dir={tmp_path / 'run'}",
        f"--dataset={tmp_path / 'images'}",
        "--steps=2",
        "--precision=mixed_bfloat16",
        *SMALL,
    )
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["model"]["num_classes"] == 2
    assert config["training"]["precision"] == "mixed_bfloat16"


def test_a_second_run_into_the_folder_of_another_is_refused(run_directory):
    before = (run_directory / "metrics.jsonl").read_text()
    flags = ("--steps=7", "--batch_size=8", "--set=base_channels=8", "--set=latent_dim=8")
    line = error_line("train", f"--model_dir={run_directory}", *flags)
    assert "(base_channels=4 there, 8 here; steps=6 there, 7 here, which --extend allows)" in line
    assert (run_directory / "metrics.jsonl").read_text() == before


def test_a_finished_run_can_be_extended(run_directory, tmp_path):
    directory = tmp_path / "run"
    shutil.copytree(run_directory, directory)
    flags = (f"--model_dir={directory}", "--log_every=2", *SMALL)
    # Nothing is left to do: only the results are written again.
    (directory / "samples.png").unlink()
    output = run_well("train", *flags, "--steps=6")
    assert f"Going on from {directory / 'checkpoints' / 'step_0000006'}" in output
    assert (directory / "samples.png").exists()
    run_well("train", *flags, "--steps=8", "--extend")
    records = [json.loads(line) for line in (directory / "metrics.jsonl").open()]
    assert [record["step"] for record in records] == [2, 4, 6, 8]
    assert json.loads((directory / "config.json").read_text())["training"]["steps"] == 8


def test_a_checkpoint_of_another_architecture_is_refused(run_directory, tmp_path):
    directory = tmp_path / "run"
    shutil.copytree(run_directory / "checkpoints", directory / "checkpoints")
    flags = ("--steps=6", "--batch_size=8", "--set=base_channels=8", "--set=latent_dim=8")
    line = error_line("train", f"--model_dir={directory}", *flags)
    found = directory / "checkpoints" / "step_0000006"
    difference = "generator/linear/u has the shape (1, 256) there, (1, 512) here"
    assert line == f"train.py: error: {found} is of another architecture: {difference}"


def test_plain_fit(tmp_path):
    directory = tmp_path / "fit"
    flags = (f"--model_dir={directory}", "--steps=2", "--batch_size=4")
    output = run_well("fit", *flags)
    for name in ("preset", "samples.png", "attention.png", "curves.png", "metrics.jsonl"):
        assert str(directory / name) in output
        assert (directory / name).exists()
    (directory / "checkpoints").mkdir()
    assert "is a run of train.py: choose another --model_dir" in error_line("fit", *flags)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--preset=sagan_digits"], "Unknown preset: sagan_digits. Did you mean sagan_digits_16"),
        (["--set=base_chanels=8"], "Unknown configuration key: base_chanels. Did you mean"),
        (["--set=image_size=33"], "`image_size` must be one of [16, 32, 64, 128, 256]"),
        (["--set=base_channels=0"], "`base_channels` must be at least 1"),
        (["--set=num_classes=7"], "has 10 classes"),
        (["--loss=hing"], "Unknown loss: hing. Did you mean hinge?"),
        (["--steps=0"], "`steps` must be at least 1"),
        (["--dataset=no_such_set"], "'no_such_set' is neither a folder nor a TFDS data set"),
        (["--dataset=./no/such/folder"], "image folder no/such/folder does not exist"),
        (["stray"], "unexpected argument 'stray'"),
        (["--strategy=mirrored"], "--strategy=mirrored needs GPUs. Received: one CPU"),
        (["--strategy=multiworker"], "TF_CONFIG names no cluster. Every worker needs its own"),
        (["--strategy=tpu"], "--strategy=tpu needs --tpu=NAME"),
        (
            ["--batch_size=9", "--accumulation_steps=2"],
            "A batch of 9 images does not divide among 1 replicas with accumulation_steps=2",
        ),
        (["--seed=-1"], "`seed` must be in [0, 2**31). Received: -1"),
        (["--set=learning_rate_schedule=cosine"], "must be constant or linear. Received: cosine"),
        (["--set=global_clipnorm=0"], "`global_clipnorm` must be positive or None"),
    ],
)
def test_wrong_input_ends_in_one_line(tmp_path, flags, message):
    assert message in error_line("train", f"--model_dir={tmp_path / 'run'}", *flags)
    assert not (tmp_path / "run").exists()


def test_a_wrong_flag_names_the_right_one():
    result = run("train", "--model_dir=x", "--stepz=3")
    assert result.returncode == 1
    assert "flag 'stepz'. Did you mean: steps, steps_per_loop ?" in result.stderr


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--labels=10"], "`labels` must be in [0, 10). Received: 10"),
        (["--labels=a"], "--labels must be ints"),
        (["--truncation=2"], "`truncation` must be in (0, 1]"),
        (["--model=sagan_digits"], "No preset at sagan_digits"),
        (["--attention", "--interpolate"], "exclude each other"),
    ],
)
def test_wrong_input_to_sample(run_directory, tmp_path, flags, message):
    output = tmp_path / "x.png"
    model = f"--model={run_directory / 'preset'}"
    assert message in error_line("sample", model, f"--output={output}", *flags)
    assert not output.exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    line = error_line("train", f"--model_dir={tmp_path / 'file' / 'run'}", "--steps=1", *SMALL)
    assert str(tmp_path / "file") in line


@pytest.mark.parametrize(
    ("tf_config", "message"),
    [
        ("{", "TF_CONFIG is not valid JSON"),
        ('{"cluster": {"worker": ["here:1", "there"]}}', "must list worker as host:port"),
        (
            '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 2}}',
            "must say by type and index which task of its cluster this is",
        ),
    ],
)
def test_a_malformed_tf_config(tmp_path, tf_config, message):
    line = error_line("train", f"--model_dir={tmp_path / 'run'}", TF_CONFIG=tf_config)
    assert message in line
    assert not (tmp_path / "run").exists()


def test_an_unknown_metric_to_monitor(tmp_path):
    flags = (f"--model_dir={tmp_path}", "--steps=2", "--monitor=generator_los", *SMALL)
    line = error_line("train", *flags)
    assert "Unknown metric: generator_los. Did you mean generator_loss" in line
