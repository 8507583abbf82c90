import keras
import numpy as np
import pytest
from keras import ops

from sagan_tf.layers import GatedResidualBlock, SelfAttention
from tests.layer_checks import built, check_layer

INPUTS = np.random.default_rng(7).standard_normal((2, 6, 4, 16)).astype("float32")


def count(layer, channels):
    layer.build((None, 4, 4, channels))
    return sum(np.prod(weight.shape, dtype=int) for weight in layer.trainable_weights)


@pytest.mark.parametrize(
    ("arguments", "state"),
    [
        # The kernels are 3 x 3 x 16 x 2 and 2 x 16; u has one entry per output channel.
        ({"gate_initializer": "ones"}, 2 + 16),
        ({"gate_initializer": "ones", "spectral_norm": False}, 0),
    ],
)
def test_layer(arguments, state, tmp_path):
    def make():
        return GatedResidualBlock(**arguments)

    check_layer(make, INPUTS, tmp_path, parameters=288 + 32 + 1, state=state)


@pytest.mark.parametrize("channels", [8, 14, 16, 20, 33, 64, 256])
def test_it_has_as_many_parameters_as_attention(channels):
    ours, theirs = (count(layer(), channels) for layer in (GatedResidualBlock, SelfAttention))
    assert abs(ours - theirs) <= (4 * channels if channels % 8 else 0)
    if channels % 8 == 0:
        assert ours == 5 * channels**2 // 4 + 1


@pytest.mark.parametrize("spectral_norm", [True, False])
def test_equals_the_formula(spectral_norm):
    """Each position is computed in float64 from its neighborhood."""
    layer = built(lambda: GatedResidualBlock(spectral_norm=spectral_norm), INPUTS)

    def kernel(conv):
        found = conv.normalized_kernel()[0] if spectral_norm else conv.kernel
        return ops.convert_to_numpy(found).astype("float64")

    padded = np.pad(np.maximum(INPUTS, 0).astype("float64"), ((0, 0), (1, 1), (1, 1), (0, 0)))
    expected = INPUTS.astype("float64")
    for row, column in np.ndindex(INPUTS.shape[1:3]):
        seen = padded[:, row : row + 3, column : column + 3]
        hidden = np.einsum("bijc,ijcd->bd", seen, kernel(layer.conv_1))
        residual = np.maximum(hidden, 0) @ kernel(layer.conv_2)[0, 0]
        expected[:, row, column] += float(layer.gate.value) * residual
    outputs = ops.convert_to_numpy(layer(INPUTS))
    assert np.abs(outputs - INPUTS).max() > 1e-3
    np.testing.assert_allclose(outputs, expected, atol=1e-5)


def test_takes_maps_of_any_size():
    outputs = GatedResidualBlock()(keras.Input((None, None, 16)))
    assert outputs.shape == (None, None, None, 16)


def test_rejects():
    with pytest.raises(ValueError, match="needs at least 8 channels. Received: channels=7"):
        GatedResidualBlock().build((None, 4, 4, 7))
