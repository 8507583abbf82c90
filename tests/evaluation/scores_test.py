import dataclasses

import numpy as np
import pytest

from sagan_tf import evaluation
from sagan_tf.evaluation import METRICS, Protocol, compare, statistics_of
from sagan_tf.evaluation.scores import figure_names
from sagan_tf.visualization import to_uint8
from tests.evaluation.pixels import Pixels, pixels, probabilities

PROTOCOL = Protocol(metrics=METRICS, num_subsets=3, subset_size=50)


def images_of(seed, brightness, count=120):
    noise = np.random.default_rng(seed).uniform(-0.3, 0.3, (count, 16, 16, 1))
    return np.clip(noise + brightness, -1, 1).astype("float32")


LABELS = np.arange(120) % 3
REAL = statistics_of(images_of(0, 0.0), Pixels(), LABELS, 3)
FAKE = statistics_of(images_of(1, 0.2), Pixels(), LABELS[::-1], 3)


def test_figures_are_those_of_the_functions():
    scores = compare(REAL, FAKE, PROTOCOL)
    real, fake = pixels(to_uint8(images_of(0, 0.0))), pixels(to_uint8(images_of(1, 0.2)))
    expected_score = evaluation.inception_score(probabilities(to_uint8(images_of(1, 0.2))))
    figures = scores.figures
    assert figures["fid"] == evaluation.frechet_distance(real, fake)
    assert (figures["kid"], figures["kid_std"]) == evaluation.kernel_inception_distance(
        real, fake, num_subsets=3, subset_size=50
    )
    assert (figures["is"], figures["is_std"]) == pytest.approx(expected_score)
    prdc = evaluation.precision_recall_density_coverage(real, fake)
    assert {name: figures[name] for name in prdc} == prdc
    assert figures["nearest_ratio"] == evaluation.nearest_neighbor_ratio(real, fake)
    by_class = {label: fake[LABELS[::-1] == label] for label in range(3)}
    real_by_class = {label: real[label == LABELS] for label in range(3)}
    mean, distances = evaluation.intra_class_frechet_distance(real_by_class, by_class)
    assert figures["intra_fid"] == mean
    diversity = {
        label: [evaluation.pairwise_diversity(each[label]) for each in (by_class, real_by_class)]
        for label in range(3)
    }
    totals = np.sum(list(diversity.values()), axis=0)
    assert figures["diversity"] == pytest.approx(totals[0] / totals[1])
    for label, row in enumerate(scores.classes):
        assert row["class"] == str(label)
        assert (row["images"], row["real_images"]) == (40, 40)
        assert row["fid"] == distances[label]
        assert row["diversity"] == pytest.approx(diversity[label][0] / diversity[label][1])
        assert row["recognised"] == FAKE.recognised[LABELS[::-1] == label].mean()
    assert figures["recognised"] == FAKE.recognised.mean()
    assert list(figures) == figure_names(PROTOCOL, Pixels(), 3)
    assert (scores.num_real_images, scores.num_images) == (120, 120)


@pytest.mark.parametrize("metric", METRICS)
def test_only_the_chosen_metrics(metric):
    protocol = dataclasses.replace(PROTOCOL, metrics=(metric,))
    scores = compare(REAL, FAKE, protocol, class_names=["a", "b", "c"])
    assert list(scores.figures) == figure_names(protocol, Pixels(), 3)
    assert [row["class"] for row in scores.classes] == ["a", "b", "c"]
    assert ("fid" in scores.classes[0]) == (metric == "intra_fid")


def test_all_metrics_that_apply_by_default():
    default = Protocol(num_subsets=3, subset_size=50)
    assert compare(REAL, FAKE, default) == compare(REAL, FAKE, PROTOCOL)
    # 13 images of a class are too few for 16 features, 40 in all are enough.
    real, fake = (statistics_of(images_of(s, 0.0, 40), Pixels(), LABELS[:40], 3) for s in (0, 1))
    assert {*compare(real, fake, default).figures, "intra_fid"} == {
        *figure_names(PROTOCOL, Pixels(), 3)
    }
    assert "intra_fid" not in compare(real, fake, default).figures
    real, fake = (statistics_of(images_of(s, 0.0), Pixels()) for s in (0, 1))
    assert "intra_fid" not in compare(real, fake, default).figures


def test_without_classes():
    protocol = dataclasses.replace(PROTOCOL, metrics=("fid", "diversity"))
    real, fake = (statistics_of(images_of(s, 0.0), Pixels()) for s in (0, 1))
    scores = compare(real, fake, protocol)
    assert list(scores.figures) == ["fid", "diversity", "nearest_ratio"]
    assert scores.classes == []
    assert scores.figures["diversity"] == pytest.approx(1.0, abs=0.05)


def test_scores_of_different_features_are_never_mixed():
    other = statistics_of(images_of(1, 0.2), Pixels("4567"), LABELS, 3)
    with pytest.raises(ValueError, match="Scores of different features cannot be compared"):
        compare(REAL, other, PROTOCOL)


@pytest.mark.parametrize("labels", [None, LABELS])
def test_real_images_that_are_all_the_same_are_no_measure_of_diversity(labels):
    num_classes = None if labels is None else 3
    same = np.repeat(images_of(0, 0.0, 1), 120, axis=0)
    real = statistics_of(same, Pixels(), labels, num_classes)
    fake = statistics_of(images_of(1, 0.2), Pixels(), labels, num_classes)
    with pytest.raises(ValueError, match=r"relative to that of the real images, which are all"):
        compare(real, fake, Protocol(metrics=("diversity",)))


def test_diversity_needs_two_images_of_a_class():
    few = statistics_of(images_of(1, 0.2, 3), Pixels(), np.arange(3), 3)
    with pytest.raises(ValueError, match=r"a class with 2 real and 2 generated images"):
        compare(REAL, few, Protocol(metrics=("diversity",)))


def test_a_missing_class_is_named():
    fake = statistics_of(images_of(1, 0.2), Pixels(), np.where(LABELS == 2, 1, LABELS), 3)
    with pytest.raises(ValueError, match=r"40 real and 0 generated ones of class 2"):
        compare(REAL, fake, PROTOCOL)
    told = dataclasses.replace(PROTOCOL, allow_few_images=True)
    with pytest.raises(ValueError, match=r"Every class needs .* Received: 0 fake of class 2"):
        compare(REAL, fake, told)


def test_fewer_images_than_features_are_refused_unless_told():
    few = statistics_of(images_of(1, 0.2, 10), Pixels())
    real = statistics_of(images_of(0, 0.0), Pixels())
    protocol = Protocol(metrics=("fid",))
    with pytest.raises(ValueError, match=r"16 features .* 120 real and 10 generated ones\. "):
        compare(real, few, protocol)
    told = compare(real, few, dataclasses.replace(protocol, allow_few_images=True))
    assert told.figures["fid"] > 0
