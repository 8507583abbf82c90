import keras
import numpy as np
import pytest
from keras import ops

from sagan_tf.layers import SelfAttention
from tests.layer_checks import built, check_layer

INPUTS = np.random.default_rng(7).standard_normal((2, 6, 4, 16)).astype("float32")
PLAIN = {"pool_size": 1, "value_reduction": 1, "gate_initializer": "ones", "spectral_norm": False}


@pytest.mark.parametrize(
    ("arguments", "parameters", "state"),
    [
        # Query and key are 16 x 2, value 16 x 8, output 8 x 16; u has one entry per output channel.
        ({"gate_initializer": "ones"}, 32 + 32 + 128 + 128 + 1, 2 + 2 + 8 + 16),
        ({**PLAIN, "key_reduction": 4}, 64 + 64 + 256 + 256 + 1, 0),
    ],
)
def test_layer(arguments, parameters, state, tmp_path):
    def make():
        return SelfAttention(**arguments)

    check_layer(make, INPUTS, tmp_path, parameters=parameters, state=state)


def _numpy_attention(layer, x, pool):
    """Computes the article's equations 1 to 3 in float64, one position at a time."""

    def matrix(conv):
        kernel = conv.normalized_kernel()[0] if layer.spectral_norm else conv.kernel
        return ops.convert_to_numpy(kernel)[0, 0].astype("float64")

    def max_pooled(features):
        height, width, channels = features.shape
        blocks = features.reshape(height // pool, pool, width // pool, pool, channels)
        return blocks.max(axis=(1, 3)).reshape(-1, channels)

    outputs, maps = np.empty(x.shape), []
    for image, output in zip(x.astype("float64"), outputs, strict=True):
        key = max_pooled(image @ matrix(layer.key))
        value = max_pooled(image @ matrix(layer.value))
        rows = []
        for position in np.ndindex(image.shape[:2]):
            weights = np.exp(key @ (image[position] @ matrix(layer.query)))
            rows.append(weights / weights.sum())
            attended = rows[-1] @ value @ matrix(layer.output_conv)
            output[position] = image[position] + float(layer.gate.value) * attended
        maps.append(rows)
    return outputs, np.array(maps)


@pytest.mark.parametrize("spectral_norm", [True, False])
@pytest.mark.parametrize(("pool_size", "value_reduction"), [(1, 1), (2, 2)])
def test_equals_the_formula(pool_size, value_reduction, spectral_norm):
    reductions = {"pool_size": pool_size, "value_reduction": value_reduction}
    layer = SelfAttention(**reductions, gate_initializer="ones", spectral_norm=spectral_norm)
    outputs, attention = layer(INPUTS, return_attention=True)
    assert float(layer.gate.value) == 1
    expected, expected_attention = _numpy_attention(layer, INPUTS, pool_size)
    np.testing.assert_allclose(outputs, expected, atol=1e-5)
    np.testing.assert_allclose(attention, expected_attention, atol=1e-6)


@pytest.mark.parametrize(("pool_size", "keys"), [(1, 24), (2, 6), (3, 2)])
def test_map(pool_size, keys):
    layer = built(lambda: SelfAttention(pool_size=pool_size), INPUTS)
    outputs, attention = layer(INPUTS, return_attention=True)
    np.testing.assert_array_equal(outputs, layer(INPUTS))
    assert attention.shape == (2, 24, keys)
    _, symbol = layer(keras.Input(INPUTS.shape[1:]), return_attention=True)
    assert (symbol.shape, symbol.dtype) == ((None, 24, keys), "float32")
    np.testing.assert_allclose(ops.sum(attention, axis=-1), 1, atol=1e-6)
    assert float(ops.max(attention)) > 1.5 / keys  # It is not uniform.


def test_softmax_is_float32_under_mixed_bfloat16():
    layer = built(lambda: SelfAttention(dtype="mixed_bfloat16"), INPUTS)
    outputs, attention = layer(INPUTS, return_attention=True)
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    assert keras.backend.standardize_dtype(attention.dtype) == "float32"
    # In bfloat16 the sums would be off by up to 2^-8.
    np.testing.assert_allclose(ops.sum(attention, axis=-1), 1, atol=1e-5)


def test_rejects():
    for name in ("key_reduction", "value_reduction", "pool_size"):
        with pytest.raises(ValueError, match=f"`{name}` must be at least 1.*{name}=0"):
            SelfAttention(**{name: 0})
    for shape, message in (
        ((None, 4, 4, 7), "channels=7"),
        ((None, 1, 4, 16), "at least `pool_size`"),
        ((None, None, 4, 16), "must be known"),
    ):
        with pytest.raises(ValueError, match=message):
            SelfAttention().build(shape)
