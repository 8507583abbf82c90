"""Scores as a user asks for them: in processes of their own, on the real digits."""

import json
import subprocess
import sys

import pytest
from PIL import Image

from tests.experiments.programs_test import ROOT, SMALL, error_line, run_well

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return f"--cache_dir={tmp_path_factory.mktemp('cache')}"


@pytest.fixture(scope="module")
def report(cache, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    output = run_well(
        "evaluate",
        "--model=sagan_digits_16",
        "--real_vs_real",
        "--repeats=2",
        f"--output={folder / 'new' / 'scores.json'}",
        f"--nearest={folder / 'nearest.png'}",
        cache,
    )
    report = json.loads((folder / "new" / "scores.json").read_text())
    return folder, output, report


def test_the_shipped_digits_score_well(report):
    figures = {name: each["mean"] for name, each in report[2]["generated"]["figures"].items()}
    assert figures["recognised"] >= 0.985
    assert figures["precision"] >= 0.93
    assert figures["recall"] >= 0.75
    assert figures["coverage"] >= 0.85
    assert 0.9 < figures["diversity"] < 1.1
    assert 0.8 < figures["nearest_ratio"] < 1.2


def test_a_report_says_what_the_scores_depend_on(report):
    report = report[2]
    assert (report["model"], report["dataset"], report["split"]) == (
        "sagan_digits_16",
        "digits",
        "train",
    )
    assert report["num_available"] == 1797
    assert len(report["weights"]) == 16
    assert report["skip_corrupt"] is False
    # Both columns are of as many images.
    for part in ("generated", "real_vs_real"):
        assert report[part]["num_images"] == report[part]["num_real_images"] == 898
    assert report["seeds"] == [0, 1]
    assert report["features"]["name"] == "classifier"
    assert report["features"]["accuracy"] >= 0.97
    assert {"fingerprint", "input_size", "resizer", "dimension"} <= set(report["features"])
    assert report["protocol"]["labels"] == "uniform"
    assert report["protocol"]["use_ema"] is True
    assert {"tensorflow", "keras", "sagan-tf"} <= set(report["versions"])
    assert "git_revision" in report
    assert [row["class"] for row in report["generated"]["classes"]] == list("0123456789")
    assert set(report["generated"]["attention"]["attention_8"]) == {
        "gate",
        "distance",
        "even_distance",
        "entropy",
        "even_entropy",
        "effect",
    }
    for part in ("generated", "real_vs_real"):
        fid = report[part]["figures"]["fid"]
        assert len(fid["values"]) == 2
        assert fid["std"] > 0


def test_the_table_and_the_picture(report):
    folder, output, _ = report
    lines = [line.split() for line in output.splitlines()]
    for name in ("fid", "kid", "is", "precision", "recall", "intra_fid", "recognised"):
        assert any(line[:1] == [name] and line.count("±") == 2 for line in lines)
    assert "sagan_digits_16 against digits (train), by 64 features of classifier" in output
    assert str(folder / "nearest.png") in output
    width, height = Image.open(folder / "nearest.png").size
    assert width > 8 * 64
    assert height > 10 * 64


# Always the same features and weights: nothing but the flag may make a difference.
SEVERAL = """
import functools, json, sys
from absl import flags
from absl.testing import flagsaver
from experiments import evaluate
from sagan_tf import data, training
from sagan_tf.evaluation import Classifier

digits = Classifier.trained_on(data.find_dataset("digits"), 16, 1)
Classifier.trained_on = lambda *args, **kwargs: digits
training.load_model = functools.cache(training.load_model)
for arguments in json.loads(sys.argv[1]):
    with flagsaver.flagsaver():
        flags.FLAGS(["evaluate.py", "--model=sagan_digits_16", "--metrics=fid", *arguments])
        try:
            evaluate.main()
        except ValueError as error:
            print("refused:", error)
"""
BASE = "--num_images=100"
# Each with where it is in the report, and what is there.
FLAGS = {
    "--labels=data": ("protocol", "labels", "data"),
    "--truncation=0.5": ("protocol", "truncation", 0.5),
    "--noema": ("protocol", "use_ema", False),
    "--standing_statistics=2": ("protocol", "standing_statistics", 2),
    "--seed=7": ("protocol", "seed", 7),
    "--num_real_images=200": ("generated", "num_real_images", 200),
    "--num_images=120": ("generated", "num_images", 120),
    "--split=train[:90%]": ("num_available", 1617),
}


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """What is printed, and a dict from flags to reports, of many evaluations in one process."""
    from sagan_tf.data import find_dataset

    folder = tmp_path_factory.mktemp("several")
    digits = find_dataset("digits")
    for index in range(90):
        example = digits.read(index)
        path = folder / "images" / f"class {example.label}" / f"{index}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(example.encoded if index != 40 else b"torn")
    torn = (f"--dataset={folder / 'images'}", "--num_images=90")
    runs = {
        BASE: [],
        **{flag: [flag] for flag in FLAGS},
        "torn": torn,
        "--skip_corrupt": [*torn, "--skip_corrupt"],
        "--nearest": ["--num_real_images=3", "--metrics=kid", f"--nearest={folder / 'near.png'}"],
    }
    arguments = [
        [BASE, *flags, f"--output={folder / str(number)}"]
        for number, flags in enumerate(runs.values())
    ]
    program = [sys.executable, "-c", SEVERAL, json.dumps(arguments)]
    result = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0, result.stderr
    reports = {
        flag: json.loads((folder / str(number)).read_text())
        for number, flag in enumerate(runs)
        if (folder / str(number)).exists()
    }
    return result.stdout, reports, folder


def fid(report):
    return report["generated"]["figures"]["fid"]["mean"]


@pytest.mark.parametrize("flag", FLAGS)
def test_each_flag_is_in_the_report_and_makes_a_difference(several, flag):
    base, report = several[1][BASE], several[1][flag]
    *path, expected = FLAGS[flag]
    found, before = report, base
    for key in path:
        found, before = found[key], before[key]
    assert found == expected != before
    assert abs(fid(report) / fid(base) - 1) > 1e-3
    assert (report["weights"] != base["weights"]) == (flag == "--noema")
    assert report["split"] == ("train[:90%]" if "split" in flag else "train")
    assert report["seeds"] == [7 if "seed" in flag else 0]
    rows = report["generated"]["classes"]
    as_in_data = [row["images"] for row in rows] == [row["real_images"] for row in rows]
    assert as_in_data == (flag == "--labels=data")


def test_broken_images_are_skipped_when_asked(several):
    output, reports, _ = several
    assert "refused: Cannot decode" in output
    assert "torn" not in reports
    assert reports["--skip_corrupt"]["skip_corrupt"] is True
    assert reports["--skip_corrupt"]["generated"]["num_real_images"] == 90


def test_fewer_real_images_than_neighbours_are_all_shown(several):
    _, reports, folder = several
    assert reports["--nearest"]["generated"]["num_real_images"] == 3
    picture = Image.open(folder / "near.png")
    # A column for the sample, and one for each real image.
    assert picture.width / picture.height < 4.5 / 10


def test_training_keeps_the_best_checkpoint_by_a_score(cache, tmp_path):
    directory = tmp_path / "run"
    train = ("train", f"--model_dir={directory}", "--steps=6", cache, *SMALL)
    scored = (
        *train,
        "--log_every=4",
        "--evaluate_every=3",
        "--metrics=fid,prdc",
        "--monitor=fid",
        "--keep=1",
    )
    run_well(*scored, "--num_images=100")
    records = [json.loads(line) for line in (directory / "metrics.jsonl").open()]
    assert [record["step"] for record in records] == [3, 4, 6]
    scores = {record["step"]: record["fid"] for record in records if "fid" in record}
    assert set(scores) == {3, 6}
    best = min(scores, key=scores.__getitem__)
    kept = {path.name for path in (directory / "checkpoints").iterdir()}
    assert kept == {f"step_{best:07d}", "step_0000006"}
    # The data set of a run is known.
    model = directory / "checkpoints" / "step_0000006"
    output = run_well("evaluate", f"--model={model}", "--metrics=fid", "--num_images=100", cache)
    assert f"{model} against digits (train)" in output
    # Figures of other settings are not mixed with these.
    before = (directory / "metrics.jsonl").read_text()
    line = error_line(*scored, "--num_images=120", "--steps=9", "--extend")
    assert "(num_images=100 there, 120 here; num_real_images=100 there, 120 here)" in line
    assert (directory / "metrics.jsonl").read_text() == before


@pytest.mark.parametrize(
    "flags", [["--monitor=fid"], ["--metrics=kid", "--num_images=90", "--monitor=recognised"]]
)
def test_flags_that_would_do_nothing_are_refused(tmp_path, flags):
    line = error_line("train", f"--model_dir={tmp_path / 'run'}", "--steps=1", *flags)
    names = ", ".join(flag if "monitor" in flag else flag.split("=")[0] for flag in flags)
    assert line.endswith(f"{names}: nothing is scored without --evaluate_every=STEPS")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--metrics=fidd"], "Unknown metric: fidd. Did you mean fid"),
        (["--num_images=5000"], "has 1797 images, fewer than the 5000 to compare with"),
        (["--num_images=50", "--metrics=fid"], "64 features needs as many images"),
        (["--truncation=2"], "`truncation` must be in (0, 1]"),
        (["--features=inception"], "--features=inception needs --features_file=FILE, or --down"),
        (["--features=keras_inception"], "--features=keras_inception needs --features_file=FILE"),
        (["--features_file=x.pb"], "--features_file goes with --features=inception or keras"),
        (["--features=inception", "--features_file=no.pb"], "no.pb"),
        (["--features=keras_inception", "--features_file=no.h5"], "no.h5"),
        (["--model=no_such"], "No preset at no_such"),
        (["--dataset=./nowhere"], "nowhere does not exist"),
        # Before anything else is looked at.
        (["--nearest=/", "--model=no_such"], "--nearest=/ cannot be written: Is a directory"),
        (["--output=/dev/null/a/b", "--model=no_such"], "--output=/dev/null/a/b cannot be writ"),
    ],
)
def test_bad_input_is_named(cache, tmp_path, flags, message):
    output = tmp_path / "scores.json"
    line = error_line("evaluate", "--model=sagan_digits_16", f"--output={output}", cache, *flags)
    assert message in line
    assert not output.exists()


def test_a_preset_elsewhere_does_not_know_its_data(tmp_path):
    from sagan_tf import SAGAN

    SAGAN.from_preset("sagan_digits_16").save_preset(tmp_path / "mine")
    line = error_line("evaluate", f"--model={tmp_path / 'mine'}")
    assert line.endswith("mine does not say what it was trained on: pass --dataset")
