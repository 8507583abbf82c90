import dataclasses

import numpy as np
import pytest

from sagan_tf import evaluation
from sagan_tf.config import BEST_IF_LARGE, BEST_NEAR_ONE
from sagan_tf.evaluation import METRICS, Protocol, compare, score_names, statistics_of
from sagan_tf.images import to_uint8
from tests.evaluation.errors import message
from tests.evaluation.pixels import Pixels, pixels, probabilities

PROTOCOL = Protocol(metrics=tuple(METRICS), num_subsets=3)
LABELS = np.arange(120) % 3


def images_of(seed, brightness, count=120):
    noise = np.random.default_rng(seed).uniform(-0.3, 0.3, (count, 16, 16, 1))
    return np.clip(noise + brightness, -1, 1).astype("float32")


REAL = statistics_of(images_of(0, 0.0), Pixels(), LABELS, 3)
FAKE = statistics_of(images_of(1, 0.2), Pixels(), LABELS[::-1], 3)
REAL_WITHOUT_CLASSES = statistics_of(images_of(0, 0.0), Pixels())
FAKE_WITHOUT_CLASSES = statistics_of(images_of(1, 0.2), Pixels())


def test_it_is_known_of_each_score_which_is_best():
    near_or_large = {*BEST_IF_LARGE, *BEST_NEAR_ONE}
    least = {"fid", "intra_fid", "kid", "kid_std", "is_std"}
    assert {*score_names(METRICS)} == near_or_large | least


def test_values_are_those_of_the_functions():
    scores = compare(REAL, FAKE, PROTOCOL)
    real, fake = pixels(to_uint8(images_of(0, 0.0))), pixels(to_uint8(images_of(1, 0.2)))
    answers = probabilities(to_uint8(images_of(1, 0.2)))
    right = answers.argmax(axis=1) == LABELS[::-1]
    values = scores.values
    assert values["fid"] == evaluation.frechet_distance(real, fake)
    # Half of them are a subset: subsets must differ.
    kid = evaluation.kernel_inception_distance(real, fake, num_subsets=3, subset_size=60)
    assert (values["kid"], values["kid_std"]) == kid
    assert (values["is"], values["is_std"]) == evaluation.inception_score(answers)
    prdc = evaluation.precision_recall_density_coverage(real, fake)
    assert {name: values[name] for name in prdc} == prdc
    assert values["nearest_ratio"] == evaluation.nearest_neighbor_ratio(real, fake)
    by_class = {label: fake[LABELS[::-1] == label] for label in range(3)}
    real_by_class = {label: real[label == LABELS] for label in range(3)}
    mean, distances = evaluation.intra_class_frechet_distance(real_by_class, by_class)
    assert values["intra_fid"] == mean
    diversity = {
        label: [evaluation.pairwise_diversity(each[label]) for each in (by_class, real_by_class)]
        for label in range(3)
    }
    totals = np.sum(list(diversity.values()), axis=0)
    assert values["diversity"] == pytest.approx(totals[0] / totals[1])
    for label, row in enumerate(scores.classes):
        assert row == {
            "class": str(label),
            "real_images": 40,
            "images": 40,
            "fid": distances[label],
            "diversity": pytest.approx(diversity[label][0] / diversity[label][1]),
            "recognized": right[LABELS[::-1] == label].mean(),
        }
    assert values["recognized"] == right.mean()
    assert list(values) == score_names(METRICS)
    assert (scores.num_real_images, scores.num_images) == (120, 120)


@pytest.mark.parametrize("metric", METRICS)
def test_each_metric_alone_has_the_scores_that_it_declares(metric):
    protocol = PROTOCOL.replace(metrics=(metric,))
    scores = compare(REAL, FAKE, protocol, class_names=["a", "b", "c"])
    assert list(scores.values) == score_names({metric, "recognized"})
    assert [row["class"] for row in scores.classes] == ["a", "b", "c"]
    assert ("fid" in scores.classes[0]) == (metric == "intra_fid")
    without_classes = REAL_WITHOUT_CLASSES, FAKE_WITHOUT_CLASSES, protocol
    if METRICS[metric].by_class:
        assert f"{metric} needs classes" in message(compare, *without_classes)
    else:
        scores = compare(*without_classes)
        assert (list(scores.values), scores.classes) == (score_names({metric}), [])
    assert METRICS[metric].help in Protocol.__dataclass_fields__["metrics"].metadata["help"]


