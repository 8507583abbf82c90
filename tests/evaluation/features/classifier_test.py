"""Classifiers: trained the same way every time, kept on disk, and what they make of images."""

import dataclasses
import json
import pathlib
import random
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from scipy.special import softmax

from sagan_tf.data import Example, Source, Subset, find_dataset, pipeline
from sagan_tf.data.decoding import decode_image
from sagan_tf.evaluation import Classifier
from sagan_tf.evaluation.features import classifier as module
from tests.data.samples import encoded
from tests.evaluation.errors import message

ROOT = pathlib.Path(__file__).parents[3]
IMAGES = np.random.default_rng(11).integers(0, 256, (70, 8, 8, 1), np.uint8)


@dataclasses.dataclass
class Stripes(Source):
    """Noisy 8x8 images that are brighter in the row of their class; images can be exchanged."""

    size: int = 60
    classes: int = 3
    name: str = "stripes"
    class_names: tuple | None = ("a", "b", "c")
    exchanged: dict = dataclasses.field(default_factory=dict)

    def __len__(self):
        return self.size

    def read(self, index):
        found = self.exchanged.get(index)
        if isinstance(found, Exception):
            raise found
        if found is not None:
            return found
        label = index % self.classes
        pixels = np.random.default_rng(index).integers(0, 160, (8, 8), np.uint8)
        pixels[label] += 95
        return Example(encoded(pixels), label, f"stripe {index}")


def trained(cache_dir, source=None, steps=4, **options):
    """A classifier of `Stripes`, or of another source, after few steps."""
    arguments = {"image_size": 8, "channels": 1, "cache_dir": cache_dir, "steps": steps}
    source = Stripes() if source is None else source
    return Classifier.trained_on(source, **(arguments | options))


def same(one, other):
    """Whether two classifiers see some images alike, to the last bit."""
    return all(np.array_equal(*pair) for pair in zip(one(IMAGES), other(IMAGES), strict=True))


def exchanged(index, **changes):
    """`Stripes.exchanged` with changes to one example."""
    return {index: Stripes().read(index)._replace(**changes)}


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
    return shutil.copytree(entry, tmp_path / entry.name)


@pytest.fixture
def trainings(monkeypatch):
    """A list of the keys of trainings, which are replaced by one that does nothing."""
    found = []

    def train(source, key):
        found.append(key)
        network = module._build_network(key["image_size"], key["channels"], key["num_classes"])
        return network, {"accuracy": 0.5, "num_held_out": 12}

    monkeypatch.setattr(module, "_train", train)
    return found


def warnings(caplog):
    """Those of this package, and not TensorFlow's that it is traced often."""
    found = [record for record in caplog.records if record.levelname == "WARNING"]
    return [record.getMessage() for record in found if record.name == "absl"]


def share_right(classifier, source, image_size):
    """Of the images of `source` that are held out, those that the classifier recognizes."""
    _, held_out = module._split(source)
    examples = [held_out.read(index) for index in range(len(held_out))]
    pixels = np.array([decode_image(example.encoded, image_size, 1) for example in examples])
    found = classifier(pixels)[1].argmax(axis=1)
    return np.mean(found == [example.label for example in examples])


def test_the_accuracy_is_that_on_the_images_held_out(tmp_path):
    classifier = trained(tmp_path, steps=30)
    assert classifier.accuracy == share_right(classifier, Stripes(), 8) > 0.5
    assert classifier.description["accuracy"] == classifier.accuracy
    assert classifier.description["num_held_out"] == 12
    assert classifier.predicts_labels


def test_features_and_probabilities_are_the_network_s(classifier):
    """The convolutions once more, by what is not Keras."""
    names = ("stem", "down_4", "conv_4", "logits")
    *convolutions, logits = [classifier._network.get_layer(name) for name in names]
    x = IMAGES.astype(np.float64) / 127.5 - 1.0
    for layer in convolutions:
        kernel = layer.kernel.numpy().astype(np.float64)
        x = tf.nn.relu(tf.nn.conv2d(x, kernel, layer.strides, "SAME") + layer.bias.numpy())
    expected = x.numpy().mean(axis=(1, 2))
    features, probabilities = classifier(IMAGES)
    np.testing.assert_allclose(features, expected, atol=1e-4)
    expected = softmax(expected @ logits.kernel.numpy() + logits.bias.numpy(), axis=1)
    np.testing.assert_allclose(probabilities, expected, atol=1e-4)
    assert features.shape == (70, 64)


