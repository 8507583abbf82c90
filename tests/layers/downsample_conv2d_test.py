import numpy as np
import pytest

from sagan_tf.layers import DownsampleConv2D
from tests.layer_checks import check_layer

INPUTS = np.random.default_rng(9).standard_normal((2, 4, 6, 3)).astype("float32")


@pytest.mark.parametrize(
    ("arguments", "parameters"),
    [({}, 3 * 3 * 3 * 5 + 5), ({"kernel_size": 1, "use_bias": False}, 3 * 5)],
)
def test_layer(arguments, parameters, tmp_path):
    check_layer(
        lambda: DownsampleConv2D(5, **arguments), INPUTS, tmp_path, parameters=parameters, state=0
    )


def test_output_shape():
    layer = DownsampleConv2D(5)
    assert layer(INPUTS).shape == (2, 2, 3, 5)
    assert layer.compute_output_shape((None, None, 4, 3)) == (None, None, 2, 5)


def test_a_kernel_of_one_averages_pixels():
    layer = DownsampleConv2D(3, kernel_size=1)
    layer.build(INPUTS.shape)
    layer.kernel.assign(np.eye(3)[None, None])
    expected = INPUTS.reshape(2, 2, 2, 3, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(layer(INPUTS), expected, atol=1e-6)


@pytest.mark.parametrize("size", [(5, 6), (4, 3)])
def test_rejects_odd_sizes(size):
    shape = (2, *size, 3)
    with pytest.raises(ValueError, match="must be even"):
        DownsampleConv2D(5).build(shape)
    layer = DownsampleConv2D(5)
    layer.build(INPUTS.shape)
    with pytest.raises(ValueError, match="must be even"):
        layer(np.zeros(shape, "float32"))
