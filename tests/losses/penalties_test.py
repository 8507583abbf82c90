import numpy as np
import pytest
from keras import ops

from sagan_tf import losses
from tests.autodiff import float_variables, value_and_gradients

# Norms 5 and 0.
GRADIENTS = np.zeros((2, 2, 1, 3), "float32")
GRADIENTS[0, 0, 0, 0], GRADIENTS[0, 1, 0, 2] = 3, 4


def test_gradient_penalty():
    assert float(losses.gradient_penalty(GRADIENTS)) == pytest.approx((16 + 1) / 2)
    assert float(losses.gradient_penalty(GRADIENTS[:1] / 5)) == pytest.approx(0, abs=1e-6)


def test_r1_penalty():
    assert float(losses.r1_penalty(GRADIENTS)) == pytest.approx(0.5 * (25 + 0) / 2)


@pytest.mark.parametrize("penalty", losses.PENALTIES.values(), ids=losses.PENALTIES.keys())
def test_has_a_finite_gradient_at_zero(penalty):
    (gradients,) = float_variables(GRADIENTS)
    _, (second,) = value_and_gradients(lambda: penalty(gradients.value), [gradients])
    assert np.isfinite(second).all()
    assert np.any(second[0])
    assert not np.any(second[1])


@pytest.mark.parametrize("penalty", losses.PENALTIES.values(), ids=losses.PENALTIES.keys())
def test_is_computed_in_float32(penalty):
    gradients = np.random.default_rng(0).standard_normal((2, 16, 16, 3))
    gradients = ops.cast(gradients, "bfloat16")
    value = penalty(gradients)
    assert (value.shape, value.dtype) == ((), "float32")
    # A sum of 768 squares in bfloat16 would be off by several per cent.
    assert float(value) == pytest.approx(float(penalty(ops.cast(gradients, "float32"))), rel=1e-6)


def test_registry():
    assert {
        "gradient_penalty": losses.gradient_penalty,
        "r1": losses.r1_penalty,
    } == losses.PENALTIES
