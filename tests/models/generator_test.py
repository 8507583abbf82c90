import numpy as np
import pytest
from keras import ops

from sagan_tf.models import Generator
from tests.autodiff import compiled
from tests.layer_checks import built, check_layer

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


def test_latents_and_labels_both_matter_but_labels_not_for_an_unconditional_generator():
    generator = _small()
    images = ops.convert_to_numpy(generator((LATENTS, LABELS)))
    assert np.abs(images - generator((-LATENTS, LABELS))).max() > 1e-2
    assert np.abs(images - generator((LATENTS, LABELS[::-1].copy()))).max() > 1e-3
    generator = _small(num_classes=None)
    images = generator((LATENTS, LABELS))
    np.testing.assert_array_equal(generator((LATENTS, LABELS + 7)), images)
