"""Scores of images of any origin, and against published statistics."""

import shutil

import numpy as np
import pytest
from PIL import Image

from sagan_tf.data import find_dataset
from sagan_tf.data.image_reader import ImageReader
from sagan_tf.evaluation import Inception
from sagan_tf.files import read_json
from tests.evaluation.features.inception_test import frozen_graph
from tests.experiments.programs import error_line, run

DIGITS = "--model=sagan_digits_16"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return f"--cache_dir={tmp_path_factory.mktemp('cache')}"


def fid(report):
    return report["generated"]["scores"]["fid"]["mean"]


def test_a_folder_of_images_is_scored_in_place_of_a_model(cache, tmp_path, capsys):
    generated, output = tmp_path / "generated", tmp_path / "scores.json"
    run("sample", DIGITS, "--num_images=150", "--seed=0", f"--output={generated}")
    flags = ("--num_images=150", f"--output={output}", cache)
    run("evaluate", DIGITS, *flags)
    expected = read_json(output)
    images = (f"--images={generated}", "--dataset=digits")
    run("evaluate", *images, *flags, f"--nearest={tmp_path / 'nearest.png'}")
    found = read_json(output)
    assert f"{generated} against digits (train), by 64 features" in capsys.readouterr().out
    assert found["images"] == str(generated)
    assert found["model"] is found["weights"] is None
    assert found["protocol"] == expected["protocol"]
    assert found["features"] == expected["features"]
    for name in ("fid", "precision", "recall", "recognized", "diversity"):
        pair = [report["generated"]["scores"][name]["mean"] for report in (found, expected)]
        np.testing.assert_allclose(*pair, rtol=0.02)
    classes = [
        [row["images"] for row in report["generated"]["classes"]] for report in (found, expected)
    ]
    assert classes[0] == classes[1]
    assert Image.open(tmp_path / "nearest.png").height > 10 * 64

    # Without folders of classes, and with fewer images, there are the scores of whole sets.
    flat = tmp_path / "flat"
    flat.mkdir()
    for number, path in enumerate(sorted(generated.rglob("*.png"))[:100]):
        shutil.copy(path, flat / f"{number}.png")
    run("evaluate", f"--images={flat}", "--dataset=digits", f"--output={output}", cache)
    found = read_json(output)["generated"]
    assert (found["num_images"], found["num_real_images"], found["classes"]) == (100, 100, [])
    assert "recognized" not in found["scores"]
    assert (read_json(output)["image_size"], read_json(output)["channels"]) == (16, 1)
    Image.open(flat / "70.png").convert("RGB").save(flat / "70.png")
    bundled = ("--dataset=digits", "--features=digits_classifier", "--metrics=kid", cache)
    line = error_line("evaluate", f"--images={flat}", *bundled)
    assert line == "The classifier was trained on gray images. Received: images with 3 channels"

    (generated / "7").rename(generated / "seven")
    line = error_line("evaluate", *images, cache)
    assert "has folders that are no classes of digits" in line and "seven" in line


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--images needs --dataset=NAME or --statistics=FILE to compare them with"),
        ([DIGITS], "What is to be scored is --model=NAME, or else --images=DIR"),
        (["--dataset=digits", "--noema"], "--ema does nothing with --images, for which nothing"),
        (["--dataset=digits", "--num_images=3"], "has 2 images, fewer than --num_images=3"),
        (["--dataset=digits"], "images of 7x5 pixels, which are too small: pass --image_size=16"),
        (["--dataset=./nowhere"], "nowhere does not exist"),
        (["--images=./nowhere"], "The image folder nowhere does not exist"),
        (["--dataset=digits", "--image_size=20"], "--image_size must be one of [16, 32, 64, 128, "),
    ],
)
def test_wrong_input_to_score_images(make_folder, flags, message):
    folder = make_folder("a/0.png", "a/1.png")
    assert message in error_line("evaluate", f"--images={folder}", *flags)


@pytest.mark.usefixtures("at_once")
def test_a_model_has_a_size_of_its_own():
    line = error_line("evaluate", DIGITS, "--image_size=32")
    assert (
        line == "--image_size does nothing with --model, which has a size and channels of its own"
    )
    assert "What is to be scored is --model=NAME" in error_line("evaluate")


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Flags of a graph with the names of Inception's, and of its statistics of 300 real digits."""
    folder = tmp_path_factory.mktemp("published")
    (folder / "graph.pb").write_bytes(frozen_graph())
    source, network = find_dataset("digits"), Inception(folder / "graph.pb")
    chosen = np.random.default_rng(0).permutation(1797)[:300]
    read = ImageReader(source, 16, 1)
    features, _ = network(np.stack([read(index)[0] for index in chosen]))
    features = features.astype("float64")
    np.savez(folder / "digits.npz", mu=features.mean(axis=0), sigma=np.cov(features.T))
    graph = ("--features=inception", f"--features_file={folder / 'graph.pb'}", "--num_images=300")
    return graph, f"--statistics={folder / 'digits.npz'}"


def test_published_statistics_stand_for_the_real_images(published, cache, tmp_path, capsys):
    graph, statistics = published
    output = tmp_path / "scores.json"
    run("evaluate", DIGITS, *graph, "--metrics=fid", f"--output={output}", cache)
    expected = read_json(output)
    run("evaluate", DIGITS, *graph, statistics, f"--output={output}", "--repeats=2")
    found = read_json(output)
    for key in ("weights", "features", "versions"):
        assert found[key] == expected[key]
    assert found["seeds"] == [0, 1]
    values = found["generated"]["scores"]["fid"]["values"]
    np.testing.assert_allclose(values[0], fid(expected), rtol=1e-3)
    assert abs(values[1] / values[0] - 1) > 1e-4
    assert f"fid  {np.mean(values):.4f} ± " in capsys.readouterr().out
    # The images of a folder are scored likewise.
    run("sample", DIGITS, "--num_images=300", "--seed=0", f"--output={tmp_path / 'images'}")
    run("evaluate", f"--images={tmp_path / 'images'}", *graph, statistics, f"--output={output}")
    np.testing.assert_allclose(fid(read_json(output)), values[0], rtol=1e-3)
    np.savez(tmp_path / "other.npz", mu=np.zeros(3), sigma=np.eye(3))
    line = error_line("evaluate", DIGITS, *graph, f"--statistics={tmp_path / 'other.npz'}")
    assert line == f"{tmp_path / 'other.npz'} is of 3 features, but there are 243"


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--dataset=digits"], "--dataset does nothing with --statistics, which is for the FID al"),
        (["--metrics=kid"], "--metrics does nothing with --statistics, which is for the FID alone"),
        (["--features=classifier"], "are of Inception's features: pass --features=inception"),
        (["--statistics=/nowhere"], "Cannot read /nowhere: [Errno 2] No such file"),
        (["--num_images=200"], "243 features need as many images. Received: 200. Take more, or ac"),
    ],
)
def test_wrong_input_to_published_statistics(published, flags, message):
    graph, statistics = published
    graph = graph[:1] if "classifier" in flags[0] else graph
    assert message in error_line("evaluate", DIGITS, *graph, statistics, *flags)
