"""Trained classifiers on disk: which is taken, which is made again."""

import json
import pathlib

import numpy as np
import pytest

from sagan_tf.data import find_dataset
from sagan_tf.data.decoding import decode_image
from sagan_tf.evaluation import Classifier
from sagan_tf.evaluation.features.classifier import BUNDLED_CLASSIFIERS, _read
from tests.data.samples import encoded
from tests.evaluation.features.stripes import (
    Stripes,
    exchanged,
    same,
    share_right,
    trained,
    warnings,
)

ROOT = pathlib.Path(__file__).parents[3]


def _flip_a_bit(entry):
    path = entry / "classifier.weights.h5"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _set(**changes):
    def change(entry):
        path = entry / "classifier.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change


def test_the_classifier_of_the_digits_comes_with_the_package(tmp_path, trainings):
    digits = find_dataset("digits")
    classifier = Classifier.trained_on(digits, 16, 1, cache_dir=tmp_path / "cache")
    assert not trainings and not list(tmp_path.iterdir())
    assert classifier.description["num_held_out"] == 359
    # Other processors may round one image to the other side.
    found = share_right(classifier, digits, 16)
    assert found == pytest.approx(classifier.accuracy, abs=1.5 / 359)


@pytest.mark.parametrize("name", BUNDLED_CLASSIFIERS)
def test_what_comes_with_the_package_is_whole(name):
    folder = ROOT / "saved_models" / name
    network, details = _read(folder, {})
    classifier = Classifier(network, **details)
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert f"`{classifier.fingerprint}`" in card
    assert f"{classifier.accuracy:.1%}".replace("%", " %") in card
    # Those of pixels of one color are finite, and of the promised number.
    shape = (2, *network.inputs[0].shape[1:])
    features, probabilities = classifier(np.full(shape, 99, "uint8"))
    assert features.shape == (2, classifier.dimension)
    assert probabilities.sum(axis=1) == pytest.approx(1.0)


def test_a_cached_classifier_is_not_trained_again(entry, classifier, trainings):
    again = trained(entry.parent)
    assert same(classifier, again)
    assert classifier.description == again.description
    assert not trainings
    files = {file.name for file in entry.iterdir()}
    assert files == {"classifier.json", "classifier.weights.h5"}
    trained(entry.parent, num_classes=3)
    assert not trainings
    _set(key="another")(entry)
    trained(entry.parent)
    assert len(trainings) == 1


@pytest.mark.usefixtures("trainings")
def test_the_cache_is_the_user_s_by_default(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with caplog.at_level("INFO", logger="absl"):
        trained(None, steps=1)
    (entry,) = (tmp_path / "sagan_tf").iterdir()
    expected = f"Training a classifier on stripes for 1 steps, to be kept in {entry.parent}"
    assert expected in caplog.text


@pytest.mark.parametrize(
    "damage",
    [
        _flip_a_bit,
        lambda entry: (entry / "classifier.weights.h5").unlink(),
        lambda entry: (entry / "classifier.json").write_text("[]"),
        _set(accuracy=1.5),
        _set(digest=None),
        _set(accuracy=0.999),
    ],
)
def test_damaged_entries_are_made_again(classifier, entry, damage, caplog, trainings):
    damage(entry)
    again = trained(entry.parent)
    assert len(trainings) == 1
    assert not same(classifier, again)
    (warning,) = warnings(caplog)
    assert f"{entry} is damaged" in warning
    assert "\n" not in warning
    assert list(entry.parent.iterdir()) == [entry]
    assert same(again, trained(entry.parent))
    assert len(trainings) == 1


def test_a_folder_that_cannot_be_written_is_a_warning(tmp_path, caplog, trainings):
    (tmp_path / "file").touch()
    assert trained(tmp_path / "file").accuracy == 0.5
    assert len(trainings) == 1
    (warning,) = warnings(caplog)
    assert "The classifier cannot be kept in" in warning and "\n" not in warning


def test_other_data_and_settings_are_other_entries(tmp_path, trainings):
    other_pixels = Stripes().read(3).encoded
    sources = [
        Stripes(),
        Stripes(size=63),
        Stripes(class_names=("a", "b", "d")),
        Stripes(exchanged=exchanged(0, label=1)),
        Stripes(exchanged=exchanged(59, label=1)),
        Stripes(exchanged=exchanged(30, encoded=other_pixels)),
        Stripes(exchanged=exchanged(30, encoded=b"?")),
    ]
    options = [{"image_size": 9}, {"channels": 3}, {"steps": 5}, {"skip_corrupt": True}]
    options.append({"source": Stripes(class_names=None), "num_classes": 3})
    for each in [*({"source": source} for source in sources), *options]:
        trained(tmp_path, **each)
    expected = len(sources) + len(options)
    assert len(trainings) == expected == len(list(tmp_path.iterdir()))
    # The same pixels are the same data, whatever their name and their files.
    trained(tmp_path, Stripes(name="other"))
    file = Stripes().read(5).encoded
    stored = encoded(decode_image(file, 8, 1)[..., 0], compress_level=0)
    assert stored != file
    trained(tmp_path, Stripes(exchanged=exchanged(5, name="moved", encoded=stored)))
    assert len(trainings) == expected
