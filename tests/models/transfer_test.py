"""Weights of a model for one of other classes or another size."""

import numpy as np
import pytest

from sagan_tf import SAGAN
from sagan_tf.models import transfer_weights
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


def test_classes_are_taken_by_name(caplog):
    old, new = tiny(3), tiny(4)
    old.class_names, new.class_names = ("ant", "bee", "cat"), ("cat", "dog", "ant", "cow")
    with caplog.at_level("WARNING", "absl"):
        transfer_weights(old, new)
    assert "classes that begin as the mean: dog, cow" in caplog.text
    for find in (
        lambda sagan: sagan.generator.blocks[0].norm_1.gamma,
        lambda sagan: sagan.ema_generator.blocks[1].norm_2.beta,
        lambda sagan: sagan.discriminator.embedding.layer.embeddings,
    ):
        known, found = np.array(find(old)), np.array(find(new))
        np.testing.assert_array_equal(found[[2, 0]], known[[0, 2]])
        np.testing.assert_allclose(found[[1, 3]], [known.mean(axis=0)] * 2, rtol=1e-6)


def test_as_many_other_classes_are_not_taken_for_the_same():
    old, new = tiny(2), tiny(2)
    old.class_names, new.class_names = ("ant", "bee"), ("bee", "ant")
    old.generator.blocks[0].norm_1.gamma.assign_add([[1.0], [2.0]] * np.ones(16))
    report = transfer_weights(old, new)
    assert not report["new"] and not report["mean of classes"]
    pair = [np.array(each.generator.blocks[0].norm_1.gamma) for each in (old, new)]
    np.testing.assert_array_equal(pair[0], pair[1][::-1])


@pytest.mark.parametrize(("before", "after"), [(None, 3), (3, None)])
def test_between_models_with_and_without_classes(before, after):
    old, new = tiny(before), tiny(after)
    old.generator.blocks[0].norm_1.gamma.assign_add(np.full(16, 0.5))
    report = transfer_weights(old, new)
    means = [np.array(each.generator.blocks[0].norm_1.gamma) for each in (old, new)]
    means = [np.atleast_2d(each).mean(axis=0) for each in means]
    np.testing.assert_allclose(*means, rtol=1e-6)
    assert all("embedding" in path for path in report["new"])
