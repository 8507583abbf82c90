import json

import numpy as np
import pytest

from sagan_tf.evaluation import compare_variants, format_comparison, paired_difference, spread

# Student's t at 97.5 %, from a printed table, by degrees of freedom.
STUDENT = {1: 12.706, 2: 4.303, 4: 2.776}


def test_mean_and_deviation_of_the_sample():
    assert spread([1.0, 2.0, 6.0]) == {
        "mean": 3.0,
        "std": pytest.approx(7**0.5),
        "values": [1.0, 2.0, 6.0],
    }
    assert spread([4]) == {"mean": 4.0, "std": None, "values": [4.0]}


@pytest.mark.parametrize(
    ("differences", "std"), [((1.0, 3.0), 2**0.5), ((1.0, 2.0, 6.0), 7**0.5), ((3.0,) * 5, 0.0)]
)
def test_the_interval_by_hand(differences, std):
    # What the two of a pair have in common does not matter.
    common = np.array([100.0, -50.0, 7.0, 0.5, 3.0])[: len(differences)]
    found = paired_difference(common + differences, common)
    mean = sum(differences) / len(differences)
    reach = STUDENT[len(differences) - 1] * std / len(differences) ** 0.5
    assert found == {
        "mean": pytest.approx(mean),
        "low": pytest.approx(mean - reach, abs=2e-3),
        "high": pytest.approx(mean + reach, abs=2e-3),
    }


def test_the_interval_covers_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(0)
    count = 2000
    for confidence in (0.5, 0.95):
        covered = 0
        for _ in range(count):
            baseline = rng.normal(0, 100, 3)
            found = paired_difference(baseline + rng.normal(2, 1, 3), baseline, confidence)
            covered += found["low"] <= 2 <= found["high"]
        # Four deviations of a binomial distribution.
        assert abs(covered / count - confidence) < 4 * (0.25 / count) ** 0.5


def test_a_single_pair_has_no_interval():
    assert paired_difference([3.0], [5.0]) == {"mean": -2.0, "low": None, "high": None}


VARIANTS = {
    "()": [{"fid": 1.0, "recall": 0.5}, {"fid": 3.0, "recall": 0.5}],
    "(16,)": [{"fid": 0.0, "recall": 0.75}, {"fid": 1.0, "recall": 0.75}],
}


def test_variants_are_compared_with_the_first():
    found = compare_variants(VARIANTS)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["()"]["fid"] == {**spread([1.0, 3.0]), "difference": None}
    assert found["(16,)"]["fid"] == {
        **spread([0.0, 1.0]),
        "difference": paired_difference([0.0, 1.0], [1.0, 3.0]),
    }
    assert compare_variants(VARIANTS, 0.5) != found


def test_the_table():
    assert format_comparison("attention", compare_variants(VARIANTS)) == (
        "attention               ()            (16,)             (16,) minus ()\n"
        "fid        2.0000 ± 1.4142  0.5000 ± 0.7071  -1.5000 [-7.8531, 4.8531]\n"
        "recall     0.5000 ± 0.0000  0.7500 ± 0.0000    0.2500 [0.2500, 0.2500]"
    )
    alone = compare_variants({variant: rows[:1] for variant, rows in VARIANTS.items()})
    assert format_comparison("attention", alone) == (
        "attention      ()   (16,)  (16,) minus ()\n"
        "fid        1.0000  0.0000         -1.0000\n"
        "recall     0.5000  0.7500          0.2500"
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: paired_difference([1.0, 2.0], [1.0]), "one or more pairs. Received: 2 and 1"),
        (lambda: paired_difference([], []), "one or more pairs. Received: 0 and 0"),
        (lambda: paired_difference([1.0], [1.0], 95), "must be in \\(0, 1\\). Received: conf"),
        (lambda: compare_variants({"a": [], "b": []}), "Received: 0 of a and 0 of a"),
        (
            lambda: compare_variants({"a": [{"fid": 1.0}] * 2, "b": [{"fid": 1.0}]}),
            "Received: 2 of a and 1 of b",
        ),
        (
            lambda: compare_variants({"a": [{"fid": 1.0}], "b": [{"kid": 1.0}]}),
            "Received: kid of b beside fid of a",
        ),
        (
            lambda: compare_variants({"a": [{"fid": float("nan")}]}),
            "fid of a must be finite",
        ),
    ],
)
def test_what_cannot_be_compared(call, message):
    with pytest.raises(ValueError, match=message):
        call()
