"""Scores of real models against the real digits."""

import json

import numpy as np
import pytest

from sagan_tf import SAGAN, Discriminator, Generator
from sagan_tf.data import ImageFolder, Subset, find_dataset, load, write_image_folder
from sagan_tf.evaluation import Evaluation, Protocol, compare, statistics_of
from sagan_tf.images import to_uint8
from sagan_tf.models import draw_inputs
from tests.evaluation.errors import message
from tests.evaluation.pixels import Pixels
from tests.tiny import assert_same, tiny, variables
from tests.two_replicas import two_replicas

METRICS = ("fid", "kid", "is", "prdc", "diversity")


@pytest.fixture(scope="module")
def digits():
    return find_dataset("digits")


@pytest.fixture(scope="module")
def sagan():
    sagan = tiny(10)
    for network in (sagan.generator, sagan.ema_generator):
        network.gates["attention_8"].assign(0.5)
    sagan.compile()
    return sagan


def evaluation(source, num_classes=10, resolutions=None, skip_corrupt=False, **changes):
    fields = {"num_images": 100, "num_subsets": 2, "subset_size": 50, "metrics": METRICS, **changes}
    # Pixels say nothing about the ten classes of the digits.
    network = Pixels(predicts_labels=False)
    options = {"attention_resolutions": resolutions, "skip_corrupt": skip_corrupt}
    return Evaluation(source, network, Protocol(**fields), 16, 1, num_classes, **options)


def test_images_of_any_origin_are_scored_as_those_of_a_model(digits, sagan, tmp_path):
    scorer = evaluation(digits)
    names = [f"{label:02}" for label in range(10)]
    batches = sagan.generate_batches(num_images=100, seed=7)
    write_image_folder(tmp_path / "images", batches, names)
    images = ImageFolder(tmp_path / "images")
    assert images.class_names == tuple(names)
    found, expected = scorer.score_images(images), scorer.score(sagan, seed=7)
    assert found.attention == {}
    assert found.num_images == 100
    assert [row["images"] for row in found.classes] == [row["images"] for row in expected.classes]
    # Compiled and eager networks round otherwise, and KID and the Inception score depend on the
    # order.
    for name in ("fid", "precision", "recall", "density", "coverage", "diversity"):
        np.testing.assert_allclose(found.values[name], expected.values[name], rtol=0.01, atol=1e-3)
    # Copies of the real images are as good as these.
    copies = Subset(digits, np.random.default_rng(0).permutation(1797)[:100])
    assert scorer.score_images(copies).values["fid"] < 1e-9
    fewer = evaluation(digits, num_images=60, num_real_images=100).score_images(images, seed=3)
    assert fewer.num_images == 60
    text = message(scorer.score_images, Subset(digits, np.arange(99)))
    assert "has 99 images, fewer than the 100 to score" in text


@pytest.mark.parametrize("changes", [{}, {"standing_statistics": 2}, {"ema": False}])
def test_nothing_of_the_model_changes(digits, sagan, changes):
    before = variables(sagan)
    scores = evaluation(digits, **changes).score(sagan)
    assert_same(variables(sagan), before)
    if "standing_statistics" in changes:
        plain = evaluation(digits).score(sagan)
        assert abs(plain.values["fid"] - scores.values["fid"]) > 1e-3


