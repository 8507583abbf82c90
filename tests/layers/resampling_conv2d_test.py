"""Tests of UpsampleConv2D and DownsampleConv2D."""

import keras
import numpy as np
import pytest
import scipy.signal
from keras import ops

from sagan_tf.layers import DownsampleConv2D, UpsampleConv2D
from sagan_tf.layers.resampling_conv2d import box_filtered
from tests.autodiff import TENSORFLOW, float_variables, value_and_gradients
from tests.layer_checks import check_layer

FLOAT64 = pytest.param(
    "float64",
    1e-12,
    marks=pytest.mark.skipif(not TENSORFLOW, reason="JAX has no float64 unless it is enabled"),
)
INPUTS = np.random.default_rng(9).standard_normal((2, 4, 6, 3)).astype("float32")
both = pytest.mark.parametrize("layer_class", [UpsampleConv2D, DownsampleConv2D])


def _upsample_then_convolve(conv, inputs):
    return conv(keras.layers.UpSampling2D(2, interpolation="nearest", dtype=conv.dtype)(inputs))


def _convolve_then_pool(conv, inputs):
    return keras.layers.AveragePooling2D(2, dtype=conv.dtype)(conv(inputs))


@both
@pytest.mark.parametrize(
    ("arguments", "parameters"),
    [({}, 3 * 3 * 3 * 5 + 5), ({"kernel_size": 1, "use_bias": False}, 3 * 5)],
)
def test_layer(layer_class, arguments, parameters, tmp_path):
    check_layer(
        lambda: layer_class(5, **arguments), INPUTS, tmp_path, parameters=parameters, state=0
    )


@pytest.mark.parametrize(
    ("layer_class", "shape"), [(UpsampleConv2D, (2, 8, 12, 5)), (DownsampleConv2D, (2, 2, 3, 5))]
)
def test_output_shape(layer_class, shape):
    layer = layer_class(5)
    assert layer.compute_output_shape(INPUTS.shape) == layer(INPUTS).shape == shape
    unknown = layer.compute_output_shape((None, None, 6, 3))
    assert unknown == (None, None, *shape[2:])


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), FLOAT64])
@pytest.mark.parametrize(("kernel_size", "channels", "filters"), [(1, 3, 5), (3, 3, 5), (5, 4, 1)])
@pytest.mark.parametrize(
    ("fused_class", "plain_pair"),
    [(UpsampleConv2D, _upsample_then_convolve), (DownsampleConv2D, _convolve_then_pool)],
)
def test_equals_the_plain_pair(
    fused_class, plain_pair, kernel_size, channels, filters, dtype, tolerance
):
    rng = np.random.default_rng(2)
    inputs = rng.standard_normal((2, 6, 8, channels)).astype(dtype)
    fused = fused_class(filters, kernel_size, bias_initializer="uniform", dtype=dtype)
    plain = keras.layers.Conv2D(filters, kernel_size, padding="same", dtype=dtype)
    fused.build(inputs.shape)
    plain.build(inputs.shape)
    plain.set_weights(fused.get_weights())

    expected = ops.convert_to_numpy(plain_pair(plain, inputs))
    outputs = ops.convert_to_numpy(fused(inputs))
    assert outputs.dtype == expected.dtype == dtype
    np.testing.assert_allclose(outputs, expected, atol=tolerance)

    (variable,) = float_variables(inputs)
    cotangent = rng.standard_normal(expected.shape).astype(dtype)
    _, gradients = value_and_gradients(
        lambda: ops.sum(fused(variable.value) * cotangent), [variable, *fused.variables]
    )
    _, references = value_and_gradients(
        lambda: ops.sum(plain_pair(plain, variable.value) * cotangent),
        [variable, *plain.variables],
    )
    for gradient, reference in zip(gradients, references, strict=True):
        np.testing.assert_allclose(
            gradient, reference, rtol=0, atol=tolerance * np.abs(reference).max()
        )


@both
def test_bias_and_activation_are_those_of_conv2d(layer_class):
    inputs = np.ones((1, 2, 2, 1), "float32")
    layer = layer_class(
        2, kernel_initializer="zeros", bias_initializer="ones", activation="sigmoid"
    )
    np.testing.assert_allclose(layer(inputs), 1 / (1 + np.exp(-1)), atol=1e-6)


@both
@pytest.mark.parametrize("argument", ["strides", "dilation_rate", "groups", "padding"])
def test_rejects_what_it_would_have_to_ignore(layer_class, argument):
    with pytest.raises(TypeError, match=f"'{argument}'"):
        layer_class(2, **{argument: 1})


@both
def test_rejects_even_kernels(layer_class):
    with pytest.raises(ValueError, match=r"`kernel_size` must be odd.*kernel_size=4"):
        layer_class(2, 4)


@pytest.mark.parametrize("size", [(5, 6), (4, 3), (None, 3)])
def test_downsampling_rejects_odd_sizes(size):
    with pytest.raises(ValueError, match="must be even"):
        DownsampleConv2D(5).build((2, *size, 3))


def test_downsampling_rejects_odd_inputs():
    layer = DownsampleConv2D(5)
    layer.build((2, None, 6, 3))
    with pytest.raises(ValueError, match="must be even"):
        layer(np.zeros((2, 5, 6, 3), "float32"))


@pytest.mark.parametrize("size", [1, 2, 3])
def test_box_filtered(size):
    kernel = np.random.default_rng(4).standard_normal((size, size, 2, 3)).astype("float32")
    filtered = ops.convert_to_numpy(box_filtered(ops.convert_to_tensor(kernel)))
    for i, j in np.ndindex(2, 3):
        expected = scipy.signal.convolve2d(kernel[:, :, i, j], np.ones((2, 2)))
        np.testing.assert_allclose(filtered[:, :, i, j], expected, atol=1e-6)
