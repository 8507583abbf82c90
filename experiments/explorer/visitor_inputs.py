"""Checks of what a visitor has sent, which may be anything that JSON can say."""

import math


def whole_number(name, value, low, high):
    """The value as an int; a ValueError unless it is a whole number from `low` to `high`."""
    number = _as_float(value)
    is_right = low <= number <= high and number % 1 == 0
    check(name, value, is_right, f"a whole number from {low} to {high}")
    return int(number)


def check_fraction(name, value, zero_is_right):
    """Raises a ValueError unless the value is a number in (0, 1], or is 0 where this is right."""
    number = _as_float(value)
    is_right = 0 < number <= 1 or (zero_is_right and number == 0)
    check(name, value, is_right, "in [0, 1]" if zero_is_right else "in (0, 1]")


def check(name, value, is_right, rule):
    """Raises a ValueError of one short line unless the value is right."""
    if not is_right:
        text = repr(value)
        text = text if len(text) <= 40 else f"{text[:39]}…"
        raise ValueError(f"{name} must be {rule}. Received: {text}")


def point(value):
    """`(x, y)` as floats, which are NaN, and so nowhere, where the value is no point."""
    is_pair = isinstance(value, (list, tuple)) and len(value) == 2
    return tuple(map(_as_float, value)) if is_pair else (math.nan, math.nan)


def _as_float(value):
    """The value as a float, NaN if it is no number."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number and abs(value) < 1e300 else math.nan