def test_all_metrics_that_apply_by_default():
    default = PROTOCOL.replace(metrics=None)
    assert compare(REAL, FAKE, default) == compare(REAL, FAKE, PROTOCOL)
    # 13 images of a class are too few for 16 features, 40 in all are enough.
    real, fake = (statistics_of(images_of(s, 0.0, 40), Pixels(), LABELS[:40], 3) for s in (0, 1))
    others = [metric for metric in METRICS if metric != "intra_fid"]
    assert list(compare(real, fake, default).values) == score_names(others)
    # A class has few images: of labels at random they may be fewer than their share.
    labels = np.where(np.arange(120) < 12, 2, np.arange(120) % 2)
    few = statistics_of(images_of(1, 0.2), Pixels(), labels, 3)
    assert list(compare(REAL, few, default).values) == score_names(others)
    assert "12 generated ones of class 2" in message(compare, REAL, few, PROTOCOL)
    at_random = compare(REAL, few, default, shares=[40] * 3).values
    assert list(at_random) == score_names(METRICS)
    assert list(compare(REAL, few, PROTOCOL, asked=()).values) == score_names(others)
    network = Pixels(predicts_labels=False)
    mute = [statistics_of(images_of(s, 0.0), network, LABELS, 3, by_class=False) for s in (0, 1)]
    others.remove("recognized")
    assert list(compare(*mute, default).values) == score_names(others)
    reasons = {"recognized": "pixels does not predict", "intra_fid": "not gathered"}
    for metric, reason in reasons.items():
        assert reason in message(compare, *mute, PROTOCOL.replace(metrics=(metric,)))


def test_scores_of_different_features_are_never_mixed():
    other = statistics_of(images_of(1, 0.2), Pixels("4567"), LABELS, 3)
    found = message(compare, REAL, other, PROTOCOL)
    assert found.startswith("Scores of different features cannot be compared")


@pytest.mark.parametrize("num_classes", [None, 3])
def test_diversity_needs_real_images_that_differ_and_two_of_a_class(num_classes):
    protocol = Protocol(metrics=("diversity",))
    same = np.repeat(images_of(0, 0.0, 1), 120, axis=0)
    same = statistics_of(same, Pixels(), LABELS, num_classes)
    fake = statistics_of(images_of(1, 0.2), Pixels(), LABELS, num_classes)
    assert "relative to that of the real images, which" in message(compare, same, fake, protocol)
    few = statistics_of(images_of(1, 0.2, 3), Pixels(), np.arange(3), 3)
    text = "diversity needs pairs within a class: no class has 2 real and 2 generated images"
    assert message(compare, REAL, few, protocol) == text


def test_a_missing_class_is_named():
    fake = statistics_of(images_of(1, 0.2), Pixels(), np.where(LABELS == 2, 1, LABELS), 3)
    assert "40 real and 0 generated ones of class 2" in message(compare, REAL, fake, PROTOCOL)
    told = PROTOCOL.replace(allow_few_images=True)
    found = message(compare, REAL, fake, told)
    assert "at least 2 of each kind are needed. Received: 40 real and 0 generated ones of " in found


def test_a_few_images_have_the_scores_that_apply(caplog):
    """None of what nobody asked for costs the others."""
    protocol = Protocol(allow_few_images=True)
    real, fake = (statistics_of(images_of(s, 0.0, 4), Pixels(), np.arange(4), 4) for s in (0, 1))
    assert list(compare(real, fake, protocol).values) == score_names(
        ["fid", "kid", "is", "recognized"]
    )
    few = "there are 4 real and 4 generated images, and neighbors=5"
    assert f"prdc is left out: {few}" in caplog.text
    assert "diversity is left out: no class has 2 real and 2 generated images" in caplog.text
    asked = Protocol(metrics=("prdc",))
    assert message(compare, real, fake, asked) == f"prdc needs more images than neighbors: {few}"


def test_fewer_images_than_features_have_no_fid_unless_told(caplog):
    few = statistics_of(images_of(1, 0.2, 10), Pixels())
    reason = "16 features need as many images. Received: 120 real and 10 generated ones."
    asked = Protocol(metrics=("fid",), subset_size=5)
    assert f"fid needs a Gaussian: {reason}" in message(compare, REAL_WITHOUT_CLASSES, few, asked)
    default = Protocol(subset_size=5)
    found = compare(REAL_WITHOUT_CLASSES, few, default).values
    assert "fid" not in found
    assert "kid" in found
    assert f"fid is left out: {reason}" in caplog.text
    for protocol in (asked, default):
        told = dataclasses.replace(protocol, allow_few_images=True)
        assert compare(REAL_WITHOUT_CLASSES, few, told).values["fid"] > 0
