"""The program that trains: folders of images, previews, and what it refuses."""

import shutil

import numpy as np
import pytest
from PIL import Image

from sagan_tf.files import read_json
from tests.experiments.programs import SMALL, error_line, run


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A folder of images of two classes."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("images")
    for name, size in (("cat", (40, 30)), ("dog", (17, 33))):
        (folder / "train" / name).mkdir(parents=True)
        for index in range(4):
            pixels = rng.integers(0, 256, (*size, 3), dtype="uint8")
            Image.fromarray(pixels).save(folder / "train" / name / f"{index}.jpg")
    return folder


def test_training_on_a_folder_of_images_takes_its_classes(images, tmp_path):
    small = (*SMALL, "--discriminator_base_channels=4")
    flags = ("--preset=sagan_cifar10_32", "--steps=1", "--precision=mixed_bfloat16", *small)
    run("train", f"--model_dir={tmp_path / 'run'}", f"--dataset={images}", *flags)
    config = read_json(tmp_path / "run" / "config.json")
    assert config["model"]["num_classes"] == 2
    assert config["class_names"] == ["cat", "dog"]
    assert config["recipe"]["precision"] == "mixed_bfloat16"
    # Without a preset, the model that training begins with says what it draws.
    flags_of_origin = (f"--init_from={tmp_path / 'run'}", f"--dataset={images}", "--steps=1")
    run("train", f"--model_dir={tmp_path / 'tuned'}", *flags_of_origin)
    tuned = read_json(tmp_path / "tuned" / "config.json")
    assert tuned["model"] == {**config["model"], "discriminator_base_channels": None}
    assert tuned["recipe"]["init_digest"] is not None
    assert tuned["reference"].startswith("Begun with the weights of ")
    # It goes on without the model that it began with.
    shutil.rmtree(tmp_path / "run")
    run("train", f"--model_dir={tmp_path / 'tuned'}", *flags_of_origin)
    assert read_json(tmp_path / "tuned" / "config.json") == tuned
    # A preset's number of classes may be kept on purpose, and then does not fit.
    line = error_line(
        *("train", f"--model_dir={tmp_path / 'other'}", f"--dataset={images}", "--num_classes=1"),
        *flags,
    )
    assert "has 2 classes" in line


def test_a_preview_shows_real_images_and_the_same_augmented(images, tmp_path, capsys):
    path = tmp_path / "preview.png"

    def preview(*flags):
        run("train", f"--preview={path}", f"--dataset={images}", "--channels=1", *flags)
        assert capsys.readouterr().out == f"{path}\n"
        # There are 10 x 66 pixels and the last padding in each row of the grid.
        pixels = np.asarray(Image.open(path))
        assert pixels.shape[1] == 662
        return np.split(pixels[:-2], (len(pixels) - 2) // 66)

    (plain,) = preview("--augmentation=()")
    real, *augmented = preview("--augmentation=translation,cutout", "--adaptive_augmentation")
    np.testing.assert_array_equal(real, plain)
    assert len(augmented) == 3
    assert len({row.tobytes() for row in (real, *augmented)}) == 4
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--preset=sagan_digits"], "Unknown preset: sagan_digits. Did you mean sagan_digits_16"),
        (["--image_size=33"], "--image_size must be one of [16, 32, 64, 128, 256]"),
        (["--steps=0"], "--steps must be at least 1"),
        (["--dataset=./no/such/folder"], "image folder no/such/folder does not exist"),
        (
            ["--dataset=no_such_set"],
            "--dataset=no_such_set needs a --preset, or --channels=3: the default, sagan_di",
        ),
        (["--init_from=sagan_digits"], "sagan_digits_16"),
        (["--freeze_discriminator=1"], "needs --init_from"),
        (["--penalty_weight=1"], "--penalty_weight does nothing without --penalty"),
        (["--monitor=diversity", "--evaluate_every=1"], "--monitor: diversity is best near 1"),
        (["--fit=wrong"], "Unknown fit: wrong. Valid: crop, pad, stretch"),
        (["--seed=-1"], "--seed must be in [0, 2147483648). Received: -1"),
        (["--model_dir=gs://a/b"], "--model_dir must be a folder of this machine"),
        (["--model_dir=/dev/null/run"], "--model_dir=/dev/null/run cannot be written: Not a dir"),
        (["stray"], "unexpected argument 'stray'"),
        (["--augmentation=colour"], "Unknown augmentation: colour. Did you mean color? Valid: col"),
        (["--adaptive_augmentation"], "--adaptive_augmentation needs --augmentation. Received: ()"),
        (["--preview=a.png"], "--preview and --model_dir exclude each other"),
        (["--preview=a.txt"], "--preview must be a file such as x.png. Received: a.txt"),
        (["--monitor=fid"], "--monitor=fid: nothing is scored without --evaluate_every=STEPS"),
        (
            ["--metrics=kid", "--num_images=90", "--monitor=recognized", "--evaluate_split=test"],
            "--metrics, --num_images, --evaluate_split, --monitor=recognized: nothing is scored",
        ),
        (["--evaluate_every=1", "--metrics=fidd"], "Unknown metric: fidd. Did you mean fid"),
        (["--attention_resolutions=5"], "--attention_resolutions must be among [8, 16], the "),
        (["--discriminator_base_channels=1"], "the discriminator has 4 at resolution 8"),
        (["--strategy=multiworker"], "TF_CONFIG names no cluster. Every worker needs its own"),
        (["--strategy=tpu"], "--strategy=tpu needs --tpu=NAME"),
        (
            ["--batch_size=9", "--accumulation_steps=2"],
            "A batch of 9 images does not divide among 1 replicas with accumulation_steps=2",
        ),
    ],
)
def test_wrong_input_to_train(tmp_path, flags, message):
    assert message in error_line("train", f"--model_dir={tmp_path / 'run'}", *flags)
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("at_once")
def test_a_run_needs_a_folder():
    assert error_line("train", "--steps=3") == "--model_dir is missing. Folder of the run."


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (
            ["--dataset=no_such_set", "--channels=3"],
            "'no_such_set' is neither a folder nor a TFDS data set",
        ),
        (["--num_classes=7"], "has 10 classes"),
        (["--strategy=mirrored"], "--strategy=mirrored needs GPUs. Received: one CPU"),
        (["--monitor=generator_los"], "Unknown metric: generator_los. Did you mean generator_loss"),
    ],
)
def test_what_does_not_fit_in_training(tmp_path, flags, message):
    assert message in error_line("train", f"--model_dir={tmp_path / 'run'}", *SMALL, *flags)


@pytest.mark.usefixtures("at_once")
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
def test_a_malformed_tf_config(tmp_path, monkeypatch, tf_config, message):
    monkeypatch.setenv("TF_CONFIG", tf_config)
    assert message in error_line("train", f"--model_dir={tmp_path / 'run'}")
    assert not (tmp_path / "run").exists()
