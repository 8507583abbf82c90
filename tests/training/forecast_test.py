"""When a run will end, in words."""

import math
import time

import pytest

from sagan_tf.training.forecast import duration, forecast_line

NOON = time.mktime((2026, 3, 1, 12, 0, 0, 0, 0, -1))


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (50, "50 seconds"),
        (1440, "24 minutes"),
        (7.5 * 3600, "7.5 hours"),
        (12 * 86400, "12.0 days"),
    ],
)
def test_duration(seconds, expected):
    assert duration(seconds) == expected


@pytest.mark.parametrize(
    ("rate", "end", "until_limit", "expected"),
    [
        (0.5, 1000, math.inf, "2 s per step, 32 images per second. The end, step 1,000, is 30"),
        (0.5, 1000, 600.0, "s per second. The end, about step 400, is 10 minutes away, at 12:10"),
        (4.0, 500, 600.0, "Speed: 4.0 steps per second, 256 images per second. The end, step 500,"),
        (1.0, 10**6, math.inf, "is 11.6 days away, at 2026-03-13 0"),
        (1.0, math.inf, math.inf, "Speed: 1.0 steps per second, 64 images per second"),
    ],
)
def test_the_end_is_that_which_comes_first(rate, end, until_limit, expected):
    assert expected in forecast_line(rate, 64 * rate, 100, end, until_limit, NOON)