@pytest.mark.parametrize(
    ("changes", "options"),
    [({}, {}), ({"ema": False}, {"use_ema": False}), ({"truncation": 0.5}, {"truncation": 0.5})],
)
def test_the_images_are_those_of_generate(digits, sagan, changes, options):
    scorer = evaluation(digits, **changes)
    real = np.concatenate(scorer.features.seen)
    scorer.features.seen.clear()
    found = scorer.score(sagan, seed=7)
    # 100 is no multiple of the batch: none may be lost, none be filled in.
    images = sagan.generate(num_images=100, seed=7, **options)
    scored = np.concatenate(scorer.features.seen)
    # Compiled and eager networks round otherwise: a pixel between two gray levels may take either.
    difference = np.abs(scored.astype(int) - to_uint8(images))
    assert difference.max() <= 1
    assert np.count_nonzero(difference) <= 10
    # The real ones are those of `load`, of indices drawn at random.
    order = np.random.default_rng(0).permutation(1797)[:100]
    chosen = load(Subset(digits, order), 16, 100, channels=1, shuffle=False, repeat=False)
    expected_real, labels = next(chosen.as_numpy_iterator())
    np.testing.assert_array_equal(real, to_uint8(expected_real))
    drawn = draw_inputs(sagan.generator, 100, 7)[1]
    expected = compare(
        statistics_of(real, scorer.features, labels, 10),
        statistics_of(scored, scorer.features, drawn, 10),
        scorer.protocol,
    )
    assert found.num_images == found.num_real_images == 100
    assert (found.values, found.classes) == (expected.values, expected.classes)


def test_labels_as_in_the_data(digits, sagan):
    for labels in ("data", "uniform"):
        rows = evaluation(digits, labels_from=labels).score(sagan).classes
        same = [row["images"] for row in rows] == [row["real_images"] for row in rows]
        assert same == (labels == "data")


def test_flat_scores_have_the_names_and_follow_the_seed(digits, sagan):
    scorer = evaluation(digits, seed=1)
    flat = scorer.flat_scores(sagan)
    assert list(flat) == scorer.score_names
    scores = scorer.score(sagan, seed=1)
    assert flat == scorer.flat_scores(sagan)
    assert {name: flat[name] for name in scores.values} == scores.values
    assert flat["fid"] != scorer.score(sagan, seed=2).values["fid"]
    # Attention is that of the generator that drew.
    gate = float(np.asarray(sagan.ema_generator.gates["attention_8"]))
    assert scores.attention["attention_8"]["gate"] == pytest.approx(gate)
    for name in ("distance", "entropy", "effect"):
        expected = scores.attention["attention_8"][name]
        assert flat[f"generator_attention_8_{name}"] == expected > 0


@pytest.mark.parametrize("resolutions", [(), (16, 8)])
def test_score_names_follow_the_attention(digits, resolutions):
    scorer = evaluation(digits, resolutions=resolutions, metrics=("is",))
    generator = Generator(16, 1, 10, 4, 8, attention_resolutions=resolutions)
    sagan = SAGAN(generator, Discriminator(16, 1, 10, 4))
    assert list(scorer.flat_scores(sagan)) == scorer.score_names
    assert len(scorer.score_names) == 2 + 3 * len(resolutions)


def scored(strategy):
    with strategy.scope():
        sagan = tiny(10)
    return evaluation(find_dataset("digits")).flat_scores(sagan)


@pytest.mark.slow
def test_two_replicas_are_scored_as_one(digits):
    with two_replicas() as run:
        found = run(scored)
    assert found == pytest.approx(evaluation(digits).flat_scores(tiny(10)), rel=1e-3)


def test_settings_are_ready_for_json_and_filled_in(digits):
    settings = json.loads(json.dumps(evaluation(digits, metrics=None, seed=5).settings))
    assert (settings["features"], settings["fingerprint"]) == ("pixels", "0123")
    assert (settings["num_images"], settings["num_real_images"], settings["seed"]) == (100, 100, 5)
    # Intra-FID is left out where classes are small, and what predicts no labels recognizes none.
    assert settings["metrics"] == list(METRICS)
    assert "intra_fid" in evaluation(digits, metrics=None, num_images=1000).protocol.metrics


def test_the_floor_is_of_disjoint_halves(digits):
    scorer = evaluation(Subset(digits, np.arange(200)), None, metrics=("fid",))
    scorer.features.seen.clear()
    scores = scorer.score_real(seed=3)
    assert (scores.num_real_images, scores.num_images, scores.attention) == (100, 100, {})
    images = np.concatenate(scorer.features.seen)
    assert len(np.unique(images.reshape(200, -1), axis=0)) == 200
    assert scorer.score_real(seed=3) == scores != scorer.score_real(seed=4)


