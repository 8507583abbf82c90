"""Images as people have them: archives, tables of labels, rectangles, classes of all sizes."""

import json
import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image

from sagan_tf.config import Recipe
from sagan_tf.data import ImageFolder
from sagan_tf.files import read_json, read_json_lines
from tests.experiments.programs import SMALL, error_line, run
from tests.tiny import tiny

GREY = ("--channels=1", "--image_size=16", *SMALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of 80 upright pictures with a table in StyleGAN's form: 60 of class 4, 20 of 7."""
    root = tmp_path_factory.mktemp("images") / "pets"
    (root / "00000").mkdir(parents=True)
    rng = np.random.default_rng(0)
    labels = []
    for number in range(80):
        name = f"00000/img{number:08}.png"
        Image.fromarray(rng.integers(0, 256, (30, 20), dtype=np.uint8)).save(root / name)
        labels.append([name, 7 if number % 4 == 0 else 4])
    (root / "dataset.json").write_text(json.dumps({"labels": labels}))
    with zipfile.ZipFile(root.parent / "pets.zip", "w") as archive:
        for file in sorted(root.rglob("*.*")):
            archive.write(file, file.relative_to(root))
    return root


def test_a_run_on_an_archive_is_scored_as_it_was_trained(folder, tmp_path, capsys):
    directory, cache = tmp_path / "run", f"--cache_dir={tmp_path / 'cache'}"
    own = ("--fit=pad", "--label_distribution=data", "--split=train[:75%]", *GREY, cache)
    flags = (f"--model_dir={directory}", *own, "--evaluate_every=1")
    run("train", *flags, f"--dataset={folder}.zip", "--steps=1")
    out = capsys.readouterr().out
    assert "60 images in 2 classes: 4 45, 7 15" in out
    assert "Scores are against train[75%:]: 20 images in 2 classes: 4 15, 7 5" in out
    config = read_json(directory / "config.json")
    recipe = {"fit": "pad", "label_distribution": "data", "split": "train[:75%]"}
    assert recipe.items() <= config["recipe"].items()
    assert config["class_names"] == ["4", "7"]
    settings = read_json(directory / "evaluation.json")
    expected = {"fit": "pad", "labels_from": "data", "split": "train[75%:]", "num_images": 20}
    assert expected.items() <= settings.items()

    # The folder holds the same images.
    run("train", *flags, f"--dataset={folder}", "--steps=2", "--extend")
    kid = [record["kid"] for record in read_json_lines(directory / "metrics.jsonl")]
    assert len(kid) == 2

    output = tmp_path / "scores.json"
    program = ("evaluate", f"--model={directory}", f"--output={output}")
    run(*program, cache)
    report = read_json(output)
    about = {"fit": "pad", "split": "train[75%:]", "num_available": 20}
    assert about.items() <= report.items()
    assert report["protocol"]["labels_from"] == "data"
    assert report["features"]["fingerprint"] == settings["fingerprint"]
    assert [row["images"] for row in report["generated"]["classes"]] == [15, 5]
    assert report["generated"]["scores"]["kid"]["mean"] == pytest.approx(kid[-1], rel=1e-3)
    # Another fit is another classifier, of other images.
    run(*program, cache, "--fit=crop", "--labels_from=uniform")
    other = read_json(output)
    assert other["fit"] == "crop"
    assert other["protocol"]["labels_from"] == "uniform"
    assert other["features"]["fingerprint"] != settings["fingerprint"]


def test_a_preview_shows_pictures_as_they_are_fitted(folder, tmp_path):
    shown = []
    for fit in ("crop", "pad"):
        path = tmp_path / f"{fit}.png"
        flags = (f"--dataset={folder}.zip", f"--fit={fit}", "--augmentation=", *GREY)
        run("train", f"--preview={path}", *flags)
        shown.append(np.asarray(Image.open(path).convert("L")))
    # A third of each picture is white: 5 of 16 columns, or 20 of 64 pixels where it is enlarged.
    white = [np.mean((image == 255).all(axis=0)) for image in shown]
    assert white[1] - white[0] > 0.2


@pytest.mark.usefixtures("at_once")
def test_what_is_wrong_is_said_at_once(folder, tmp_path):
    (tmp_path / "cat.png").touch()
    (tmp_path / "labels.csv").write_text("cat.png,cat\nhen.png,hen\n")
    torn = tmp_path / "torn.zip"
    torn.write_bytes(folder.with_suffix(".zip").read_bytes()[:-30])
    for program in (
        ("train", "--channels=1", f"--model_dir={tmp_path / 'run'}"),
        ("evaluate", "--model=sagan_digits_16"),
    ):
        for flags, message in (
            ((f"--dataset={tmp_path}",), "labels.csv names 1 image that is not there: hen.png"),
            ((f"--dataset={torn}",), f"folder {torn} is no zip archive, or a torn one."),
            ((f"--dataset={folder}", "--split=train[:9"), "--split must be the name of one"),
            ((f"--dataset={folder}", "--fit=wrong"), "Unknown fit: wrong. Valid: crop, pad, str"),
        ):
            assert message in error_line(*program, *flags)
    assert not (tmp_path / "run").exists()


def test_a_class_without_images_is_not_trained(make_folder, tmp_path):
    folder = make_folder("cat/0.png", "cat/1.png", "cat/2.png", "hen/3.png")
    flags = ("train", f"--model_dir={tmp_path / 'run'}", f"--dataset={folder}", *GREY)
    line = error_line(*flags, "--split=train[:1]")
    assert "has no image of hen in --split=train[:1], but images of it would be generated" in line


def test_the_images_of_training_are_known_wherever_they_lie(folder, tmp_path, monkeypatch):
    """A model of a slice is never scored by images that it has seen."""
    sagan = tiny(2)
    sagan.recipe = Recipe(
        dataset=str(folder),
        split="train[:75%]",
        dataset_digest=ImageFolder(folder, "train[:75%]").digest(),
    )
    sagan.class_names = ("4", "7")
    sagan.save_preset(tmp_path / "model")
    shutil.copytree(folder, tmp_path / "moved")
    monkeypatch.chdir(folder.parent)
    output = tmp_path / "scores.json"
    flags = (f"--model={tmp_path / 'model'}", f"--output={output}", "--features=digits_classifier")
    for name in (f"{folder}/", "./pets", f"{folder}.zip", tmp_path / "moved"):
        run("evaluate", *flags, f"--dataset={name}", "--metrics=kid", "--num_images=20")
        assert read_json(output)["split"] == "train[75%:]", name
    (tmp_path / "moved" / "00000" / "img00000000.png").unlink()
    table = {
        "labels": [[f"00000/img{number:08}.png", 4 + 3 * (number % 2)] for number in range(1, 80)]
    }
    (tmp_path / "moved" / "dataset.json").write_text(json.dumps(table))
    run("evaluate", *flags, f"--dataset={tmp_path / 'moved'}", "--metrics=kid", "--num_images=20")
    assert read_json(output)["split"] == "train"
    # Its own folder with other images in it.
    sagan.recipe = sagan.recipe.replace(dataset=str(tmp_path / "moved"))
    sagan.save_preset(tmp_path / "model")
    line = error_line("evaluate", *flags, "--metrics=kid", "--num_images=20")
    assert f"has other images now than {tmp_path / 'model'} was trained on, and train[75%:]" in line


def test_a_monitored_score_that_is_left_out_is_said_before_anything_is_written(folder, tmp_path):
    flags = (
        f"--dataset={folder}",
        f"--model_dir={tmp_path / 'run'}",
        "--features=digits_classifier",
    )
    scored = ("--split=train[:75%]", "--evaluate_every=1", "--monitor=fid", "--steps=1")
    line = error_line("train", *flags, *scored, *GREY)
    assert line.startswith(
        "--monitor=fid is left out here: 64 features need as many images. Received: 20"
    )
    assert not (tmp_path / "run" / "config.json").exists()
