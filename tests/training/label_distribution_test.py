"""Classes of generated images that are as frequent as in the data."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.tiny import compiled


def batch(labels, seed=0):
    images = np.random.default_rng(seed).uniform(-1, 1, (len(labels), 16, 16, 1))
    return tf.constant(images, "float32"), tf.constant(labels, "int32")


def rows_that_change(sagan, data):
    """The classes whose parameters of batch norm a step of training changes."""
    weights = sagan.generator.trainable_weights
    tables = [each for each in weights if len(each.shape) == 2 and each.shape[0] == 3]
    assert tables
    before = [table.numpy() for table in tables]
    sagan.train_step(data)
    changed = [
        (table.numpy() != old).any(axis=1) for table, old in zip(tables, before, strict=True)
    ]
    return set(np.flatnonzero(np.any(changed, axis=0)))


@pytest.mark.parametrize("options", [{}, {"discriminator_steps": 2, "accumulation_steps": 2}])
def test_only_classes_of_the_batch_are_generated(options):
    data = batch([2, 0] * 4)
    assert rows_that_change(compiled(label_distribution="data", **options), data) == {0, 2}
    assert 1 in rows_that_change(compiled(label_distribution="uniform", **options), data)


def test_a_keras_file_knows_it(tmp_path):
    compiled(label_distribution="data").save(tmp_path / "sagan.keras")
    loaded = keras.models.load_model(tmp_path / "sagan.keras")
    assert loaded.label_distribution == "data"
    with pytest.raises(ValueError, match=r"^Unknown label_distribution: real. Valid: data, unif"):
        compiled(label_distribution="real")
