"""Processes that take turns."""

import pytest

from benchmarks.interleave import Contestant, Result, interleave, ratio

ROUND = 0.02


def sleeper(seconds):
    """Sleeps, and tells that it did; what it prints must not be taken for an answer."""
    import time

    print("not an answer")
    return lambda: time.sleep(seconds), lambda: {"slept": seconds}


def failing():
    raise ValueError("no such case")


def test_contestants_are_compared():
    contestants = {
        name: Contestant(f"{__name__}:sleeper", {"seconds": seconds})
        for name, seconds in (("fast", 0.01), ("slow", 0.05))
    }
    results = interleave(contestants, rounds=3, seconds_per_round=ROUND)
    assert [len(result.times) for result in results.values()] == [3, 3]
    assert results["fast"].facts == {"slept": 0.01}
    assert all(time >= 0.05 for time in results["slow"].times)
    assert results["slow"].peak_mib > 1
    assert results["slow"].ready_seconds >= 0.05


def test_one_that_fails_is_named():
    with pytest.raises(RuntimeError, match="failing .*ended early"):
        Contestant(f"{__name__}:failing")


def result(*times):
    return Result(list(times), ready_seconds=1.0, peak_mib=2.0, added_mib=1.0, facts={"a": 1})


def test_ratios_are_of_one_round():
    # The machine was half as fast in the last rounds.
    assert ratio(result(1, 1, 2, 2), result(3, 3, 6, 6)) == 3
    assert ratio(result(1, 2, 1), result(4, 4, 3)) == 3


def test_figures():
    figures = result(1, 2, 3, 4, 5).as_dict(images=6)
    assert figures["images_per_second"] == 2
    assert figures["spread"] == pytest.approx(1 / 3)
    assert figures["a"] == 1
