"""Scores of real models against the real digits."""

import hashlib

import keras
import numpy as np
import pytest

from sagan_tf import SAGAN, Discriminator, Generator
from sagan_tf.data import Subset, find_dataset, load
from sagan_tf.evaluation import Evaluation, Protocol, compare, statistics_of
from sagan_tf.visualization import to_uint8
from tests.evaluation.pixels import Pixels


class TenPixels(Pixels):
    """Pixels that say nothing about the ten classes of the digits."""

    def __init__(self):
        super().__init__()
        self.predicts_labels = False
        self.seen = []

    def __call__(self, images):
        self.seen.append(images)
        return super().__call__(images)


@pytest.fixture(scope="module")
def digits():
    return find_dataset("digits")


@pytest.fixture(scope="module")
def sagan():
    keras.utils.set_random_seed(0)
    sagan = SAGAN(
        Generator(16, 1, 10, base_channels=4, latent_dim=8),
        Discriminator(16, 1, 10, base_channels=4),
    )
    rng = np.random.default_rng(0)
    for weight in (*sagan.generator.weights, *sagan.ema_generator.weights):
        weight.assign(weight + 0.02 * np.abs(rng.standard_normal(weight.shape)))
    for network in (sagan.generator, sagan.ema_generator):
        network.gates["attention_8"].assign(0.5)
    sagan.compile()
    return sagan


def evaluation(source, num_classes=10, **changes):
    protocol = Protocol(
        **{
            "num_images": 100,
            "num_subsets": 2,
            "subset_size": 50,
            "metrics": ("fid", "kid", "is", "prdc", "diversity"),
            **changes,
        }
    )
    return Evaluation(source, TenPixels(), protocol, 16, 1, num_classes)


def checksum(sagan):
    total = hashlib.sha256()
    variables = (
        *sagan.weights,
        *sagan.generator_optimizer.variables,
        *sagan.discriminator_optimizer.variables,
    )
    for variable in variables:
        total.update(np.asarray(variable).tobytes())
    return total.hexdigest()


@pytest.mark.parametrize("changes", [{}, {"standing_statistics": 2}, {"use_ema": False}])
def test_nothing_of_the_model_changes(digits, sagan, changes):
    before = checksum(sagan)
    evaluation(digits, **changes).score(sagan)
    assert checksum(sagan) == before


@pytest.mark.parametrize("options", [{}, {"use_ema": False}, {"truncation": 0.5}])
def test_the_images_are_those_of_generate(digits, sagan, options):
    scorer = evaluation(digits, **options)
    scorer.features.seen.clear()
    found = scorer.score(sagan, seed=7)
    # 100 is no multiple of the batch: none may be lost, none be filled in.
    images = sagan.generate(num_images=100, seed=7, **options)
    scored = np.concatenate(scorer.features.seen)
    # Compiled and eager networks round otherwise: a pixel between two grey levels may take either.
    difference = np.abs(scored.astype(int) - to_uint8(images))
    assert difference.max() <= 1
    assert np.count_nonzero(difference) <= 10
    order = np.random.default_rng(0).permutation(1797)[:100]
    real, labels = next(
        load(
            Subset(digits, order), 16, 100, channels=1, shuffle=False, repeat=False
        ).as_numpy_iterator()
    )
    expected = compare(
        statistics_of(real, TenPixels(), labels, 10),
        statistics_of(scored / 127.5 - 1, TenPixels(), drawn_labels(sagan, 100, 7), 10),
        scorer.protocol,
    )
    assert found.num_images == found.num_real_images == 100
    assert found.figures == pytest.approx(expected.figures, rel=1e-4)
    assert [row["images"] for row in found.classes] == [row["images"] for row in expected.classes]


def drawn_labels(sagan, count, seed):
    from sagan_tf.models import draw_inputs

    return draw_inputs(sagan.generator, count, seed)[1]


def test_labels_as_in_the_data(digits, sagan):
    rows = evaluation(digits, labels="data").score(sagan).classes
    assert [row["images"] for row in rows] == [row["real_images"] for row in rows]
    rows = evaluation(digits).score(sagan).classes
    assert [row["images"] for row in rows] != [row["real_images"] for row in rows]


def test_the_same_seed_scores_the_same_and_another_does_not(digits, sagan):
    scorer = evaluation(digits)
    first = scorer.score(sagan, seed=1)
    assert scorer.score(sagan, seed=1) == first
    assert scorer.score(sagan, seed=2).figures["fid"] != first.figures["fid"]