@pytest.mark.parametrize(("height", "width"), [(20, 30), (5, 7)])
def test_images_of_another_size_are_resized_as_by_pillow_without_rounding(
    classifier, height, width
):
    images = np.random.default_rng(3).integers(0, 256, (2, height, width, 1), np.uint8)
    planes = [Image.fromarray(image[..., 0].astype(np.float32)) for image in images]
    resized = [plane.resize((8, 8), Image.Resampling.BILINEAR) for plane in planes]
    inputs = np.stack([np.asarray(plane) for plane in resized])[..., None] / 127.5 - 1
    expected = classifier._network(inputs, training=False)[0]
    np.testing.assert_allclose(classifier(images)[0], expected, atol=1e-4)


def test_grey_images_have_three_channels_and_colors_are_no_grey(classifier, tmp_path):
    colors = trained(tmp_path, channels=3)
    for mine, expected in zip(colors(IMAGES), colors(IMAGES.repeat(3, axis=-1)), strict=True):
        np.testing.assert_array_equal(mine, expected)
    found = message(classifier, IMAGES.repeat(3, axis=-1))
    assert found.startswith("The classifier was trained on grey images. Received: ")


@pytest.mark.slow
def test_digits_are_recognized(tmp_path):
    digits = Subset(find_dataset("digits"), np.arange(1700))
    classifier = Classifier.trained_on(digits, 16, 1, cache_dir=tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    assert classifier.accuracy == share_right(classifier, digits, 16) >= 0.97


def test_the_classifier_of_the_digits_comes_with_the_package(tmp_path, trainings):
    digits = find_dataset("digits")
    classifier = Classifier.trained_on(digits, 16, 1, cache_dir=tmp_path / "cache")
    assert not trainings and not list(tmp_path.iterdir())
    assert classifier.description["num_held_out"] == 359
    # Other processors may round one image to the other side.
    found = share_right(classifier, digits, 16)
    assert found == pytest.approx(classifier.accuracy, abs=1.5 / 359)
    card = ROOT / "saved_models" / "digits_classifier" / "README.md"
    assert f"`{classifier.fingerprint}`" in card.read_text(encoding="utf-8")


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


@pytest.mark.parametrize(
    "damage",
    [
        _flip_a_bit,
        lambda entry: (entry / "classifier.weights.h5").unlink(),
        lambda entry: (entry / "classifier.json").write_text("[]"),
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
        Stripes(name="other"),
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
    # Other files of the same pixels are the same data.
    file = Stripes().read(5).encoded
    stored = encoded(decode_image(file, 8, 1)[..., 0], compress_level=0)
    assert stored != file
    trained(tmp_path, Stripes(exchanged=exchanged(5, name="moved", encoded=stored)))
    assert len(trainings) == expected


def test_a_fifth_is_held_out_and_does_not_train(classifier, tmp_path):
    """Another image there is another accuracy at most; elsewhere it is another network."""
    parts = module._split(Stripes())
    names = [[part.read(index).name for index in range(len(part))] for part in parts]
    assert [len(part) for part in names] == [48, 12]
    assert sorted([*names[0], *names[1]]) == sorted(f"stripe {index}" for index in range(60))
    for part, unchanged in zip(names, (False, True), strict=True):
        index = int(part[3].removeprefix("stripe "))
        source = Stripes(exchanged=exchanged(index, encoded=encoded(np.zeros((8, 8), np.uint8))))
        other = trained(tmp_path, source)
        assert same(classifier, other) is unchanged
        assert (classifier.fingerprint == other.fingerprint) is unchanged


def test_large_data_sets_are_sampled_and_have_more_steps(tmp_path, trainings, monkeypatch):
    class Repeated(Stripes):
        def read(self, index):
            found.append(index)
            return Stripes().read(index % 60)

    monkeypatch.setattr(module, "_MAX_LABELS", 1000)
    for num_images in (60, 50_000, 1_000_000):
        found = []
        trained(tmp_path, Repeated(size=num_images), steps=None)
    assert [key["steps"] for key in trainings] == [600, 3125, 10_000]
    # Once for the key, and once for the labels.
    assert sorted(found) == sorted(2 * list(range(0, 1_000_000, 1001)))


@pytest.mark.parametrize(
    ("source", "options", "expected"),
    [
        (Stripes(class_names=None), {}, "number of classes of stripes is not known: pass `num_cl"),
        (Stripes(size=0), {}, "stripes has no images."),
        (Stripes(), {"steps": 0}, "`steps` must be at least 1. Received: 0"),
        (Stripes(), {"image_size": 0}, "`image_size` must be at least 1. Received: 0"),
        (Stripes(), {"channels": 4}, "`channels` must be 1 (grey) or 3 (RGB)"),
        (Stripes(classes=1, class_names="a"), {}, "at least 2 classes. Received: num_classes=1"),
        (Stripes(size=4), {}, "2 images of each class. stripes has 1 of class 1"),
        (Stripes(), {"num_classes": 4}, "stripes has 0 of class 3"),
        (Stripes(), {"num_classes": 2}, "stripes has 3 classes, more than `num_classes`"),
        (Stripes(exchanged=exchanged(7, label=-1)), {}, "Received: label -1 of stripe 7"),
        (Stripes(exchanged=exchanged(7, encoded=b"?")), {}, "Cannot decode stripe 7: not an im"),
        (Stripes(exchanged={7: OSError("gone")}), {}, "Cannot read an image: gone"),
    ],
)
def test_what_cannot_be_trained_is_an_error(source, options, expected, tmp_path):
    assert expected in message(trained, tmp_path, source, **options)
    assert not list(tmp_path.iterdir())


def test_broken_images_can_be_skipped(tmp_path):
    broken = exchanged(7, encoded=b"?") | {8: OSError("gone")}
    trained(tmp_path, Stripes(exchanged=broken), skip_corrupt=True)


@pytest.mark.parametrize("image_size", [1, 9])
def test_images_may_have_any_size(tmp_path, image_size):
    classifier = trained(tmp_path, image_size=image_size, steps=1)
    assert classifier.description["input_size"] == image_size
    assert classifier(IMAGES[:2])[0].shape == (2, 64)


def test_features_are_scaled_and_logits_are_not():
    network = module._build_network(8, 1, 3)
    batches = np.random.default_rng(0).uniform(-1, 1, (3, 20, 8, 8, 1)).astype("float32")
    before = [np.asarray(outputs) for outputs in network(batches[0])]
    module._scale_features(network, batches)
    features = np.concatenate([np.asarray(network(images)[0]) for images in batches])
    assert np.mean(features**2) == pytest.approx(1.0, rel=1e-5)
    after = [np.asarray(outputs) for outputs in network(batches[0])]
    np.testing.assert_allclose(after[1], before[1], rtol=1e-4, atol=1e-5)
    alive = before[0] > 1e-3
    ratios = after[0][alive] / before[0][alive]
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-4)


def test_two_trainings_end_with_the_same_bits(classifier, tmp_path, monkeypatch):
    again = trained(tmp_path / "again")
    assert same(classifier, again)
    assert classifier.description == again.description
    assert not same(classifier, trained(tmp_path, steps=5))
    # Whatever the policy, and if images are streamed.
    monkeypatch.setattr(pipeline, "MAX_BYTES_IN_MEMORY", 0)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        other = trained(tmp_path / "other")
        assert keras.config.dtype_policy().name == "mixed_bfloat16"
        assert same(classifier, other)
    finally:
        keras.config.set_dtype_policy("float32")


def _draws():
    keras_objects = [
        keras.layers.Dense(1),
        keras.layers.Conv2D(1, 1),
        keras.Sequential(),
        keras.optimizers.Adam(),
        keras.metrics.Mean(),
        keras.losses.SparseCategoricalCrossentropy(),
    ]
    numbers = tf.random.uniform(()), keras.random.uniform(())
    names = [each.name for each in keras_objects]
    return [random.random(), np.random.rand(), *map(float, numbers), *names]


def test_global_random_states_and_names_are_left_alone(tmp_path):
    found = []
    for disturbed in (False, True, True):
        keras.utils.clear_session()
        keras.utils.set_random_seed(1)
        if disturbed:
            trained(tmp_path)(IMAGES)  # It is trained, and then comes from the cache.
        found.append(_draws())
    assert found[0] == found[1] == found[2]
