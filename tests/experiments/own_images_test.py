"""What is chosen for a folder of images where no flag says it."""

import numpy as np
import pytest
from PIL import Image

from experiments.own_images import FEW, Survey, choose, look_at
from sagan_tf.data import ImageFolder
from sagan_tf.files import read_json
from sagan_tf.models.model_folder import read_config
from tests.experiments.programs import SMALL, error_line, run

POLICY = ("color", "translation", "cutout")


def write_images(folder, sizes, mode="RGB"):
    """A folder of two classes with an image of each size."""
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
        for index, size in enumerate(sizes):
            pixels = np.full(size, index, "uint8")
            Image.fromarray(pixels).convert(mode).save(folder / name / f"{index:03}.png")
    return folder


def chosen(count=500, sides=(100,), is_gray=False, accelerator=False, **given):
    """The preset that decides all else, and the values that are chosen."""
    base, choices = choose(Survey(count, tuple(sides), is_gray), accelerator, given)
    return base, {name: value for name, (value, _) in choices.items()}


def test_headers_tell_sizes_and_colors(tmp_path):
    sizes = [(30 + index, 400) for index in range(150)]
    source = ImageFolder(write_images(tmp_path / "colors", sizes))
    survey = look_at(source)
    assert (survey.count, survey.is_gray) == (300, False)
    assert survey.sides == tuple(range(30, 180, 2)) * 2
    for mode in ("L", "LA", "1", "I;16"):
        folder = tmp_path / mode.replace(";", "")
        assert look_at(ImageFolder(write_images(folder, [(9, 9)], mode))).is_gray
    (tmp_path / "L" / "cat" / "000.png").write_bytes(b"broken")
    assert look_at(ImageFolder(tmp_path / "L")).sides == (9,)
    (tmp_path / "L" / "dog" / "000.png").write_bytes(b"")
    with pytest.raises(ValueError, match="None of the images in .* can be read"):
        look_at(ImageFolder(tmp_path / "L"))


@pytest.mark.parametrize(
    ("sides", "accelerator", "expected"),
    [
        ((15, 9), False, 16),
        ((16, 31), False, 16),
        ((16, 32), False, 32),  # Half of them are as large.
        ((16, 16, 32), False, 16),
        ((64, 64, 10), False, 64),
        ((4000,), False, 64),
        ((127, 1), True, 64),
        ((4000,), True, 128),
    ],
)
def test_the_image_size_is_one_that_half_of_the_images_reach(sides, accelerator, expected):
    assert chosen(sides=sides, accelerator=accelerator)[1]["image_size"] == expected


def test_what_is_chosen_for_whom():
    base, values = chosen()
    assert base == "sagan_digits_16"
    assert values == {
        "image_size": 64,
        "channels": 3,
        "base_channels": 16,
        "batch_size": 32,
        "augmentation": POLICY,
        "adaptive_augmentation": True,
        "max_minutes": 30.0,
        "flip": False,
    }
    base, values = chosen(accelerator=True)
    assert (base, values["base_channels"], values["batch_size"]) == ("sagan_imagenet_64", 64, 64)
    # The trained digits know something of small gray images.
    base, values = chosen(sides=(32,), is_gray=True)
    assert (base, values["init_from"], values["channels"]) == ("sagan_digits_16",) * 2 + (1,)
    assert "base_channels" not in values
    # Small colored ones begin with CIFAR-10, whose network is as wide at first.
    for sides in ((16,), (32,), (60,)):
        base, values = chosen(sides=sides)
        assert (base, values["init_from"]) == ("sagan_cifar10_32",) * 2
    for others in ({"is_gray": True}, {"sides": (64,)}, {"is_gray": True, "image_size": 64}):
        assert "init_from" not in chosen(**others)[1]
    assert "augmentation" in chosen(FEW)[1]
    assert not {"augmentation", "adaptive_augmentation"} & chosen(FEW + 1)[1].keys()


@pytest.mark.parametrize(
    ("given", "left_open"),
    [
        ({"steps": 5}, {"max_minutes"}),
        ({"max_minutes": 5.0}, {"max_minutes"}),
        ({"augmentation": ()}, {"augmentation", "adaptive_augmentation"}),
        ({"loss": "wasserstein"}, {"adaptive_augmentation"}),
        ({"batch_size": 4, "channels": 3}, {"batch_size", "channels"}),
    ],
)
def test_what_is_given_is_not_chosen(given, left_open):
    assert chosen()[1].keys() - chosen(**given)[1].keys() == left_open


def test_one_command_trains_and_the_same_goes_on(tmp_path, capsys):
    folder = write_images(tmp_path / "images", [(20, 30)] * 4)
    command = ("train", f"--dataset={folder}", f"--model_dir={tmp_path / 'run'}", *SMALL)
    run(*command, "--steps=1")
    output = capsys.readouterr().out
    assert "Chosen for 8 images and " in output
    assert "--image_size=16 " in output and "--channels=3 " in output
    assert "--batch_size" not in output  # It is given.
    config, _ = read_config(tmp_path / "run")
    model, recipe = config.model, config.recipe
    assert (model.image_size, model.channels, model.num_classes) == (16, 3, 2)
    assert (recipe.steps, recipe.max_minutes, recipe.augmentation) == (1, None, POLICY)
    assert config.class_names == ("cat", "dog")
    before = read_json(tmp_path / "run" / "config.json")
    # What is chosen does not change because the machine or the rules do.
    run(*command, "--steps=1")
    assert f"Settings that no flag names are those of {tmp_path / 'run'}" in capsys.readouterr().out
    assert read_json(tmp_path / "run" / "config.json") == before
    # A flag that differs is refused, as ever.
    assert "channels=3 there, 1 here" in error_line(*command, "--steps=1", "--channels=1")


def test_a_run_without_classes_goes_on_without(tmp_path):
    folder = write_images(tmp_path / "images", [(20, 30)] * 4)
    command = ("train", f"--dataset={folder}", f"--model_dir={tmp_path / 'run'}", *SMALL)
    run(*command, "--steps=1", "--num_classes=none")
    run(*command, "--steps=2", "--extend")
    config, state = read_config(tmp_path / "run")
    assert (config.model.num_classes, state["step"]) == (None, 2)


@pytest.mark.usefixtures("at_once")
def test_wrong_folders_are_said_at_once(tmp_path):
    def line(*flags):
        return error_line("train", f"--model_dir={tmp_path / 'run'}", *flags)

    assert "image folder" in line(f"--dataset={tmp_path / 'nothing'}")
    assert "holds no images" in line(f"--dataset={tmp_path}")
    folder = write_images(tmp_path / "images", [(20, 30)])
    assert "--image_size must be one of" in line(f"--dataset={folder}", "--image_size=20")
    assert "has no splits" in line(f"--dataset={folder}", "--split=test")
    # The name of a data set says nothing of its images without TensorFlow.
    assert "--dataset=cifar10 needs a --preset, or --channels=3" in line("--dataset=cifar10")