def test_standing_statistics_draw_other_images(digits, sagan):
    plain = evaluation(digits).score(sagan).figures["fid"]
    standing = evaluation(digits, standing_statistics=2).score(sagan).figures["fid"]
    assert abs(plain - standing) > 1e-3


def test_attention_is_of_the_generator_that_drew(digits, sagan):
    scores = evaluation(digits).score(sagan)
    assert set(scores.attention) == {"attention_8"}
    gate = float(np.asarray(sagan.ema_generator.gates["attention_8"]))
    assert scores.attention["attention_8"]["gate"] == pytest.approx(gate)
    assert scores.attention["attention_8"]["effect"] > 0


def test_the_floor_is_of_disjoint_halves(digits):
    seen = []

    class Spy(TenPixels):
        def __call__(self, images):
            seen.append(images)
            return super().__call__(images)

    scorer = Evaluation(
        Subset(digits, np.arange(200)), Spy(), Protocol(metrics=("fid",)), 16, 1, None
    )
    seen.clear()
    scores = scorer.score_real(seed=3)
    assert (scores.num_real_images, scores.num_images) == (100, 100)
    images = np.concatenate(seen)
    assert len(np.unique(images.reshape(200, -1), axis=0)) == 200
    assert scores.figures["fid"] < evaluation(digits).score_real().figures["fid"] * 10
    assert scorer.score_real(seed=3) == scores
    assert scores.attention == {}


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
    protocol = Protocol(metrics=("kid",), num_images=100)
    scorer = Evaluation(torn, TenPixels(), protocol, 16, 1, 10, skip_corrupt=True)
    whole = load(torn, 16, 200, channels=1, shuffle=False, repeat=False, skip_corrupt=True)
    images, _ = next(whole.as_numpy_iterator())
    # Exactly the features of what it is shown with.
    wanted = TenPixels().features(to_uint8(images))[:, None]
    nearest = scorer.nearest_real(images, neighbors=4)
    found = TenPixels().features(to_uint8(nearest.reshape(-1, 16, 16, 1))).reshape(200, 4, -1)
    distances = np.linalg.norm(found - wanted, axis=-1)
    assert (np.diff(distances) >= 0).all()
    everything = np.linalg.norm(scorer._real.features - wanted, axis=-1)
    np.testing.assert_allclose(distances, np.sort(everything)[:, :4], rtol=1e-5)


def test_an_unconditional_model(digits):
    sagan = SAGAN(
        Generator(16, 1, None, base_channels=4, latent_dim=8),
        Discriminator(16, 1, None, base_channels=4),
    )
    scores = evaluation(digits, num_classes=None, labels="data").score(sagan)
    assert scores.classes == []
    assert scores.figures["fid"] > 0


def test_bad_input_is_named(digits, sagan):
    with pytest.raises(ValueError, match=r"has 1797 images, fewer than the 5000 to compare with"):
        evaluation(digits, num_images=5000)
    with pytest.raises(ValueError, match=r"num_classes is 10 there, 11 here"):
        evaluation(digits, num_classes=11).score(sagan)
    labels = np.array([digits.read(index).label for index in range(1797)])
    without_three = Subset(digits, np.flatnonzero(labels != 3))
    # Before an image is drawn.
    with pytest.raises(ValueError, match=r"0 real and 100 generated ones of class 3"):
        evaluation(without_three, metrics=("intra_fid",), num_images=1000)
    with pytest.raises(ValueError, match=r"16 features .* Received: 100 real and 10 generated"):
        evaluation(digits, num_images=10, num_real_images=100)


def test_intra_fid_is_left_out_by_default_where_classes_are_small(digits):
    assert "intra_fid" not in evaluation(digits, metrics=None).protocol.metrics
    assert "intra_fid" in evaluation(digits, metrics=None, num_images=1000).protocol.metrics


def test_images_that_are_not_finite_are_named(digits):
    sagan = SAGAN(
        Generator(16, 1, 10, base_channels=4, latent_dim=8),
        Discriminator(16, 1, 10, base_channels=4),
    )
    bias = sagan.ema_generator.to_image.weights[0]
    bias.assign(np.full(bias.shape, np.nan))
    with pytest.raises(ValueError, match=r"must not be NaN. Received: 64 of 64 images"):
        evaluation(digits).score(sagan)
