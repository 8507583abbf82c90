import numpy as np
import pytest
from matplotlib.colors import to_rgb

from sagan_tf.visualization import score_comparison
from sagan_tf.visualization.score_comparison import DOT_COLOR, MEAN_COLOR, PAIR_COLOR

SCORES = {"()": {"fid": [1.0, 5.0, 3.0]}, "(16,)": {"fid": [2.0, 8.0, 5.0]}}


def ink(picture, color):
    """Rows and columns of the pixels of a color, or nearly so: lines are antialiased."""
    distance = np.abs(np.asarray(picture, "float64") - 255 * np.array(to_rgb(color)))
    return np.argwhere((distance < 4).all(axis=-1))


def centers(pixels, axis):
    """The middles of the runs of adjacent pixels along an axis."""
    values = np.unique(pixels[:, axis])
    parts = np.split(values, np.flatnonzero(np.diff(values) > 1) + 1)
    return [part.mean() for part in parts]


def test_each_seed_has_a_dot_and_each_variant_a_mean():
    picture = score_comparison("attention", SCORES)
    assert picture.mode == "RGB"
    dots = ink(picture, DOT_COLOR)
    # There are three dots side by side in each of two variants.
    assert len(centers(dots, axis=1)) == 6
    # Higher values are higher up, on one scale for all variants.
    left = picture.width / 2
    heights = [
        -np.array(centers(dots[(dots[:, 1] < left) == is_first], axis=0))[::-1]
        for is_first in (True, False)
    ]
    pixels = np.concatenate(heights)
    values = np.array([1.0, 3.0, 5.0, 2.0, 5.0, 8.0])
    assert np.corrcoef(pixels, values)[0, 1] > 0.999
    slope, origin = np.polyfit(values, pixels, 1)
    # The bars stand at the means, 3 and 5, where they are wider than the dots.
    bars = ink(picture, MEAN_COLOR)
    for is_first, mean in ((True, 3.0), (False, 5.0)):
        rows = bars[(bars[:, 1] < left) == is_first][:, 0]
        assert abs(-rows.mean() - (slope * mean + origin)) < 3


def test_lines_join_the_seeds():
    flat = {"a": {"fid": [1.0, 2.0]}, "b": {"fid": [1.0, 2.0]}}
    crossed = {"a": {"fid": [1.0, 2.0]}, "b": {"fid": [2.0, 1.0]}}
    heights = []
    for scores in (flat, crossed):
        picture = score_comparison("x", scores)
        dots, lines = ink(picture, DOT_COLOR), ink(picture, PAIR_COLOR)
        middle = round(dots[:, 1].mean())
        # The text below the panel has shades of gray as well.
        inside = (lines[:, 1] == middle) & (lines[:, 0] < dots[:, 0].max())
        heights.append(np.ptp(lines[inside][:, 0]))
    # In the middle the lines lie as far apart as the dots, or meet.
    assert heights[0] > 150
    assert heights[1] < 20


@pytest.mark.parametrize(("count", "rows", "columns"), [(1, 1, 1), (4, 1, 4), (9, 3, 4)])
def test_there_is_a_panel_per_score(count, rows, columns):
    scores = {str(each): {f"s_{index}": [0.5] for index in range(count)} for each in range(2)}
    picture = score_comparison("attention", scores)
    assert picture.size == (320 * columns, 320 * rows)
    dots = ink(picture, DOT_COLOR)
    panels = {(row // 320, column // 320) for row, column in dots}
    assert len(panels) == count


def test_it_is_a_function_of_its_arguments_and_pyplot_is_unused():
    import matplotlib.pyplot as plt

    assert score_comparison("a", SCORES) == score_comparison("a", SCORES)
    assert plt.get_fignums() == []


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ({}, "must hold a variant with a score"),
        ({"a": {}}, "must hold a variant with a score"),
        ({"a": {"fid": [1.0]}, "b": {"kid": [1.0]}}, "the same scores of all variants"),
        ({"a": {"fid": [1.0]}, "b": {"fid": [1.0, 2.0]}}, "at least one. Received: 1, 2"),
        ({"a": {"fid": []}}, "at least one. Received: 0"),
        ({"a": {"fid": [float("inf")]}}, "must be finite. Received: fid="),
    ],
)
def test_what_cannot_be_drawn(scores, message):
    with pytest.raises(ValueError, match=message):
        score_comparison("attention", scores)
