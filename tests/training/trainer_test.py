"""The outer loop on one device. Replicas are compared in trainer_replicas_test.py."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from sagan_tf.training import Trainer
from tests.tiny import BATCH, assert_same, batches, compiled, variables


class Spy(keras.callbacks.Callback):
    """Notes what a callback is told."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def on_train_begin(self, logs=None):
        self.calls.append(("train_begin", dict(self.params)))

    def on_epoch_begin(self, epoch, logs=None):
        self.calls.append(("epoch_begin", epoch))

    def on_train_batch_begin(self, batch, logs=None):
        self.calls.append(("batch_begin", batch))

    def on_train_batch_end(self, batch, logs=None):
        self.calls.append(("batch_end", batch, dict(logs)))

    def on_epoch_end(self, epoch, logs=None):
        self.calls.append(("epoch_end", epoch, dict(logs)))

    def on_train_end(self, logs=None):
        self.calls.append(("train_end",))


def test_trainer_does_what_fit_does():
    fitted, trained = compiled(discriminator_steps=2), compiled(discriminator_steps=2)
    spies = Spy(), Spy()
    options = {"steps_per_epoch": 3, "shuffle": False, "verbose": 0}
    history = fitted.fit(batches(2), callbacks=[spies[0]], **options)
    own_history = Trainer(trained).fit(batches(2), 3, callbacks=[spies[1]])
    # Two graphs may round differently.
    assert_same(variables(trained), variables(fitted), atol=1e-6)
    for name, values in history.history.items():
        assert own_history.history[name] == pytest.approx(values, abs=1e-5)

    for theirs, ours in zip(*(spy.calls for spy in spies), strict=True):
        assert ours[:2] == theirs[:2]
        if len(ours) > 2:
            assert ours[2] == pytest.approx(theirs[2], abs=1e-5)


def test_loops_end_at_multiples_and_change_nothing():
    one, three = compiled(), compiled()
    spy = Spy()
    trainer = Trainer(one)
    trainer.fit(batches(), 2)
    trainer.fit(batches(start=2), 7)
    trainer = Trainer(three, steps_per_loop=3)
    trainer.fit(batches(), 2)
    trainer.fit(batches(start=2), 7, callbacks=[spy])
    assert [call[1] for call in spy.calls if call[0] == "batch_begin"] == [2, 3, 6]
    assert [call[1] for call in spy.calls if call[0] == "batch_end"] == [2, 5, 6]
    assert_same(variables(three), variables(one))
    for metric, other in zip(one.metrics, three.metrics, strict=True):
        assert float(metric.result()) == float(other.result())


def test_a_callback_stops_training():
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = self.model.step == 2

    sagan, spy = compiled(), Spy()
    trainer = Trainer(sagan)
    trainer.fit(batches(), 5, [Stop(), spy])
    assert sagan.step == 2
    assert spy.calls[-1] == ("train_end",)
    trainer.fit(batches(), 3)
    assert sagan.step == 3


def test_nothing_is_left_to_train():
    sagan, spy = compiled(), Spy()
    before = variables(sagan)
    Trainer(sagan).fit(batches(), 0, [spy])
    assert [call[0] for call in spy.calls] == [
        "train_begin",
        "epoch_begin",
        "epoch_end",
        "train_end",
    ]
    assert_same(variables(sagan), before)


def test_batches_must_have_a_fixed_size_that_divides():
    ragged = tf.data.Dataset.from_tensor_slices(np.zeros((5, 16, 16, 1), "float32")).batch(2)
    labelled = tf.data.Dataset.zip(ragged, tf.data.Dataset.from_tensor_slices([0] * 5).batch(2))
    with pytest.raises(ValueError, match="must have batches of a fixed size: use drop_remainder"):
        Trainer(compiled()).fit(labelled, 1)
    message = f"A batch of {BATCH} images does not divide among 1 replicas with .*_steps=3"
    with pytest.raises(ValueError, match=message):
        Trainer(compiled(accumulation_steps=3)).fit(batches(), 1)
    with pytest.raises(ValueError, match="`steps_per_loop` must be at least 1. Received: 0"):
        Trainer(compiled(), steps_per_loop=0)


@pytest.mark.soak
def test_xla_compiles_the_step_and_finds_the_same_losses():
    """As on a TPU: static shapes, operations that XLA knows, the same random numbers."""
    options = {"accumulation_steps": 2, "penalty": "r1"}
    # With seed 0 rounding flips one ReLU of the discriminator's last block.
    plain, with_xla = (compiled(jit_compile=xla, seed=1, **options) for xla in (False, True))
    spies = Spy(), Spy()
    for sagan, spy in zip((plain, with_xla), spies, strict=True):
        Trainer(sagan).fit(batches(), 3, [spy])
    expected, found = ([call[2] for call in spy.calls if call[0] == "batch_end"] for spy in spies)
    assert len(found) == 3
    # Three updates magnify rounding: 2e-5 were seen.
    for theirs, ours in zip(expected, found, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-4)
    assert_same(variables(with_xla), variables(plain), atol=1e-4)
