"""Classifiers on disk, trusted only if whole."""

import json
import threading

import numpy as np
import pytest

from sagan_tf.data.decoding import decode_image
from sagan_tf.evaluation import classifier_cache, classifier_training
from sagan_tf.evaluation.classifier_cache import cache_key
from tests.data.samples import encoded
from tests.evaluation.stripes import Stripes, exchanged, same, trained


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def classifier(cache):
    return trained(cache)


@pytest.fixture
def entry(cache, classifier, tmp_path):
    """A copy of the one entry of the cache, in `tmp_path`."""
    (entry,) = cache.iterdir()
    copy = tmp_path / entry.name
    copy.mkdir()
    for file in entry.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    return copy


@pytest.fixture
def trainings(monkeypatch):
    """A list of a pair for each training, which is replaced by one that does nothing."""
    found = []

    def train(source, image_size, channels, num_classes, recipe, skip_corrupt):
        found.append((image_size, channels))
        return classifier_training.build_network(image_size, channels, num_classes), 0.5, 12

    monkeypatch.setattr(classifier_training, "train", train)
    return found


def warnings(caplog):
    """Those of this package, and not TensorFlow's that it is traced often."""
    found = [record for record in caplog.records if record.levelname == "WARNING"]
    return [record.getMessage() for record in found if record.name == "absl"]


def test_a_cached_classifier_is_not_trained_again(entry, classifier, trainings):
    again = trained(entry.parent)
    assert same(classifier, again)
    assert classifier.description == again.description
    assert not trainings
    trained(entry.parent, steps=5)
    assert len(trainings) == 1


def test_the_cache_is_a_folder_of_weights_and_json(cache, classifier):
    (entry,) = cache.iterdir()
    assert entry.name.startswith("classifier_")
    assert sorted(file.name for file in entry.iterdir()) == [
        "classifier.json",
        "classifier.weights.h5",
    ]
    config = json.loads((entry / "classifier.json").read_text())
    assert config["key"].startswith(entry.name.removeprefix("classifier_"))
    assert config["accuracy"] == classifier.accuracy
    assert config["recipe"] == classifier.description["recipe"]


@pytest.mark.usefixtures("trainings")
def test_the_cache_is_the_user_s_by_default(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    trained(None, steps=1)
    assert len(list((tmp_path / "sagan_tf").glob("classifier_*/classifier.json"))) == 1


def _flip_a_bit(entry):
    path = entry / "classifier.weights.h5"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _cut_off(entry):
    path = entry / "classifier.weights.h5"
    path.write_bytes(path.read_bytes()[:1000])


def _set(**changes):
    def change(entry):
        path = entry / "classifier.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change


@pytest.mark.parametrize(
    "damage",
    [
        _flip_a_bit,
        _cut_off,
        lambda entry: (entry / "classifier.weights.h5").unlink(),
        lambda entry: (entry / "classifier.json").unlink(),
        lambda entry: (entry / "classifier.json").write_text("{"),
        lambda entry: (entry / "classifier.json").write_text("[]"),
        _set(key="another"),
        _set(accuracy="high"),
        _set(accuracy=1.5),
        _set(sha256=None),
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


@pytest.mark.parametrize("folder", ["file/folder", "file"])
def test_a_folder_that_cannot_be_written_is_a_warning(tmp_path, folder, caplog, trainings):
    (tmp_path / "file").touch()
    assert trained(tmp_path / folder).accuracy == 0.5
    assert len(trainings) == 1
    (warning,) = warnings(caplog)
    assert "The classifier cannot be kept in" in warning
    assert "\n" not in warning


def test_several_may_write_at_once(classifier, tmp_path):
    """They exchange the folder, and whoever comes last has a whole one there."""
    networks = [classifier_training.build_network(8, 1, 3, seed) for seed in range(4)]

    def write(seed):
        for _ in range(5):
            classifier_cache.write(tmp_path, "k" * 64, networks[seed], accuracy=0.5, num_held_out=9)

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    network = classifier_training.build_network(8, 1, 3, 9)
    found = classifier_cache.read(tmp_path, "k" * 64, network)
    assert found == {"accuracy": 0.5, "num_held_out": 9}
    kernels = [each.get_layer("stem").kernel.numpy() for each in networks]
    assert any(np.array_equal(network.get_layer("stem").kernel, kernel) for kernel in kernels)
    assert [path.name for path in tmp_path.iterdir()] == ["classifier_" + "k" * 16]


def key(source=None, image_size=8, channels=1, **settings):
    return cache_key(source or Stripes(), image_size, channels, **settings)


def test_the_key_tells_data_and_settings_apart():
    other_pixels = Stripes().read(3).encoded
    sources = [
        Stripes(),
        Stripes(name="other"),
        Stripes(size=63),
        Stripes(class_names=None),
        Stripes(class_names=("a", "b", "d")),
        Stripes(exchanged=exchanged(0, label=1)),
        Stripes(exchanged=exchanged(59, label=1)),
        Stripes(exchanged=exchanged(30, encoded=other_pixels)),
        Stripes(exchanged=exchanged(30, encoded=b"?")),
        Stripes(exchanged={31: OSError("gone")}),
    ]
    keys = [key(source) for source in sources]
    keys += [key(image_size=16), key(channels=3), key(num_classes=4)]
    assert len(set(keys)) == len(keys)
    assert keys[0] == key()


def test_the_key_is_of_pixels_and_not_of_files():
    pixels = decode_image(Stripes().read(5).encoded, 8, 1)[..., 0]
    stored = encoded(pixels, compress_level=0)
    assert stored != Stripes().read(5).encoded
    assert key() == key(Stripes(exchanged=exchanged(5, name="moved", encoded=stored)))


def test_one_label_among_thousands_changes_the_key():
    class Many(Stripes):
        def read(self, index):
            return self.exchanged.get(index) or super().read(index % 60)

    assert key(Many(size=5000)) != key(Many(size=5000, exchanged=exchanged(17, label=0)))


@pytest.mark.parametrize(
    "changes", [{"skip_corrupt": True}, {"num_classes": 3}, {"image_size": 9}, {"channels": 3}]
)
def test_other_settings_are_other_entries(entry, changes, trainings):
    trained(entry.parent, **changes)
    is_default = changes == {"num_classes": 3}
    assert len(trainings) == (0 if is_default else 1)
    assert len(list(entry.parent.iterdir())) == (1 if is_default else 2)


def test_large_data_sets_are_sampled_for_the_key():
    example = Stripes().read(0)

    class Counting(Stripes):
        def read(self, index):
            found.append(index)
            return example

    found = []
    key(Counting(size=1_000_000))
    found.sort()
    assert len(found) == 10_000
    assert (found[0], found[-1]) == (0, 999_999)
    assert set(np.diff(found)) == {100, 101}


@pytest.mark.usefixtures("trainings")
def test_says_that_it_trains(tmp_path, caplog):
    with caplog.at_level("INFO"):
        trained(tmp_path)
    assert f"Training a classifier on stripes for 4 steps, to be kept in {tmp_path}" in caplog.text
