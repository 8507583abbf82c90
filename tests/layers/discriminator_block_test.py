import keras
import numpy as np
import pytest
from keras import ops

from sagan_tf.layers import DiscriminatorBlock
from tests.layer_checks import built, check_layer

INPUTS = np.random.default_rng(13).standard_normal((3, 4, 6, 4)).astype("float32")
PLAIN = {"downsample": False, "preactivation": False, "spectral_norm": False}


@pytest.mark.parametrize(
    ("filters", "arguments", "parameters", "state"),
    [
        (5, {}, (9 * 4 * 5 + 5) + (9 * 5 * 5 + 5) + (4 * 5 + 5), 15),
        (4, PLAIN, 2 * (9 * 4 * 4 + 4), 0),
    ],
    ids=["down", "plain"],
)
def test_layer(filters, arguments, parameters, state, tmp_path):
    def make():
        return DiscriminatorBlock(filters, **arguments)

    check_layer(make, INPUTS, tmp_path, parameters=parameters, state=state)


@pytest.mark.parametrize("rectified", [True, False])
@pytest.mark.parametrize("preactivation", [True, False])
@pytest.mark.parametrize("downsample", [True, False])
@pytest.mark.parametrize("filters", [4, 5])
def test_equals_its_parts_in_the_published_order(filters, downsample, preactivation, rectified):
    """The order is (ReLU), conv, ReLU, conv, pooling; the shortcut is conv, pooling or nothing."""
    block = built(
        lambda: DiscriminatorBlock(
            filters, downsample, preactivation, spectral_norm=False, rectified_shortcut=rectified
        ),
        INPUTS,
    )

    def conv(ours, x):
        return ops.conv(x, ours.kernel, padding="same", data_format="channels_last") + ours.bias

    x = ops.relu(INPUTS) if preactivation else INPUTS
    x = conv(block.conv_2, ops.relu(conv(block.conv_1, x)))
    has_shortcut = downsample or filters != INPUTS.shape[-1]
    assert (block.shortcut is not None) == has_shortcut
    # Before an image there is no ReLU that could work in place.
    shortcut = ops.relu(INPUTS) if rectified and preactivation else INPUTS
    x = x + (conv(block.shortcut, shortcut) if has_shortcut else shortcut)
    expected = keras.layers.AveragePooling2D(2)(x) if downsample else x
    assert block.compute_output_shape(INPUTS.shape) == expected.shape
    np.testing.assert_allclose(block(INPUTS), expected, atol=1e-5)
