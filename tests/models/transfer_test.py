"""Weights of a model for one of other classes or another size."""

import numpy as np
import pytest

from sagan_tf import SAGAN
from tests.tiny import tiny

RANDOM = np.random.default_rng(0)


def test_other_classes_begin_as_the_mean_of_the_known_ones(tmp_path, caplog):
    old = tiny(3)
    old.class_names = ("ant", "bee", "cat")
    for weight in old.weights:
        weight.assign(weight + RANDOM.uniform(0.1, 0.2, weight.shape))
    old.save_preset(tmp_path / "old")
    with caplog.at_level("WARNING", "absl"):
        new = SAGAN.from_preset(tmp_path / "old", num_classes=5)
    assert (new.generator.num_classes, new.class_names) == (5, None)
    assert "taken, " in caplog.text and "mean of classes" in caplog.text
    table, other = (each.generator.blocks[0].norm_1.gamma for each in (old, new))
    for row in np.array(other):
        np.testing.assert_allclose(row, np.array(table).mean(axis=0), rtol=1e-6)
    for network in ("generator", "discriminator", "ema_generator"):
        pairs = zip(getattr(old, network).weights, getattr(new, network).weights, strict=True)
        for one, two in pairs:
            if one.shape == two.shape:
                np.testing.assert_array_equal(one, two, err_msg=one.path)
    wider = SAGAN.from_preset(tmp_path / "old", image_size=32)
    assert wider.generate(0).shape == (1, 32, 32, 1)
    with pytest.raises(ValueError, match="Unknown setting: num_class. Did you mean num_classes"):
        SAGAN.from_preset(tmp_path / "old", num_class=5)
