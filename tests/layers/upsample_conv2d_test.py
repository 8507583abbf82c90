import numpy as np
import pytest

from sagan_tf.layers import UpsampleConv2D
from tests.layer_checks import check_layer

INPUTS = np.random.default_rng(8).standard_normal((2, 3, 4, 3)).astype("float32")


@pytest.mark.parametrize(
    ("arguments", "parameters"),
    [({}, 3 * 3 * 3 * 5 + 5), ({"kernel_size": 1, "use_bias": False}, 3 * 5)],
)
def test_layer(arguments, parameters, tmp_path):
    check_layer(
        lambda: UpsampleConv2D(5, **arguments), INPUTS, tmp_path, parameters=parameters, state=0
    )


def test_output_shape():
    layer = UpsampleConv2D(5)
    assert layer(INPUTS).shape == (2, 6, 8, 5)
    assert layer.compute_output_shape((None, None, 4, 3)) == (None, None, 8, 5)


def test_a_kernel_of_one_repeats_pixels():
    layer = UpsampleConv2D(3, kernel_size=1)
    layer.build(INPUTS.shape)
    layer.kernel.assign(np.eye(3)[None, None])
    expected = INPUTS.repeat(2, axis=1).repeat(2, axis=2)
    np.testing.assert_allclose(layer(INPUTS), expected, atol=1e-6)
