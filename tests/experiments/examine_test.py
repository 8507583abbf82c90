"""Whether a model's images are of use, and whether it copies."""

import pytest

from sagan_tf.config import Recipe
from sagan_tf.data import ImageFolder
from sagan_tf.files import read_json
from tests.experiments.programs import error_line, run
from tests.tiny import tiny

MODEL = "--model=sagan_digits_16"


@pytest.mark.slow
def test_digits_are_of_use(tmp_path, capsys):
    """The split of training is a part here of what the digits were trained on."""
    output = tmp_path / "answers.json"
    splits = ("--split=train[:20%]", "--num_images=300")
    run("examine", MODEL, *splits, f"--output={output}")
    said, report = capsys.readouterr().out, read_json(output)
    assert "300 images of train[:20%], 300 held out: train[20%:]" in said
    assert report["membership"]["auc"] == pytest.approx(0.5, abs=0.1)
    found = report["gan_train"]
    assert found.keys() == {"generated", "real", "both"}
    assert min(each["accuracy"] for each in found.values()) > 0.85
    assert all(len(each["classes"]) == 10 for each in found.values())
    assert f"{found['generated']['accuracy']:.1%}" in said


def test_an_unconditional_model_is_not_asked_for_classes(tmp_path, capsys):
    tiny(num_classes=None).save_preset(tmp_path / "model")
    flags = ("--dataset=digits", "--split=train[:50%]", "--num_images=20")
    run("examine", f"--model={tmp_path / 'model'}", *flags)
    said = capsys.readouterr().out
    assert "area under the ROC curve" in said and "The model has no classes" in said


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ((), "sagan_digits_16 was trained on all of digits (train): name images that it has not"),
        (("--held_out=train",), "--held_out must be another split than train"),
        (("--num_images=0",), "--num_images=0: 0 is not integer >= 20"),
    ],
)
def test_what_is_wrong_is_said_at_once(flags, message):
    assert message in error_line("examine", MODEL, *flags)


def test_images_of_training_are_not_held_out(make_folder, tmp_path_factory):
    sagan, model = tiny(2), tmp_path_factory.mktemp("model")
    folder = make_folder(
        *(f"{name}/{number}.png" for name in ("cat", "hen") for number in range(20))
    )
    digest = ImageFolder(folder, "train[:50%]").digest()
    sagan.recipe = Recipe(dataset=str(folder), split="train[:50%]", dataset_digest=digest)
    sagan.save_preset(model)
    flags = ("examine", f"--model={model}", "--num_images=20")
    for held_out in ("train", "train[40%:]", "all"):
        line = f"--held_out={held_out} has images of train[:50%], on which the model was trained"
        assert error_line(*flags, f"--held_out={held_out}") == line
    (folder / "cat" / "0.png").rename(folder / "cat" / "new.png")
    line = f"has other images than {model} was trained on: name theirs by --dataset"
    assert line in error_line(*flags)


def test_other_classes_and_no_data_are_refused(tmp_path):
    sagan = tiny(10)
    sagan.save_preset(tmp_path)
    line = error_line("examine", f"--model={tmp_path}", "--split=train[:20%]")
    assert line == f"{tmp_path} does not say what it was trained on: pass --dataset"
    sagan.class_names = tuple("0123456798")
    sagan.save_preset(tmp_path)
    flags = (f"--model={tmp_path}", "--dataset=digits", "--split=train[:20%]", "--num_images=20")
    assert "are not those of the model (0, 1, 2, 3, 4, 5, 6, 7, 9, 8)" in error_line(
        "examine", *flags
    )


def test_a_split_that_is_not_there():
    assert "split" in error_line("examine", MODEL, "--held_out=test")
