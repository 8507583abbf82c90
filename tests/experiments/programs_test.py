"""The programs as a user runs them, on real files: each once in a process of its own."""

import pathlib
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from sagan_tf import SAGAN, training, visualization
from sagan_tf.config import RunOptions
from sagan_tf.data import ImageFolder, find_dataset
from sagan_tf.files import read_json, read_json_lines
from sagan_tf.images import to_uint8
from sagan_tf.models import preset
from tests.experiments.programs import ROOT, SMALL, error_line, run, run_process
from tests.tiny import tiny

RESULTS = {"preset", "samples.png", "attention.png", "curves.png", "metrics.jsonl"}


def run_well(name, *arguments):
    """What a program prints, in a process of its own."""
    result = run_process(name, *arguments)
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """A run of four steps, and what was printed."""
    directory = tmp_path_factory.mktemp("run") / "digits"
    data_dir = tmp_path_factory.mktemp("tfds")
    every = ("--log_every=2", "--sample_every=4", "--checkpoint_every=2")
    flags = (f"--model_dir={directory}", f"--data_dir={data_dir}", "--steps=4", *every, *SMALL)
    return directory, run_well("train", *flags)


def test_a_run_leaves_everything_behind(digits):
    directory, output = digits
    assert all(str(directory / name) in output for name in RESULTS)
    others = {".lock", "checkpoints", "config.json", "tensorboard", "samples"}
    assert {path.name for path in directory.iterdir()} == RESULTS | others
    records = read_json_lines(directory / "metrics.jsonl")
    assert [record["step"] for record in records] == [2, 4]
    assert np.isfinite(records[-1]["discriminator_loss"])
    assert [path.name for path in (directory / "samples").iterdir()] == ["step_0000004.png"]
    config = read_json(directory / "config.json")
    assert config["model"]["base_channels"] == 4
    assert config["recipe"]["steps"] == 4
    assert config["class_names"] == list("0123456789")


def test_sample(digits, tmp_path):
    model = f"--model={digits[0]}"

    def drawn(*flags):
        run("sample", model, "--seed=1", f"--output={tmp_path / 'x.png'}", *flags)
        return np.asarray(Image.open(tmp_path / "x.png"))

    grid = ("--labels=3,7", "--num_images=6", "--truncation=0.5")
    walk = ("--interpolate", "--num_images=2")
    pictures = {flags: drawn(*flags) for flags in (grid, walk, ("--attention", "--num_images=2"))}
    for flags, picture in pictures.items():
        assert picture.std() > 0
        np.testing.assert_array_equal(drawn(*flags), picture)
    # A walk keeps the class of its row; by default each row has the next.
    np.testing.assert_array_equal(drawn(*walk, "--labels=0,1"), pictures[walk])
    for change in (
        "--seed=2",
        "--noema",
        "--standing_statistics=1",
        "--labels=3",
        "--truncation=1",
    ):
        assert not np.array_equal(drawn(*grid, change), pictures[grid]), change
    # A column for each class, below its name.
    assert pictures[grid].shape[:2] == (20 + 3 * 66, 2 + 2 * 66)
    output = run_well("sample", model, f"--output={tmp_path / 'new' / 'x.png'}", "--seed=1", *grid)
    assert output == f"{tmp_path / 'new' / 'x.png'}\n"
    np.testing.assert_array_equal(Image.open(tmp_path / "new" / "x.png"), pictures[grid])
    # No class is left out.
    names = "--labels=0,1,2,3,4,5,6,7,8"
    assert (
        drawn("--interpolate", names).shape[0] == drawn("--interpolate", "--num_images=9").shape[0]
    )
    for flags, error in (
        ((grid[0], "--num_images=1"), "--num_images must be at least 2, the number of --labels"),
        (("--labels=10",), "--labels must be in [0, 10). Received: 10"),
    ):
        output = f"--output={tmp_path / 'x.png'}"
        assert error in error_line("sample", model, output, *flags)


@pytest.mark.parametrize("ending", ["webp", "gif"])
def test_an_endless_walk(digits, tmp_path, ending):
    path = tmp_path / f"walk.{ending}"
    walk = ("--interpolate", "--labels=3,7", "--num_images=2", "--seed=1")
    run("sample", f"--model={digits[0]}", f"--output={path}", *walk)
    animation = Image.open(path)
    assert (animation.n_frames, animation.info["loop"]) == (80, 0)
    sagan = SAGAN.from_preset(digits[0])
    for number, expected in enumerate(visualization.walk_frames(sagan, [3, 7], 2, seed=1)):
        animation.seek(number)
        assert animation.info.get("duration", 50) == 50
        difference = np.subtract(animation.convert("RGB"), expected, dtype=float)
        assert np.abs(difference).mean() < 3  # WebP is compressed, and GIF has 256 colors.


