import pathlib

import keras
import numpy as np
import pytest
from keras import ops

from sagan_tf.models import Generator
from tests.autodiff import compiled, value_and_gradients
from tests.layer_checks import built, check_layer

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "generator_16.txt"
SMALL = {"image_size": 16, "num_classes": 3, "base_channels": 2, "latent_dim": 5}
LATENTS = np.random.default_rng(21).standard_normal((3, 5)).astype("float32")
LABELS = np.array([2, 0, 1], "int32")


def _small(**arguments):
    generator = built(lambda: Generator(**{**SMALL, **arguments}), (LATENTS, LABELS))
    for _ in range(3):  # u and the moving statistics come near their limits.
        generator((LATENTS, LABELS), training=True)
    return generator


def test_network(tmp_path):
    check_layer(
        lambda: Generator(**SMALL, channels=1, attention_resolutions=(16,)),
        (LATENTS, LABELS),
        tmp_path,
        parameters=768 + 2 * 1336 + 81 + 16 + 73,
        state=128 + 2 * (3 * 8 + 2 * 16) + 14 + 16 + 1,
        mixed_output="float32",
    )


def test_default_is_the_published_network():
    generator = Generator()
    assert sum(np.prod(v.shape, dtype=int) for v in generator.trainable_variables) == 42_078_852
    assert list(generator.gates) == ["attention_32"]


def test_weights_are_frozen():
    """A change of names, shapes or order breaks checkpoints and presets."""
    weights = [
        f"{weight.path} {tuple(weight.shape)} {'trainable' if weight.trainable else 'state'}"
        for weight in Generator(**SMALL, name="generator").weights
    ]
    assert weights == GOLDEN.read_text().splitlines()


@pytest.mark.parametrize(
    ("image_size", "channels", "num_classes", "base_channels", "attention"),
    [
        (16, 1, 3, 2, 8),
        (32, 3, None, 2, 16),
        (64, 1, 3, 4, 32),
        (128, 3, 3, 2, 32),
        (256, 3, None, 2, 64),
    ],
)
def test_every_size(image_size, channels, num_classes, base_channels, attention):
    generator = Generator(image_size, channels, num_classes, base_channels, latent_dim=5)
    inputs = (LATENTS, LABELS)
    images, maps = generator(inputs, return_attention=True)
    assert images.shape == (3, image_size, image_size, channels)
    assert {name: value.shape for name, value in maps.items()} == {
        f"attention_{attention}": (3, attention**2, attention**2 // 4)
    }
    assert list(generator.gates) == list(maps)
    images = ops.convert_to_numpy(images)
    assert np.abs(images).max() <= 1
    assert images.std() > 0


@pytest.mark.parametrize("resolutions", [(), (8,), (16, 8)])
def test_attention_where_asked(resolutions):
    generator = _small(attention_resolutions=resolutions)
    names = {f"attention_{resolution}" for resolution in resolutions}
    images, maps = generator((LATENTS, LABELS), return_attention=True)
    assert set(maps) == set(generator.gates) == names
    for value in maps.values():
        np.testing.assert_allclose(ops.sum(value, axis=-1), 1, atol=1e-5)
    np.testing.assert_array_equal(images, generator((LATENTS, LABELS)))
    compiled_images, compiled_maps = compiled(
        lambda: generator((LATENTS, LABELS), return_attention=True), jit_compile=False
    )
    np.testing.assert_allclose(compiled_images, images, atol=1e-5)
    assert set(compiled_maps) == names


def test_images_of_a_batch_are_independent_at_inference():
    generator = _small()
    together = generator((LATENTS, LABELS))
    for index in range(3):
        alone = generator((LATENTS[index : index + 1], LABELS[index : index + 1]))
        np.testing.assert_allclose(alone[0], together[index], atol=1e-5)


def test_latents_and_labels_both_matter():
    generator = _small()
    images = ops.convert_to_numpy(generator((LATENTS, LABELS)))
    assert np.abs(images - generator((-LATENTS, LABELS))).max() > 1e-2
    assert np.abs(images - generator((LATENTS, LABELS[::-1].copy()))).max() > 1e-3


def test_unconditional_ignores_labels():
    generator = _small(num_classes=None)
    images = generator((LATENTS, LABELS))
    np.testing.assert_array_equal(generator((LATENTS, LABELS + 7)), images)


def test_every_weight_gets_a_gradient_in_training():
    generator = _small()
    variables = generator.trainable_variables
    _, gradients = value_and_gradients(
        lambda: ops.sum(generator((LATENTS, LABELS), training=True)), variables
    )
    # Batch norm takes out a constant that the layer before it added.
    no_effect = {"linear/bias", "conv_1/bias"}
    for variable, gradient in zip(variables, gradients, strict=True):
        assert np.isfinite(gradient).all()
        if "/".join(variable.path.split("/")[-2:]) not in no_effect:
            assert np.any(gradient), variable.path


def test_survives_json():
    config = keras.saving.serialize_keras_object(_small(attention_resolutions=[8]))
    generator = keras.saving.deserialize_keras_object(config)
    assert list(generator.gates) == ["attention_8"]
