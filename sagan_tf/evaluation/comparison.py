"""Variants of a model beside each other, each trained at the same seeds."""

import math

import numpy as np
from scipy import stats


def compare_variants(scores, confidence=0.95):
    """Mean and deviation of the scores of each variant, and its difference to the first one.

    Args:
        scores: Dict from the names of variants to a list of one dict per seed, from the names of
            scores to floats. All variants have the same seeds, in the same order.
        confidence: float in (0, 1), probability of the intervals. Defaults to `0.95`.

    Returns:
        Dict ready for JSON, from the names of variants to a dict from the names of scores to
        what `spread` returns and a `difference`: what `paired_difference` returns for the scores
        and those of the first variant, `None` for the first variant itself.

    Raises:
        ValueError: if there are no seeds, or variants differ in their number or in the names of
            their scores; if a score is NaN or infinite.
    """
    first = next(iter(scores))
    _check(scores, first)
    found = {}
    for variant, rows in scores.items():
        found[variant] = {}
        for name in rows[0]:
            values, baseline = ([row[name] for row in scores[each]] for each in (variant, first))
            difference = None
            if variant != first:
                difference = paired_difference(values, baseline, confidence)
            found[variant][name] = {**spread(values), "difference": difference}
    return found


def spread(values):
    """Mean and deviation of some numbers.

    Args:
        values: Sequence of at least one float.

    Returns:
        Dict ready for JSON: `mean`, `std`, which is the deviation of the sample (n - 1) and `None`
        of a single value, and the `values`.
    """
    return {
        "mean": float(np.mean(values)),
        "std": float(np.std(values, ddof=1)) if len(values) > 1 else None,
        "values": [float(value) for value in values],
    }


def paired_difference(values, baseline, confidence=0.95):
    """The mean of the differences within pairs, and its interval by Student's t distribution.

    What the two of a pair have in common, such as the seed of a training, cancels out. The
    interval takes the differences for draws from one normal distribution: with 3 pairs it is wide,
    and that is what 3 pairs say.

    Args:
        values: Sequence of at least one float.
        baseline: Sequence of as many floats, which are subtracted.
        confidence: float in (0, 1), probability that the interval covers the mean of the
            distribution. Defaults to `0.95`.

    Returns:
        Dict ready for JSON: `mean`, and the ends `low` and `high` of the interval, which are
        `None` of a single pair.

    Raises:
        ValueError: if the lengths differ, there are no pairs, or `confidence` is out of range.
    """
    if len(values) != len(baseline) or not len(values):
        raise ValueError(
            "`values` and `baseline` must hold one or more pairs. Received: "
            f"{len(values)} and {len(baseline)} numbers"
        )
    if not 0 < confidence < 1:
        raise ValueError(f"`confidence` must be in (0, 1). Received: {confidence=}")
    found = spread(np.subtract(values, baseline))
    if found["std"] is None:
        return {"mean": found["mean"], "low": None, "high": None}
    count = len(values)
    reach = stats.t.ppf((1 + confidence) / 2, count - 1) * found["std"] / math.sqrt(count)
    return {
        "mean": found["mean"],
        "low": float(found["mean"] - reach),
        "high": float(found["mean"] + reach),
    }


def _check(scores, first):
    expected = scores[first][0].keys() if scores[first] else ()
    for variant, rows in scores.items():
        if not rows or len(rows) != len(scores[first]):
            raise ValueError(
                "Every variant needs the same number of seeds, at least one. Received: "
                f"{len(scores[first])} of {first} and {len(rows)} of {variant}"
            )
        for row in rows:
            if row.keys() != expected:
                raise ValueError(
                    "Every variant needs the same scores at every seed. Received: "
                    f"{', '.join(row)} of {variant} beside {', '.join(expected)} of {first}"
                )
            for name, value in row.items():
                if not math.isfinite(value):
                    raise ValueError(f"{name} of {variant} must be finite. Received: {value}")