@pytest.mark.usefixtures("at_once")
def test_an_animation_of_the_progress(tmp_path):
    (tmp_path / "samples").mkdir()
    for step in range(250):
        picture = Image.new("L", (8, 4), 37 * step % 251)
        picture.save(tmp_path / "samples" / f"step_{step:07d}.png")
    output = tmp_path / "new" / "progress.webp"
    progress = ("--progress", f"--model={tmp_path}", f"--output={output}")
    run("sample", *progress)
    animation = Image.open(output)
    assert (animation.size, animation.n_frames) == ((8, 4), 200)
    levels = []
    for number in range(200):
        animation.seek(number)
        levels.append(np.mean(animation.convert("L")))
    chosen = np.linspace(0, 249, 200).round()
    np.testing.assert_allclose(levels, 37 * chosen % 251, atol=4)
    for flag in ("--labels=3", "--seed=1", "--noema", "--num_images=3"):
        name = flag.split("=")[0].replace("no", "")
        assert f"{name} does nothing with --progress" in error_line("sample", *progress, flag)
    Image.new("L", (8, 5)).save(tmp_path / "samples" / "step_0000250.png")
    assert "are not all of the same size" in error_line("sample", *progress)


def test_single_images(digits, tmp_path, capsys):
    model = f"--model={digits[0]}"
    drawn = (model, "--seed=1", "--num_images=70", "--truncation=0.5")
    (tmp_path / "empty").mkdir()
    run("sample", *drawn, f"--output={tmp_path / 'empty'}")
    run("sample", *drawn, f"--output={tmp_path / 'x.npz'}")
    assert capsys.readouterr().out == f"{tmp_path / 'empty'}\n{tmp_path / 'x.npz'}\n"
    sagan = SAGAN.from_preset(digits[0])
    expected = to_uint8(sagan.generate(num_images=70, seed=1, truncation=0.5))
    with np.load(tmp_path / "x.npz", allow_pickle=False) as arrays:
        np.testing.assert_array_equal(arrays["images"], expected)
        labels = arrays["labels"]
    source = find_dataset(tmp_path / "empty")
    assert source.class_names == tuple("0123456789")
    examples = [source.read(index) for index in range(70)]
    numbers = [int(pathlib.Path(example.name).stem) for example in examples]
    assert sorted(numbers) == list(range(70))
    for number, example in zip(numbers, examples, strict=True):
        assert example.label == labels[number]
        np.testing.assert_array_equal(Image.open(example.name), expected[number, ..., 0])


def test_single_images_of_classes_that_cannot_name_folders(tmp_path, caplog):
    sagan = tiny(3)
    sagan.class_names = ("cat/dog", "dog", "..")
    sagan.save_preset(tmp_path / "model")
    images = tmp_path / "v1.5" / "images"
    run("sample", f"--model={tmp_path / 'model'}", f"--output={images}", "--labels=0,1,2")
    assert ImageFolder(images).class_names == ("_.", "cat_dog", "dog")
    assert "Some names of classes cannot be names of folders" in caplog.text
    assert "'cat/dog' to cat_dog, '..' to _." in caplog.text
    # Without classes, there are no folders.
    tiny(None).save_preset(tmp_path / "other")
    flat = tmp_path / "new.images"
    run("sample", f"--model={tmp_path / 'other'}", f"--output={flat}/", "--num_images=3")
    assert sorted(path.name for path in flat.iterdir()) == [f"{n:06}.png" for n in range(3)]


def test_export(digits, tmp_path, monkeypatch, capsys):
    model = f"--model={digits[0] / 'preset'}"
    path = tmp_path / "new" / "digits.tflite"
    lite = ("--format=tflite", "--weight_precision=int8")
    assert run_well("export", model, f"--output={path}", *lite) == f"{path}\n"
    assert path.read_bytes()[4:8] == b"TFL3"
    monkeypatch.setenv("HOME", str(tmp_path))
    run("export", model, "--output=~/served", "--standing_statistics=1")
    assert capsys.readouterr().out.splitlines()[-1] == str(tmp_path / "served" / "1")
    assert (tmp_path / "served" / "1" / "saved_model.pb").exists()


@pytest.mark.parametrize(
    ("name", "folder", "flags", "begun"),
    [
        ("sample", "images", ["--num_images=100000"], ".aside-*/images/*/*.png"),
        ("export", "", [], ".aside-*/model"),
    ],
)
def test_what_is_ended_leaves_nothing(digits, tmp_path, name, folder, flags, begun):
    command = [sys.executable, str(ROOT / "experiments" / f"{name}.py"), f"--model={digits[0]}"]
    command += [f"--output={tmp_path / folder}", *flags]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and not list(tmp_path.glob(begun)):
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    assert said == f"{name}.py: interrupted\n"
    assert process.returncode == 1
    assert not list(tmp_path.iterdir())


def test_fit(tmp_path):
    directory = tmp_path / "fit"
    flags = (f"--model_dir={directory}", "--steps=2", "--batch_size=4")
    output = run_well("fit", *flags)
    assert all(str(directory / name) in output for name in RESULTS)
    assert {path.name for path in directory.iterdir()} > RESULTS
    (directory / "checkpoints").mkdir()
    assert "is a run of train.py: choose another --model_dir" in error_line("fit", *flags)


