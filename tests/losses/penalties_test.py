import numpy as np
import pytest
from keras import ops

from sagan_tf import losses
from tests.autodiff import float_variables, value_and_gradients

# The norms are 5 and 0.
GRADIENTS = np.zeros((2, 2, 1, 3), "float32")
GRADIENTS[0, 0, 0, 0], GRADIENTS[0, 1, 0, 2] = 3, 4


def test_values():
    assert float(losses.gradient_penalty(GRADIENTS)) == pytest.approx((16 + 1) / 2)
    assert float(losses.gradient_penalty(GRADIENTS[:1] / 5)) == pytest.approx(0, abs=1e-6)
    assert float(losses.r1_penalty(GRADIENTS)) == pytest.approx(0.5 * (25 + 0) / 2)
    assert {name: penalty.of for name, penalty in losses.PENALTIES.items()} == {
        "gradient_penalty": losses.gradient_penalty,
        "r1": losses.r1_penalty,
    }


@pytest.mark.parametrize("name", losses.PENALTIES)
def test_has_a_finite_gradient_at_zero(name):
    (gradients,) = float_variables(GRADIENTS)
    penalty = losses.PENALTIES[name].of
    _, (second,) = value_and_gradients(lambda: penalty(gradients.value), [gradients])
    assert np.isfinite(second).all() and np.any(second[0]) and not np.any(second[1])


@pytest.mark.parametrize("name", losses.PENALTIES)
def test_is_computed_in_float32(name):
    gradients = np.random.default_rng(0).standard_normal((2, 16, 16, 3))
    gradients = ops.cast(gradients, "bfloat16")
    penalty = losses.PENALTIES[name].of
    value = penalty(gradients)
    assert (value.shape, value.dtype) == ((), "float32")
    # A sum of 768 squares in bfloat16 would be off by several per cent.
    assert float(value) == pytest.approx(float(penalty(ops.cast(gradients, "float32"))), rel=1e-6)


def test_each_is_taken_at_its_images():
    real, fake = np.random.default_rng(0).standard_normal((2, 2, 4, 4, 1))
    mix = np.array([0.25, 0.5]).reshape(2, 1, 1, 1)
    at = {name: penalty.at(real, fake, mix) for name, penalty in losses.PENALTIES.items()}
    between = [0.25 * real[0] + 0.75 * fake[0], 0.5 * (real[1] + fake[1])]
    np.testing.assert_array_equal(at["r1"], real)
    np.testing.assert_allclose(at["gradient_penalty"], between)
