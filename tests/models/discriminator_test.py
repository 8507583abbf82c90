import numpy as np
import pytest
from keras import ops

from sagan_tf.models import Discriminator
from tests.layer_checks import built, check_layer

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
    projections = ops.convert_to_numpy(embedding)

    def logits(table):
        # Normalizing the normalized table again, or zeros, changes nothing.
        discriminator.embedding.kernel.assign(table)
        return ops.convert_to_numpy(discriminator((IMAGES, LABELS)))[:, 0]

    projected = logits(projections) - logits(np.zeros((3, 8)))
    features = []  # They are read out of the network one by one through its linear layer.
    for unit in np.eye(8, dtype="float32"):
        discriminator.linear.layer.set_weights([unit[:, None], np.zeros(1)])
        features.append(logits(np.zeros((3, 8))))
    expected = np.sum(projections[LABELS] * np.transpose(features), axis=1)
    np.testing.assert_allclose(projected, expected, rtol=1e-3, atol=1e-3)


def test_logits_of_a_batch_are_independent():
    discriminator = _small()
    both = np.concatenate([IMAGES, -IMAGES]), np.concatenate([LABELS, LABELS])
    for training in (False, True):
        together = ops.convert_to_numpy(discriminator(both))
        alone = discriminator((IMAGES, LABELS), training=training)
        np.testing.assert_allclose(alone, together[:3], rtol=1e-4)
        assert np.abs(together[:3] - together[3:]).max() > 1e-3


def test_labels_matter_but_for_an_unconditional_discriminator():
    discriminator = _small()
    logits = ops.convert_to_numpy(discriminator((IMAGES, LABELS)))
    assert np.abs(logits - discriminator((IMAGES, (LABELS + 1) % 3))).min() > 1e-3
    discriminator = _small(num_classes=None)
    logits = discriminator((IMAGES, LABELS))
    np.testing.assert_array_equal(discriminator((IMAGES, LABELS + 7)), logits)
