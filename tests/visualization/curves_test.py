import numpy as np
import pytest
from matplotlib.colors import to_rgb

from sagan_tf.visualization import training_curves
from sagan_tf.visualization.curves import COLORS, running_mean

# The panel of each metric. Its color is named by the first word.
METRICS = {
    "discriminator_loss": 0,
    "generator_loss": 0,
    "real_logits": 1,
    "fake_logits": 1,
    "discriminator_gate_8": 2,
    "generator_gate_32": 2,
}


def record(step, names=tuple(METRICS), value=0.5):
    return {"step": step, **dict.fromkeys(names, value)}


def ink(picture, network):
    """How many pixels each of the three panels has in a network's color."""
    color = np.rint(255 * np.array(to_rgb(COLORS[network])))
    matches = (np.asarray(picture) == color).all(axis=-1)
    return [int(panel.sum()) for panel in np.split(matches, 3, axis=1)]


@pytest.fixture(scope="module")
def whole():
    return training_curves([record(step, value=0.1 * step) for step in range(5)])


@pytest.mark.parametrize("name", METRICS)
def test_each_metric_has_its_line_in_its_panel(whole, name):
    network = name.partition("_")[0]
    others = [other for other in METRICS if other != name]
    without = training_curves([record(step, others) for step in (1, 2, 3)])
    assert whole.mode == "RGB" and whole.size == (1500, 450)
    panels = {panel for other, panel in METRICS.items() if other.startswith(network)}
    assert set(np.flatnonzero(ink(whole, network))) == panels
    assert set(np.flatnonzero(ink(without, network))) == panels - {METRICS[name]}


def test_gates_of_several_resolutions_look_different():
    def drawn(other):
        records = [{"step": step, "generator_gate_16": 0.1, other: 0.2} for step in range(3)]
        picture = training_curves(records)
        return ink(picture, "generator")[2] + ink(picture, "discriminator")[2]

    # Dashes need less ink than a second solid line.
    assert drawn("generator_gate_32") < 0.95 * drawn("discriminator_gate_16")


def test_repeated_steps_count_once_and_order_does_not_matter():
    before = [record(1, value=0.1), record(2, value=9.0), record(3, value=9.0)]
    after = [record(2, value=0.2), record(3, value=0.3)]
    clean = [record(1, value=0.1), *after]
    assert training_curves(before + after) == training_curves(clean)
    assert training_curves(clean[::-1]) == training_curves(clean)
    assert training_curves(before) != training_curves(clean)


@pytest.mark.parametrize("broken", [None, float("nan"), float("inf")])
def test_a_broken_value_interrupts_only_its_line(whole, broken):
    records = [record(step, value=0.1 * step) for step in range(5)]
    records[2]["generator_loss"] = broken
    picture = training_curves(records)
    assert 0 < ink(picture, "generator")[0] < ink(whole, "generator")[0]
    assert ink(picture, "generator")[1:] == ink(whole, "generator")[1:]


@pytest.mark.parametrize("score", ["fid", "kid"])
def test_scores_get_a_panel_of_their_own(score):
    records = [record(step) for step in range(6)]
    records[2][score], records[5][score] = 40.0, 20.0
    picture = training_curves(records)
    assert picture.size == (2000, 450)
    color = np.rint(255 * np.array(to_rgb(COLORS[score])))
    columns = np.flatnonzero((np.asarray(picture) == color).all(axis=-1).any(axis=0))
    assert columns.min() > 1500
    # The line joins both scores, though no record between them has one.
    assert len(columns) > 250


def test_a_single_record_is_visible_and_pyplot_unused():
    import matplotlib.pyplot as plt

    picture = training_curves([{"step": 7, "generator_loss": 0.3}])
    assert ink(picture, "generator")[0] > 20
    assert plt.get_fignums() == []


def test_running_mean_by_hand():
    values = np.array([0.0, 3.0, np.nan, 6.0, 8.0])
    np.testing.assert_allclose(running_mean(values, 0), values)
    np.testing.assert_allclose(running_mean(values, 1), [1.5, 1.5, np.nan, 7.0, 7.0])
    np.testing.assert_allclose(running_mean(np.array([1.0, np.inf]), 9), [1.0, np.nan])


def test_records_are_checked():
    with pytest.raises(ValueError, match="at least one record"):
        training_curves([])
    with pytest.raises(ValueError, match="1.0} at index 1"):
        training_curves([record(1), {"generator_loss": 1.0}])
