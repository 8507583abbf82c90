import pathlib

import numpy as np
import pytest
from keras import ops

from sagan_tf.models import Discriminator
from tests.layer_checks import built, check_layer

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "discriminator_16.txt"
SMALL = {"image_size": 16, "num_classes": 3, "base_channels": 2}
IMAGES = np.random.default_rng(22).uniform(-1, 1, (3, 16, 16, 3)).astype("float32")
LABELS = np.array([2, 0, 1], "int32")


def _small(**arguments):
    discriminator = built(lambda: Discriminator(**{**SMALL, **arguments}), (IMAGES, LABELS))
    for _ in range(3):  # u comes near its limit.
        discriminator((IMAGES, LABELS), training=True)
    return discriminator


def test_network(tmp_path):
    check_layer(
        lambda: Discriminator(**SMALL, attention_resolutions=(4,)),
        (IMAGES, LABELS),
        tmp_path,
        parameters=840 + 1240 + 1168 + 81 + 9 + 24,
        state=(24 + 24 + 16) + 14 + 1 + 8,
        mixed_output="float32",
    )


def test_default_is_the_published_network():
    discriminator = Discriminator()
    parameters = sum(np.prod(v.shape, dtype=int) for v in discriminator.trainable_variables)
    assert parameters == 39_463_618
    assert list(discriminator.gates) == ["attention_32"]


def test_weights_are_frozen():
    """A change of names, shapes or order breaks checkpoints and presets."""
    weights = [
        f"{weight.path} {tuple(weight.shape)} {'trainable' if weight.trainable else 'state'}"
        for weight in Discriminator(**SMALL, name="discriminator").weights
    ]
    assert weights == GOLDEN.read_text().splitlines()


@pytest.mark.parametrize(
    ("image_size", "channels", "num_classes", "base_channels", "attention"),
    [
        (16, 1, 3, 2, 8),
        (32, 3, None, 2, 16),
        (64, 1, 3, 8, 32),
        (128, 3, 3, 4, 32),
        (256, 3, None, 4, 64),
    ],
)
def test_every_size(image_size, channels, num_classes, base_channels, attention):
    discriminator = Discriminator(image_size, channels, num_classes, base_channels)
    images = np.random.default_rng(0).uniform(-1, 1, (3, image_size, image_size, channels))
    images = images.astype("float32")
    logits = discriminator((images, LABELS))
    assert logits.shape == (3, 1)
    assert list(discriminator.gates) == [f"attention_{attention}"]
    assert np.isfinite(logits).all()
    assert np.std(logits) > 0


@pytest.mark.parametrize("resolutions", [(), (4,), (4, 8)])
def test_attention_where_asked(resolutions):
    discriminator = _small(attention_resolutions=resolutions)
    names = {f"attention_{resolution}" for resolution in resolutions}
    assert set(discriminator.gates) == names
    logits = ops.convert_to_numpy(discriminator((IMAGES, LABELS)))
    for gate in discriminator.gates.values():
        gate.assign(gate + 1.0)
        moved = ops.convert_to_numpy(discriminator((IMAGES, LABELS)))
        assert np.abs(moved - logits).max() > 1e-3
        logits = moved


def test_logit_is_linear_plus_projection():
    """The logit is `linear(features) + <embedding(label), features>`, both normalized."""
    discriminator = _small()
    embedding, _ = discriminator.embedding.normalized_kernel()
    projections = [np.zeros((3, 8), "float32"), ops.convert_to_numpy(embedding)]
    logits = []
    for table in projections:
        # Normalizing the normalized table again, or zeros, changes nothing.
        discriminator.embedding.kernel.assign(table)
        logits.append(ops.convert_to_numpy(discriminator((IMAGES, LABELS)))[:, 0])
    zero, full = logits
    discriminator.linear.layer.set_weights([np.ones((8, 1)), np.zeros(1)])
    features = _features(discriminator)
    expected = np.sum(projections[1][LABELS] * features, axis=1)
    np.testing.assert_allclose(full - zero, expected, rtol=1e-3, atol=1e-3)


def _features(discriminator):
    """Reads features out of the network one by one through its linear layer."""
    discriminator.embedding.kernel.assign(np.zeros((3, 8)))
    columns = []
    for unit in np.eye(8, dtype="float32"):
        discriminator.linear.layer.set_weights([unit[:, None], np.zeros(1)])
        columns.append(ops.convert_to_numpy(discriminator((IMAGES, LABELS)))[:, 0])
    return np.stack(columns, axis=1)


def test_logits_of_a_batch_are_independent():
    discriminator = _small()
    for training in (False, True):
        both = np.concatenate([IMAGES, -IMAGES]), np.concatenate([LABELS, LABELS])
        together = ops.convert_to_numpy(discriminator(both))
        alone = discriminator((IMAGES, LABELS), training=training)
        np.testing.assert_allclose(alone, together[:3], rtol=1e-4)
        assert np.abs(together[:3] - together[3:]).max() > 1e-3


def test_labels_matter():
    discriminator = _small()
    logits = ops.convert_to_numpy(discriminator((IMAGES, LABELS)))
    assert np.abs(logits - discriminator((IMAGES, (LABELS + 1) % 3))).min() > 1e-3


def test_unconditional_ignores_labels():
    discriminator = _small(num_classes=None)
    logits = discriminator((IMAGES, LABELS))
    np.testing.assert_array_equal(discriminator((IMAGES, LABELS + 7)), logits)
