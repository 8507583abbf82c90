"""Scores as a user asks for them, on the real digits."""

import json

import pytest
from PIL import Image

from sagan_tf import SAGAN, Discriminator, Generator
from sagan_tf.data import find_dataset
from sagan_tf.evaluation import Classifier
from sagan_tf.files import read_json, read_json_lines
from tests.experiments.programs import SMALL, error_line, run, run_process

DIGITS = "--model=sagan_digits_16"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return f"--cache_dir={tmp_path_factory.mktemp('cache')}"


def test_the_report_of_the_shipped_digits(cache, tmp_path):
    output, nearest = tmp_path / "new" / "scores.json", tmp_path / "nearest.png"
    files = (f"--output={output}", f"--nearest={nearest}")
    result = run_process("evaluate", DIGITS, "--real_vs_real", "--repeats=2", *files, cache)
    assert result.returncode == 0, result.stderr
    report = json.loads(output.read_text())

    scores = {name: each["mean"] for name, each in report["generated"]["scores"].items()}
    assert scores["recognized"] >= 0.985
    assert scores["precision"] >= 0.93
    assert scores["recall"] >= 0.75
    assert scores["coverage"] >= 0.85
    assert 0.9 < scores["diversity"] < 1.1
    assert 0.8 < scores["nearest_ratio"] < 1.2

    # It says what they depend on.
    about = {"model": "sagan_digits_16", "dataset": "digits", "split": "train", "seeds": [0, 1]}
    assert about.items() <= report.items()
    assert report["num_available"] == 1797
    assert len(report["weights"]) == 16
    assert report["skip_corrupt"] is False
    assert report["features"]["name"] == "classifier"
    assert report["features"]["accuracy"] >= 0.97
    assert {"fingerprint", "input_size", "dimension"} <= set(report["features"])
    assert {"labels_from": "uniform", "ema": True}.items() <= report["protocol"].items()
    assert {"tensorflow", "keras", "sagan-tf"} <= set(report["versions"])
    assert "git_revision" in report
    assert [row["class"] for row in report["generated"]["classes"]] == list("0123456789")
    numbers = {"gate", "distance", "even_distance", "entropy", "even_entropy", "effect"}
    assert set(report["generated"]["attention"]["attention_8"]) == numbers
    for part in ("generated", "real_vs_real"):
        # Both columns are of as many images.
        assert report[part]["num_images"] == report[part]["num_real_images"] == 898
        fid = report[part]["scores"]["fid"]
        assert len(fid["values"]) == 2
        assert fid["std"] > 0

    lines = [line.split() for line in result.stdout.splitlines()]
    for name in ("fid", "kid", "is", "precision", "recall", "intra_fid", "recognized"):
        assert any(line[:1] == [name] and line.count("±") == 2 for line in lines)
    assert "sagan_digits_16 against digits (train), by 64 features of classifier" in result.stdout
    assert str(nearest) in result.stdout
    width, height = Image.open(nearest).size
    assert width > 8 * 64
    assert height > 10 * 64

    line = error_line("evaluate", DIGITS, "--real_vs_real", "--num_images=899", cache)
    assert line.startswith("--num_images must be at most 898, a half of the real images, with --re")


@pytest.fixture(scope="module")
def evaluate(tmp_path_factory):
    """Function of flags that returns the report, by the same features and weights each time."""
    digits = Classifier.trained_on(find_dataset("digits"), 16, 1)
    sagan = SAGAN.from_preset("sagan_digits_16")
    output = tmp_path_factory.mktemp("reports") / "report.json"
    cache = f"--cache_dir={tmp_path_factory.mktemp('cache')}"

    def evaluate(*arguments):
        run(
            "evaluate",
            DIGITS,
            "--metrics=fid",
            "--num_images=100",
            f"--output={output}",
            cache,
            *arguments,
        )
        return read_json(output)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Classifier, "trained_on", lambda *args, **kwargs: digits)
        patch.setattr(SAGAN, "from_preset", lambda *args: sagan)
        yield evaluate