def test_the_nearest_real_image_of_a_real_image_is_itself(digits):
    scorer = evaluation(digits, num_images=None)
    real, _ = next(load(digits, 16, 5, channels=1, shuffle=False).as_numpy_iterator())
    nearest = scorer.nearest_real(real, neighbors=3)
    assert nearest.shape == (5, 3, 16, 16, 1)
    np.testing.assert_array_equal(nearest[:, 0], real)
    assert not np.array_equal(nearest[:, 1], real)


def test_an_image_that_cannot_be_read_is_not_near_in_place_of_another(digits):
    class Torn(Subset):
        def read(self, index):
            if index % 3 == 0:
                raise OSError("torn")
            return super().read(index)

    torn = Torn(digits, np.arange(200))
    scorer = evaluation(torn, skip_corrupt=True, metrics=("kid",))
    whole = load(torn, 16, 200, channels=1, shuffle=False, repeat=False, skip_corrupt=True)
    images, _ = next(whole.as_numpy_iterator())
    # They have exactly the features of what is shown.
    wanted = Pixels()(to_uint8(images))[0][:, None]
    nearest = scorer.nearest_real(images, neighbors=4)
    found = Pixels()(to_uint8(nearest.reshape(-1, 16, 16, 1)))[0].reshape(200, 4, -1)
    distances = np.linalg.norm(found - wanted, axis=-1)
    real = Pixels()(np.concatenate(scorer.features.seen[:-1]))[0]
    everything = np.linalg.norm(real - wanted, axis=-1)
    np.testing.assert_allclose(distances, np.sort(everything)[:, :4], rtol=1e-5)
    with pytest.raises(ValueError, match="Cannot read an image: torn"):
        evaluation(torn)


def test_an_unconditional_model(digits):
    scores = evaluation(digits, num_classes=None, labels_from="data").score(tiny(None))
    assert scores.classes == []
    assert scores.values["fid"] > 0


def test_bad_input_is_named_before_an_image_is_drawn(digits, sagan):
    few = message(evaluation, digits, num_images=5000)
    assert "has 1797 images, fewer than the 5000 to compare with" in few
    without_three = [index for index in range(1797) if digits.read(index).label != 3]
    without_three = Subset(digits, np.array(without_three))
    found = message(evaluation, without_three, metrics=("intra_fid",), num_images=1000)
    assert "0 real and 100 generated ones of class 3" in found
    found = message(evaluation, digits, num_images=10, num_real_images=100)
    assert "16 features need as many images. Received: 100 real and 10 generated ones" in found
    found = message(evaluation(digits, num_classes=11).score, sagan)
    assert "num_classes is 10 there, 11 here" in found
    broken = tiny(10)
    bias = broken.ema_generator.to_image.weights[0]
    bias.assign(np.full(bias.shape, np.nan))
    assert "must not be NaN. Received: 64 of 64" in message(evaluation(digits).score, broken)


def test_real_images_are_fitted_as_in_training(make_folder, digits):
    folder = make_folder(*(f"{number}.bmp" for number in range(6)))  # 7x5 pixels each
    protocol = Protocol(num_images=6, metrics=("kid",), num_subsets=1)

    def real(fit):
        network = Pixels()
        scorer = Evaluation(ImageFolder(folder), network, protocol, 16, 1, fit=fit)
        return scorer.settings, np.concatenate(network.seen)

    (settings, crops), (others, pads) = real("crop"), real("pad")
    assert others == settings | {"fit": "pad"}
    assert crops.max() == 5
    assert pads.max() == 255
    with pytest.raises(ValueError, match=r"^Unknown fit: fill\. Valid: crop, pad, stretch$"):
        real("fill")
