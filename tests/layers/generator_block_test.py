import keras
import numpy as np
import pytest
from keras import ops

from sagan_tf.layers import GeneratorBlock
from tests.layer_checks import built, check_layer

FEATURES = np.random.default_rng(12).standard_normal((3, 2, 3, 4)).astype("float32")
LABELS = np.array([1, 0, 1], "int32")
# The terms are conv_1, conv_2 and shortcut, with biases.
CONVOLUTIONS = (9 * 4 * 5 + 5) + (9 * 5 * 5 + 5) + (4 * 5 + 5)


@pytest.mark.parametrize(
    ("arguments", "parameters", "state"),
    [
        ({"num_classes": 2}, CONVOLUTIONS + 2 * 2 * (4 + 5), 18 + 15),
        ({"spectral_norm": False}, CONVOLUTIONS + 2 * (4 + 5), 18),
    ],
    ids=["conditional", "plain"],
)
def test_layer(arguments, parameters, state, tmp_path):
    def make():
        return GeneratorBlock(5, **arguments)

    check_layer(make, (FEATURES, LABELS), tmp_path, parameters=parameters, state=state)


def test_equals_its_parts_in_the_published_order():
    """The order is norm, ReLU, up, conv, norm, ReLU, conv; that of the shortcut is up, conv."""
    block = built(lambda: GeneratorBlock(5, num_classes=2, spectral_norm=False), (FEATURES, LABELS))

    def conv(ours, x):
        return ops.conv(x, ours.kernel, padding="same", data_format="channels_last") + ours.bias

    up = keras.layers.UpSampling2D(2, interpolation="nearest")
    x = conv(block.conv_1, up(ops.relu(block.norm_1((FEATURES, LABELS)))))
    x = conv(block.conv_2, ops.relu(block.norm_2((x, LABELS))))
    expected = x + conv(block.shortcut, up(FEATURES))
    np.testing.assert_allclose(block((FEATURES, LABELS)), expected, atol=1e-5)
