import keras
import numpy as np
import pytest
from keras import ops

from sagan_tf.layers import DiscriminatorBlock
from tests.layer_checks import built, check_layer

INPUTS = np.random.default_rng(13).standard_normal((3, 4, 6, 4)).astype("float32")


@pytest.mark.parametrize(
    ("arguments", "parameters", "state"),
    [
        ({"filters": 5}, (9 * 4 * 5 + 5) + (9 * 5 * 5 + 5) + (4 * 5 + 5), 15),
        (
            {"filters": 4, "downsample": False, "preactivation": False, "spectral_norm": False},
            2 * (9 * 4 * 4 + 4),
            0,
        ),
    ],
    ids=["down", "plain"],
)
def test_layer(arguments, parameters, state, tmp_path):
    check_layer(
        lambda: DiscriminatorBlock(**arguments),
        INPUTS,
        tmp_path,
        parameters=parameters,
        state=state,
    )


@pytest.mark.parametrize("preactivation", [True, False])
@pytest.mark.parametrize("downsample", [True, False])
@pytest.mark.parametrize("filters", [4, 5])
def test_equals_its_parts_in_the_published_order(filters, downsample, preactivation):
    """The order is (ReLU), conv, ReLU, conv, pooling; the shortcut is conv, pooling or nothing."""
    block = built(
        lambda: DiscriminatorBlock(filters, downsample, preactivation, spectral_norm=False),
        INPUTS,
    )

    def conv(ours, x):
        layer = keras.layers.Conv2D(filters, ours.kernel_size, padding="same")
        layer.build(x.shape)
        layer.set_weights(ours.get_weights())
        return layer(x)

    x = ops.relu(INPUTS) if preactivation else INPUTS
    x = conv(block.conv_2, ops.relu(conv(block.conv_1, x)))
    has_shortcut = downsample or filters != INPUTS.shape[-1]
    assert (block.shortcut is not None) == has_shortcut
    x = x + (conv(block.shortcut, INPUTS) if has_shortcut else INPUTS)
    expected = keras.layers.AveragePooling2D(2)(x) if downsample else x
    assert block.compute_output_shape(INPUTS.shape) == expected.shape
    np.testing.assert_allclose(block(INPUTS), expected, atol=1e-5)
