"""What a Keras user tries first works, or says what to do."""

import keras
import numpy as np
import pytest

from sagan_tf import SAGAN, Discriminator, Generator
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


def test_one_class_and_a_wrong_seed():
    sagan = tiny()
    np.testing.assert_array_equal(sagan.generate(2, seed=0), sagan.generate([2], seed=0))
    assert sagan.generate(np.int64(2), num_images=3).shape[0] == 3
    with pytest.raises(ValueError, match="`seed` must be at least 0. Received: seed=-1"):
        sagan.generate(seed=-1)


def test_export_says_what_exports():
    with pytest.raises(NotImplementedError, match="export_saved_model.sagan, 'served'"):
        tiny().export("served")


def test_a_subclass_keeps_its_class_in_the_average():
    @keras.saving.register_keras_serializable("tests")
    class Brighter(Generator):
        def call(self, inputs, **options):
            return super().call(inputs, **options) / 2 + 0.5

    sagan = SAGAN(Brighter(16, 1, 3, 4, 8), Discriminator(16, 1, 3, 4))
    assert type(sagan.ema_generator) is Brighter
    np.testing.assert_array_equal(
        sagan.generate(1, seed=0), sagan.generate(1, seed=0, use_ema=False)
    )


def test_the_average_is_not_trainable():
    sagan = tiny()
    expected = len(sagan.generator.trainable_weights) + len(sagan.discriminator.trainable_weights)
    assert len(sagan.trainable_weights) == expected
    assert len(sagan.weights) == len(sagan.trainable_weights) + len(sagan.non_trainable_weights)


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
