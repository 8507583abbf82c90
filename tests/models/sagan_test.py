import inspect

import keras
import numpy as np
import pytest

from sagan_tf import SAGAN, Discriminator, Generator
from sagan_tf.config import Recipe
from sagan_tf.models import draw_inputs
from tests.tiny import tiny


@pytest.mark.parametrize("num_classes", [3, None])
def test_generate_shape_range_and_seed(num_classes):
    sagan = tiny(num_classes)
    images = sagan.generate(num_images=5, seed=1)
    assert images.shape == (5, 16, 16, 1)
    assert images.dtype == np.float32
    assert np.abs(images).max() <= 1
    np.testing.assert_array_equal(images, sagan.generate(num_images=5, seed=1))
    # Convolutions may sum in another order for another batch size.
    np.testing.assert_allclose(images[:2], sagan.generate(num_images=2, seed=1), atol=1e-6)
    assert not np.array_equal(images, sagan.generate(num_images=5, seed=2))
    assert not np.array_equal(images, sagan.generate(num_images=5))


def test_generate_options():
    sagan = tiny()
    images, maps = sagan.generate([2], num_images=3, seed=0, return_attention=True)
    assert maps["attention_8"].shape == (3, 64, 16)
    np.testing.assert_allclose(maps["attention_8"].sum(axis=-1), 1.0, atol=1e-5)
    np.testing.assert_array_equal(images, sagan.generate([2, 2, 2], seed=0))
    assert not np.array_equal(images, sagan.generate([1, 1, 1], seed=0))
    assert not np.array_equal(images, sagan.generate([2], num_images=3, seed=0, use_ema=False))
    latents = np.random.default_rng(0).standard_normal((3, 8)).astype("float32")
    np.testing.assert_array_equal(
        sagan.generate([2], latents=latents, truncation=0.5),
        sagan.generate([2], latents=0.5 * latents),
    )
    assert sagan.generate([]).shape == (0, 16, 16, 1)
    assert sagan.generate().shape == (16, 16, 16, 1)


def test_classes_may_be_mixed():
    sagan = tiny()
    one_hot = np.eye(3)
    images = sagan.generate([2, 0], seed=0)
    np.testing.assert_allclose(sagan.generate(one_hot[[2, 0]], seed=0), images, atol=1e-6)
    mixed = sagan.generate(one_hot[[2, 0]] / 2 + one_hot[[1, 1]] / 2, seed=0)
    for others in (images, sagan.generate([1, 1], seed=0)):
        assert np.abs(mixed - others).max() > 1e-4
    with pytest.raises(ValueError, match="must have shape \\(3, 3\\). Received: \\(2, 3\\)"):
        sagan.generate(one_hot[:2], num_images=3)


@pytest.mark.parametrize(("num_classes", "labels"), [(3, None), (3, [2, 0]), (None, None)])
def test_batches_are_those_of_generate(num_classes, labels):
    sagan = tiny(num_classes)
    options = {"labels": labels, "num_images": 150, "truncation": 0.5, "seed": 1}
    batches = list(sagan.generate_batches(**options))
    assert [len(images) for images, _ in batches] == [64, 64, 22]
    images, found = map(np.concatenate, zip(*batches, strict=True))
    np.testing.assert_array_equal(images, sagan.generate(**options))
    expected = draw_inputs(sagan.generator, 150, 1)[1] if labels is None else [2, 0] * 75
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.int32
    # It is said at once.
    with pytest.raises(ValueError, match="`truncation` must be in"):
        sagan.generate_batches(truncation=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": [3]}, r"`labels` must be in \[0, 3\). Received: 3"),
        ({"labels": [], "num_images": 2}, "`labels` is empty"),
        ({"num_images": -1}, "`num_images` must not be negative"),
        ({"truncation": 0}, "`truncation` must be in"),
        ({"truncation": float("nan")}, "`truncation` must be in"),
        ({"latents": np.zeros((2, 7))}, r"`latents` must have shape \(2, 8\)"),
    ],
)
def test_generate_errors(options, message):
    with pytest.raises(ValueError, match=message):
        tiny().generate(**options)