@pytest.fixture(scope="module")
def base(evaluate):
    return evaluate()


def fid(report):
    return report["generated"]["scores"]["fid"]["mean"]


@pytest.mark.parametrize(
    ("flag", "path", "expected"),
    [
        ("--labels_from=data", ("protocol", "labels_from"), "data"),
        ("--truncation=0.5", ("protocol", "truncation"), 0.5),
        ("--noema", ("protocol", "ema"), False),
        ("--standing_statistics=2", ("protocol", "standing_statistics"), 2),
        ("--seed=7", ("protocol", "seed"), 7),
        ("--num_real_images=200", ("generated", "num_real_images"), 200),
        ("--num_images=120", ("generated", "num_images"), 120),
        ("--split=train[:90%]", ("num_available",), 1617),
    ],
)
def test_each_flag_is_in_the_report_and_makes_a_difference(evaluate, base, flag, path, expected):
    report = found = evaluate(flag)
    before = base
    for key in path:
        found, before = found[key], before[key]
    assert found == expected != before
    assert abs(fid(report) / fid(base) - 1) > 1e-3
    assert (report["weights"] != base["weights"]) == (flag == "--noema")
    assert report["split"] == ("train[:90%]" if "split" in flag else "train")
    assert report["seeds"] == [7 if "seed" in flag else 0]
    rows = report["generated"]["classes"]
    as_in_data = [row["images"] for row in rows] == [row["real_images"] for row in rows]
    assert as_in_data == ("data" in flag)


def test_broken_images_are_skipped_when_asked(evaluate, tmp_path):
    digits = find_dataset("digits")
    for index in range(90):
        example = digits.read(index)
        path = tmp_path / f"class {example.label}" / f"{index}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(example.encoded if index != 40 else b"torn")
    torn = (f"--dataset={tmp_path}", "--num_images=90")
    with pytest.raises(SystemExit, match="Cannot decode"):
        evaluate(*torn)
    report = evaluate(*torn, "--skip_corrupt")
    assert report["skip_corrupt"] is True
    assert report["generated"]["num_real_images"] == 90


def test_fewer_real_images_than_neighbors_are_all_shown(evaluate, tmp_path):
    report = evaluate("--num_real_images=3", "--metrics=kid", f"--nearest={tmp_path / 'near.png'}")
    assert report["generated"]["num_real_images"] == 3
    picture = Image.open(tmp_path / "near.png")
    # A column for the sample, and one for each real image.
    assert picture.width / picture.height < 4.5 / 10


def test_what_is_shown_is_what_is_scored(tmp_path):
    shown = []
    for batches in (0, 1):
        path = tmp_path / f"{batches}.png"
        few = ("--features=digits_classifier", "--metrics=kid", "--num_images=20")
        run("evaluate", DIGITS, *few, f"--standing_statistics={batches}", f"--nearest={path}")
        shown.append(path.read_bytes())
    assert shown[0] != shown[1]


