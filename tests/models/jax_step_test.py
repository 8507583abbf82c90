"""`Model.fit` and `Model.evaluate` on JAX; backends_test.py compares what is learnt."""

import keras
import numpy as np
import pytest

from sagan_tf.training import Trainer, is_chief, make_strategy
from tests.tiny import BATCH, assert_same, compiled, variables

pytestmark = pytest.mark.skipif(keras.backend.backend() != "jax", reason="TensorFlow has its own")

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.uniform(-1, 1, (2 * BATCH, 16, 16, 1)).astype("float32")
LABELS = RANDOM.integers(3, size=2 * BATCH)


@pytest.fixture(scope="module")
def sagan():
    """A model that has been trained for two steps."""
    sagan = compiled(base_channels=2)
    assert sagan.jit_compile
    steps = []
    count = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: steps.append(sagan.step)
    )
    sagan.fit(IMAGES, LABELS, batch_size=BATCH, shuffle=False, verbose=0, callbacks=[count])
    assert steps == [1, 2]
    return sagan


def test_fit_does_what_the_trainer_does(sagan):
    other = compiled(base_channels=2)
    batches = [(IMAGES[part], LABELS[part]) for part in (slice(BATCH), slice(BATCH, None))]
    # What can be read once loses no batch.
    history = Trainer(other, steps_per_loop=2).fit(iter(batches), 2).history
    assert history.keys() == {metric.name for metric in sagan.metrics}
    assert_same(variables(other), variables(sagan), atol=1e-5)


def test_evaluation_is_the_same_each_time_and_changes_nothing(sagan):
    before = variables(sagan)
    first, second = (
        sagan.evaluate(IMAGES, LABELS, batch_size=BATCH, verbose=0, return_dict=True)
        for _ in range(2)
    )
    assert first == second
    assert np.isfinite(first["discriminator_loss"])
    assert_same(variables(sagan), before)


@pytest.mark.parametrize("way", ["fit", "evaluate", "train_on_batch", "trainer"])
def test_a_wrong_batch_is_said_and_loses_nothing(sagan, way):
    before = variables(sagan)
    call = {
        "fit": lambda *batch: sagan.fit(*batch, batch_size=BATCH, verbose=0),
        "evaluate": lambda *batch: sagan.evaluate(*batch, batch_size=BATCH, verbose=0),
        "train_on_batch": sagan.train_on_batch,
        "trainer": lambda *batch: Trainer(sagan).fit([batch], sagan.step + 1),
    }[way]
    with pytest.raises(ValueError, match=r"`labels` must be in \[0, 3\). .* largest: 3, 3"):
        call(IMAGES[:BATCH], 0 * LABELS[:BATCH] + 3)
    with pytest.raises(ValueError, match=r"in \[-1, 1\], or uint8. Smallest and largest: -?\d"):
        call(200 * IMAGES[:BATCH], LABELS[:BATCH])
    assert_same(variables(sagan), before)


def test_batches_of_the_trainer_have_one_size_and_do_not_end(sagan):
    before = variables(sagan)
    batch, smaller = (IMAGES[:BATCH], LABELS[:BATCH]), (IMAGES[:4], LABELS[:4])
    trainer, step = Trainer(sagan, steps_per_loop=2), sagan.step
    for batches, message in (
        ([batch, smaller], "must have batches of a fixed size"),
        ([], "has no batches"),
        ([batch], "has ended before the last step"),
    ):
        with pytest.raises(ValueError, match=message):
            trainer.fit(batches, step + 2)
    assert_same(variables(sagan), before)


def test_where_to_train():
    assert make_strategy().num_replicas_in_sync == make_strategy("none").num_replicas_in_sync == 1
    for name, message in (
        ("mirrored", "needs several devices"),
        ("multiworker", "needs KERAS_DISTRIBUTION_JOB_ADDRESSES"),
        ("tpu", "JAX finds the TPU"),
    ):
        with pytest.raises(ValueError, match=message):
            make_strategy(name)
    assert is_chief()