def test_classes_may_be_named():
    sagan = tiny()
    sagan.class_names = ("cat", "dog", "red fox")
    named = sagan.generate(["red fox", 0, "dog"], seed=3)
    np.testing.assert_array_equal(named, sagan.generate([2, 0, 1], seed=3))
    np.testing.assert_array_equal(sagan.generate("dog", seed=3), sagan.generate(1, seed=3))
    with pytest.raises(ValueError, match="Did you mean dog"):
        sagan.generate(["dgo"])


def test_an_unconditional_model_takes_no_labels():
    with pytest.raises(ValueError, match="unconditional"):
        tiny(None).generate([1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ema_decay": 1.0}, "`ema_decay`"),
        ({"discriminator_steps": 0}, "`discriminator_steps`"),
    ],
)
def test_constructor_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        tiny(**arguments)


def test_networks_must_fit_each_other():
    with pytest.raises(ValueError, match="same `num_classes`. Received: 3 and None"):
        SAGAN(Generator(16, 1, 3, 4), Discriminator(16, 1, None, 4))
    residual = Discriminator(16, 1, 3, 4, attention_layer="residual")
    with pytest.raises(ValueError, match="same `attention_layer`. Received: self_attention and re"):
        SAGAN(Generator(16, 1, 3, 4), residual)


@pytest.mark.parametrize("option", [{"loss": "hing"}, {"penalty": "r"}])
def test_compile_names_what_exists(option):
    with pytest.raises(ValueError, match="Valid: (gradient_penalty, r1|hinge, least_squares)"):
        tiny().compile(**option)


def test_config_has_every_argument():
    arguments = set(inspect.signature(SAGAN.__init__).parameters) - {"self", "kwargs"}
    config = tiny(ema_decay=0.5, discriminator_steps=2, seed=7).get_config()
    assert arguments <= set(config)
    copy = SAGAN.from_config(config)
    assert copy.get_config() == config


def test_keras_file_round_trip_with_optimizers(tmp_path):
    sagan = tiny()
    sagan.compile(loss="wasserstein", penalty="r1", penalty_weight=2.0, augmentation=["color"])
    sagan.class_names, sagan.reference = ("cat", "dog", "bird"), "a test"
    sagan.recipe = Recipe(augmentation=("color",), max_minutes=1.5)
    sagan.save(tmp_path / "sagan.keras")
    loaded = keras.models.load_model(tmp_path / "sagan.keras", safe_mode=True)
    assert loaded.get_compile_config() == sagan.get_compile_config()
    assert (loaded.config, loaded.seed) == (sagan.config, sagan.seed)
    np.testing.assert_array_equal(loaded.generate([1], seed=0), sagan.generate([1], seed=0))


def test_one_class_and_a_wrong_seed():
    sagan = tiny()
    np.testing.assert_array_equal(sagan.generate(2, seed=0), sagan.generate([2], seed=0))
    assert sagan.generate(np.int64(2), num_images=3).shape[0] == 3
    with pytest.raises(ValueError, match="`seed` must be at least 0. Received: seed=-1"):
        sagan.generate(seed=-1)


@pytest.mark.parametrize("seed", [-1, None, "1", 2**31])
def test_a_wrong_seed_of_training(seed):
    with pytest.raises((TypeError, ValueError), match="`seed` must be "):
        tiny(seed=seed)


def test_the_seed_of_training(tmp_path):
    sagan = tiny(seed=np.int64(7))
    sagan.save_preset(tmp_path)
    assert SAGAN.from_preset(tmp_path).seed == sagan.seed == 7
    assert SAGAN.from_preset(tmp_path, num_classes=2).seed == 7


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
