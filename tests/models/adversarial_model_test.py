"""What a Keras user tries first works, or says what to do."""

import keras
import numpy as np
import pytest

from sagan_tf.losses import LOSSES, AdversarialLoss
from tests.tiny import tiny

RANDOM = np.random.default_rng(0)
IMAGES = RANDOM.uniform(-1, 1, (8, 16, 16, 1)).astype("float32")
LABELS = RANDOM.integers(3, size=8)

training = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow trains")


def rates(sagan):
    return [float(each.learning_rate) for each in sagan.optimizer.both]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"optimizer": "adam"}, "pass `generator_optimizer` and `discriminator_optimizer`"),
        ({"metrics": ["accuracy"]}, "`metrics` has no meaning for a GAN"),
        ({"loss": lambda real, fake: 0.0}, "`sagan_tf.losses.AdversarialLoss` of two functions"),
    ],
)
def test_compile_says_what_a_gan_takes(options, message):
    with pytest.raises(TypeError, match=message):
        tiny().compile(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"augmentation": ("colour",)}, "^Unknown augmentation: colour. Did you mean color. Valid"),
        ({"adaptive_augmentation": True}, "`adaptive_augmentation` needs `augmentation`"),
        ({"consistency_weight": 10.0}, "`consistency_weight` needs `augmentation`"),
    ],
)
def test_augmentation_that_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        tiny().compile(**options)


@training
def test_names_of_optimizers_and_a_loss_of_ones_own():
    sagan, other = tiny(), tiny()
    hinge = LOSSES["hinge"]
    sagan.compile("sgd", "adam", loss=AdversarialLoss(hinge.discriminator, hinge.generator))
    other.compile("sgd", "adam")
    found, expected = (each.evaluate(IMAGES, LABELS, verbose=0) for each in (sagan, other))
    assert found == expected
    sagan.fit(IMAGES, LABELS, batch_size=8, verbose=0)


@training
def test_held_out_losses_are_measured_alike_each_time_and_change_nothing():
    sagan = tiny()
    sagan.compile()
    held_out = IMAGES[:5], LABELS[:5]
    before = [np.array(weight) for weight in sagan.weights]
    losses, again = (
        {name: float(value) for name, value in found.items()}
        for found in (
            sagan.evaluate(*held_out, batch_size=3, verbose=0, return_dict=True) for _ in range(2)
        )
    )
    assert losses == again
    names = {"discriminator_loss", "generator_loss", "real_logits", "fake_logits"}
    assert names == set(losses)
    for weight, old in zip(sagan.weights, before, strict=True):
        np.testing.assert_array_equal(weight, old, err_msg=weight.path)
    logits = sagan.discriminator(held_out)
    assert losses["real_logits"] == pytest.approx(np.mean(logits), abs=1e-5)
    history = sagan.fit(IMAGES, LABELS, validation_data=held_out, batch_size=4, verbose=0)
    assert {f"val_{name}" for name in names} <= set(history.history)


@training
def test_callbacks_of_the_learning_rate_move_both():
    sagan = tiny()
    sagan.compile(*(keras.optimizers.SGD(rate) for rate in (0.001, 0.004)))
    halve = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    sagan.fit(IMAGES, LABELS, batch_size=8, epochs=2, verbose=0, callbacks=[halve])
    assert rates(sagan) == pytest.approx([0.00025, 0.001])
    plateau = keras.callbacks.ReduceLROnPlateau(
        "fake_variance", 0.1, patience=1, mode="min", min_delta=1e9
    )
    sagan.fit(IMAGES, LABELS, batch_size=8, epochs=2, verbose=0, callbacks=[plateau])
    assert rates(sagan) == pytest.approx([0.000025, 0.0001])