def test_training_is_a_function(digits, tmp_path, capsys):
    directory = tmp_path / "run"
    shutil.copytree(digits[0], directory)
    small = {"base_channels": 4, "latent_dim": 8, "batch_size": 8, "discriminator_steps": 1}
    config = preset("sagan_digits_16").override(steps=4, **small)
    # Nothing is left to do: only the results are written again.
    (directory / "samples.png").unlink()
    sagan = training.train(config, directory)
    assert sagan.step == 4
    going_on = f"Going on from {directory / 'checkpoints' / 'step_0000004'}"
    assert going_on in capsys.readouterr().out
    assert (directory / "samples.png").exists()
    options = RunOptions(extend=True, log_every=2)
    sagan = training.train(config.override(steps=6), directory, options)
    records = read_json_lines(directory / "metrics.jsonl")
    assert [record["step"] for record in records] == [2, 4, 6]
    assert read_json(directory / "config.json")["recipe"]["steps"] == 6
    # What it returns is what was saved.
    for ours, saved in zip(
        sagan.ema_generator.weights, SAGAN.from_preset(directory).ema_generator.weights, strict=True
    ):
        np.testing.assert_array_equal(ours, saved)


@pytest.mark.usefixtures("at_once")
def test_a_second_run_into_the_folder_of_another_is_refused(digits):
    directory, _ = digits
    before = (directory / "metrics.jsonl").read_text()
    line = error_line("train", f"--model_dir={directory}", "--steps=7", *SMALL, "--base_channels=8")
    assert "(base_channels=4 there, 8 here; steps=4 there, 7 here, which --extend allows)" in line
    assert (directory / "metrics.jsonl").read_text() == before


def test_a_checkpoint_of_another_model_is_refused(digits, tmp_path):
    directory = tmp_path / "run"
    shutil.copytree(digits[0] / "checkpoints", directory / "checkpoints")
    line = error_line("train", f"--model_dir={directory}", "--steps=4", *SMALL, "--base_channels=8")
    found = directory / "checkpoints" / "step_0000004"
    assert line == f"{found} is of another model: base_channels=4 there, 8 here"


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    ("name", "flags", "message"),
    [
        ("sample", ["--labels=3,10"], "--labels must be in [0, 10). Received: 10"),
        ("sample", ["--labels=7,seven"], "Unknown class: seven. Valid: 0, 1, 2, 3, 4, 5, 6, 7"),
        ("sample", ["--truncation=2"], "--truncation must be in (0, 1]. Received: 2"),
        (
            "sample",
            ["--model=sagan_digits"],
            "Unknown model: sagan_digits. Did you mean sagan_digits_16",
        ),
        ("sample", ["--attention", "--interpolate"], "exclude each other"),
        ("sample", ["--output=x.txt"], "--output must be a file such as x.png or x.npz, or a fol"),
        ("sample", ["--output=x.psd"], "or a folder such as images/. Received: x.psd"),
        ("sample", ["--output="], "--output is empty"),
        ("sample", ["--output=/usr/"], "--output=/usr is a folder with files in it: name a new"),
        ("sample", ["--output=/dev/null/x/"], "--output=/dev/null/x cannot be written: Not a"),
        ("sample", ["--progress", "--attention"], "--attention and --progress exclude each other"),
        ("sample", ["--progress"], "--progress is for a file such as x.webp or x.gif. Received: "),
        (
            "sample",
            ["--progress", "--output=x.gif", "--model=sagan_digits_16"],
            "sagan_digits_16/samples holds no pictures: --progress needs --model=DIR of a run",
        ),
        ("sample", ["--output=x", "--attention"], "--attention draws a picture: --output must be"),
        ("sample", ["--output=x.npz", "--interpolate"], "--interpolate draws a picture: --output"),
        ("sample", ["--noema", "--standing_statistics=2"], "it excludes --noema"),
        ("export", ["--weight_precision=int8"], "--weight_precision is for --format=tflite"),
        (
            "export",
            ["--output=x.tflite"],
            "--format=saved_model writes a folder. Received: --output=x",
        ),
        ("export", ["--format=tflite"], "--format=tflite writes a file such as x.tflite."),
        ("export", ["--format=lite"], "Unknown format: lite. Did you mean tflite"),
        ("export", ["--output="], "--output is empty"),
        ("export", ["--output=/dev/null"], "--output=/dev/null cannot be written: Not a directory"),
    ],
)
def test_wrong_input_to_sample_and_export(digits, tmp_path, name, flags, message):
    output = tmp_path / "x.png"
    assert message in error_line(name, f"--model={digits[0]}", f"--output={output}", *flags)
    assert not output.exists()


@pytest.mark.usefixtures("at_once")
def test_the_folder_in_which_one_is_cannot_be_replaced(digits, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = error_line("sample", f"--model={digits[0]}", "--output=.")
    assert line == "--output=. cannot be replaced: name a new folder in it"
