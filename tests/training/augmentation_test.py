"""What a run goes on with: the state of adaptive augmentation, classes as in the data."""

import pytest

from sagan_tf import SAGAN
from sagan_tf.training import Checkpoints, Trainer
from tests.tiny import assert_same, batches, compiled, variables


def test_augmented_training_goes_on_as_if_nothing_had_happened(tmp_path):
    options = {"augmentation": ("color", "cutout"), "adaptive_augmentation": True}
    options["label_distribution"] = "data"
    sagan, other = (compiled("adam", **options) for _ in range(2))
    sagan.augmentation_probability.value.assign(0.5)
    checkpoints = Checkpoints(tmp_path, sagan)
    trainer = Trainer(sagan)
    trainer.fit(batches(), 2)
    checkpoints.save()
    trainer.fit(batches(start=2), 4)

    Checkpoints(tmp_path, other).restore()
    probability = float(other.augmentation_probability.value)
    assert probability == pytest.approx(0.5, abs=1e-3) and probability != 0.5
    Trainer(other).fit(batches(start=2), 4)
    assert_same(variables(other), variables(sagan))
    sums = [
        [float(each) for metric in model.metrics for each in metric.variables]
        for model in (sagan, other)
    ]
    assert sums[0] == sums[1]
    # Who only draws need not know of it, and who trains otherwise must not go on.
    assert SAGAN.from_preset(checkpoints.last).augmentation_probability is None
    with pytest.raises(ValueError, match="has other metrics: .*augmentation_probability"):
        Checkpoints(tmp_path, compiled("adam")).restore()
