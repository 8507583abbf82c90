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

no_jax = pytest.mark.skipif(not TENSORFLOW, reason="JAX has no float64 unless it is enabled")
INPUTS = np.random.default_rng(9).standard_normal((2, 4, 6, 3)).astype("float32")
both = pytest.mark.parametrize("layer_class", [UpsampleConv2D, DownsampleConv2D])


@both
@pytest.mark.parametrize(
    ("arguments", "parameters"),
    [({}, 3 * 3 * 3 * 5 + 5), ({"kernel_size": 1, "use_bias": False}, 3 * 5)],
)
def test_layer(layer_class, arguments, parameters, tmp_path):
    def make():
        return layer_class(5, **arguments)

    check_layer(make, INPUTS, tmp_path, parameters=parameters, state=0)
    assert make().compute_output_shape((None, None, 6, 3)) == (None, None, 6 * make().scale, 5)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("float32", 1e-5), pytest.param("float64", 1e-12, marks=no_jax)]
)
@pytest.mark.parametrize(("kernel_size", "channels", "filters"), [(1, 3, 5), (3, 3, 5), (5, 4, 1)])
@both
def test_equals_the_plain_pair(layer_class, kernel_size, channels, filters, dtype, tolerance):
    rng = np.random.default_rng(2)
    inputs = rng.standard_normal((2, 6, 8, channels)).astype(dtype)
    arguments = {"bias_initializer": "uniform", "activation": "sigmoid", "dtype": dtype}
    fused = layer_class(filters, kernel_size, **arguments)
    conv = keras.layers.Conv2D(filters, kernel_size, padding="same", dtype=dtype)
    fused.build(inputs.shape)
    conv.build(inputs.shape)
    conv.set_weights(fused.get_weights())
    up = keras.layers.UpSampling2D(2, interpolation="nearest", dtype=dtype)
    pool = keras.layers.AveragePooling2D(2, dtype=dtype)

    def plain(images):
        return ops.sigmoid(
            conv(up(images)) if layer_class is UpsampleConv2D else pool(conv(images))
        )

    expected, outputs = (ops.convert_to_numpy(layer(inputs)) for layer in (plain, fused))
    assert outputs.dtype == expected.dtype == dtype
    np.testing.assert_allclose(outputs, expected, atol=tolerance)

    (variable,) = float_variables(inputs)
    cotangent = rng.standard_normal(expected.shape).astype(dtype)
    gradients, references = (
        value_and_gradients(
            lambda layer=layer: ops.sum(layer(variable.value) * cotangent), [variable, *weights]
        )[1]
        for layer, weights in ((fused, fused.variables), (plain, conv.variables))
    )
    for gradient, reference in zip(gradients, references, strict=True):
        np.testing.assert_allclose(
            gradient, reference, rtol=0, atol=tolerance * np.abs(reference).max()
        )


@both
@pytest.mark.parametrize("argument", ["strides", "dilation_rate", "groups", "padding"])
def test_rejects_what_it_would_have_to_ignore(layer_class, argument):
    with pytest.raises(TypeError, match=f"'{argument}'"):
        layer_class(2, **{argument: 1})


@both
def test_rejects_even_kernels(layer_class):
    with pytest.raises(ValueError, match=r"`kernel_size` must be odd.*kernel_size=4"):
        layer_class(2, 4)


def test_downsampling_rejects_odd_sizes():
    for size in ((5, 6), (4, 3)):
        with pytest.raises(ValueError, match="must be even"):
            DownsampleConv2D(5)(np.zeros((2, *size, 3), "float32"))


@pytest.mark.parametrize("size", [1, 2, 3])
def test_box_filtered(size):
    kernel = np.random.default_rng(4).standard_normal((size, size, 2, 3)).astype("float32")
    filtered = ops.convert_to_numpy(box_filtered(ops.convert_to_tensor(kernel)))
    for i, j in np.ndindex(2, 3):
        expected = scipy.signal.convolve2d(kernel[:, :, i, j], np.ones((2, 2)))
        np.testing.assert_allclose(filtered[:, :, i, j], expected, atol=1e-6)