def test_training_keeps_the_best_checkpoint_by_a_score(cache, tmp_path, capsys):
    directory = tmp_path / "run"
    train = ("train", f"--model_dir={directory}", cache, "--log_every=4", "--keep=1", *SMALL)
    scored = (*train, "--evaluate_every=3", "--metrics=fid,prdc", "--monitor=fid")
    run(*scored, "--steps=6", "--num_images=100")
    records = read_json_lines(directory / "metrics.jsonl")
    assert [record["step"] for record in records] == [3, 4, 6]
    scores = {record["step"]: record["fid"] for record in records if "fid" in record}
    assert set(scores) == {3, 6}
    best = min(scores, key=scores.__getitem__)
    kept = {path.name for path in (directory / "checkpoints").iterdir()}
    assert kept == {f"step_{best:07d}", "step_0000006"}
    # The data set of a run is known.
    model = directory / "checkpoints" / "step_0000006"
    run("evaluate", f"--model={model}", "--metrics=fid", "--num_images=100", cache)
    assert f"{model} against digits (train)" in capsys.readouterr().out
    # Scores by other settings are not mixed with these.
    before = (directory / "metrics.jsonl").read_text()
    line = error_line(*scored, "--steps=9", "--extend", "--num_images=120")
    assert "(num_images=100 there, 120 here; num_real_images=100 there, 120 here)" in line
    assert (directory / "metrics.jsonl").read_text() == before


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--num_images=5000"], "has 1797 images, fewer than the 5000 to compare with"),
        (["--num_images=50", "--metrics=fid"], "64 features need as many images"),
    ],
)
def test_what_does_not_fit_the_data(cache, flags, message):
    assert message in error_line("evaluate", DIGITS, cache, *flags)


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--truncation=2"], "--truncation must be in (0, 1]"),
        (["--features=inception"], "--features=inception needs --features_file=FILE, or --down"),
        (["--features=keras_inception"], "Unknown features: keras_inception. Did you mean incep"),
        (["--features_file=x.pb"], "--features_file goes with --features=inception"),
        (["--features=inception", "--features_file=no.pb"], "--features_file=no.pb does not exist"),
        (["--dataset=./nowhere"], "nowhere does not exist"),
        (["--nearest=/", "--model=no_such"], "--nearest=/ cannot be written: Is a directory"),
        (["--output=/dev/null/a", "--model=no_such"], "--output=/dev/null/a cannot be written"),
    ],
)
def test_wrong_input_is_named(flags, message):
    assert message in error_line("evaluate", DIGITS, *flags)


@pytest.mark.usefixtures("at_once")
def test_a_model_may_not_know_its_data(tmp_path):
    small = {"image_size": 16, "num_classes": None, "base_channels": 2}
    SAGAN(Generator(latent_dim=4, **small), Discriminator(**small)).save_preset(tmp_path)
    line = error_line("evaluate", f"--model={tmp_path}")
    assert line == f"{tmp_path} does not say what it was trained on: pass --dataset"


def test_features_that_are_there_train_nothing(evaluate, monkeypatch, capsys):
    monkeypatch.setattr(Classifier, "trained_on", None)
    report = evaluate("--features=cifar10_classifier", "--split=train[90%:]", "--metrics=kid,is")
    assert report["features"]["name"] == "cifar10_classifier"
    assert "recognized" not in report["generated"]["scores"]
    assert "256 features of cifar10_classifier 983db68651603593\n" in capsys.readouterr().out


def test_held_out_images_are_scored_by_a_classifier_of_the_others(evaluate, monkeypatch):
    sizes = []
    trained_on = Classifier.trained_on

    def recorded(source, *args, **kwargs):
        sizes.append(len(source))
        return trained_on(source, *args, **kwargs)

    monkeypatch.setattr(Classifier, "trained_on", recorded)
    report = evaluate("--split=train[90%:]")
    assert report["num_available"] == 180
    assert sizes == [1797]


def test_a_run_is_scored_by_held_out_images(cache, tmp_path, capsys):
    directory = tmp_path / "run"
    flags = (f"--model_dir={directory}", cache, *SMALL, "--num_images=100", "--steps=2")
    held_out = ("--split=train[:90%]", "--evaluate_every=2")
    run("train", *flags, *held_out)
    assert "Scores are against train[90%:]: 180 images in 10 classes" in capsys.readouterr().out
    assert "fid" in read_json_lines(directory / "metrics.jsonl")[-1]
    settings = read_json(directory / "evaluation.json")
    assert settings["split"] == "train[90%:]"
    others = ("--evaluate_split=train[:90%]", "--steps=3", "--extend")
    line = error_line("train", *flags, *held_out, *others)
    assert "split=train[90%:] there, train[:90%] here" in line
    # The same goes for its scores afterwards, unless a split is named.
    scores = (
        f"--model={directory}",
        cache,
        "--metrics=kid",
        f"--output={tmp_path / 'scores.json'}",
    )
    for more, split, size in ((), "train[90%:]", 180), (("--split=train",), "train", 1797):
        run("evaluate", *scores, "--num_images=100", *more)
        report = read_json(tmp_path / "scores.json")
        assert (report["split"], report["num_available"]) == (split, size)
