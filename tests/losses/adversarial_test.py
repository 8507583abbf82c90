import numpy as np
import pytest
from keras import ops

from sagan_tf import losses
from tests.autodiff import float_variables, value_and_gradients

REAL = np.array([[2.0], [0.5], [-1.0], [0.5]], "float32")
FAKE = np.array([[-3.0], [0.25], [-0.25], [1.0]], "float32")


def _softplus(x):
    return np.log1p(np.exp(x))


# The discriminator's loss by hand or formula, and the generator's.
VALUES = {
    "hinge": ((0 + 0.5 + 2 + 0.5) / 4 + (0 + 1.25 + 0.75 + 2) / 4, 0.5),
    "wasserstein": (-0.5 - 0.5, 0.5),
    "non_saturating": (np.mean(_softplus(-REAL) + _softplus(FAKE)), np.mean(_softplus(-FAKE))),
    "least_squares": (0.5 * np.mean((REAL - 1) ** 2 + FAKE**2), 0.5 * np.mean((FAKE - 1) ** 2)),
}


def test_values():
    assert {name: getattr(losses, name) for name in VALUES} == losses.LOSSES
    for name, (discriminator, generator) in VALUES.items():
        loss = losses.LOSSES[name]
        assert float(loss.discriminator(REAL, FAKE)) == pytest.approx(discriminator, rel=1e-6)
        assert float(loss.generator(FAKE)) == pytest.approx(generator, rel=1e-6)


@pytest.mark.parametrize("name", VALUES)
def test_both_sides_pull_the_right_way(name):
    """D raises real logits and lowers fake ones where it is wrong; G raises them."""
    loss = losses.LOSSES[name]
    real, fake = float_variables(np.full((2, 1), -0.5, "f"), np.full((2, 1), 0.5, "f"))
    _, (real_gradient, fake_gradient) = value_and_gradients(
        lambda: loss.discriminator(real.value, fake.value), [real, fake]
    )
    _, (generator_gradient,) = value_and_gradients(lambda: loss.generator(fake.value), [fake])
    assert (real_gradient < 0).all()
    assert (fake_gradient > 0).all()
    assert (generator_gradient < 0).all()


@pytest.mark.parametrize("name", VALUES)
def test_scalar_float32_from_bfloat16_logits(name):
    loss = losses.LOSSES[name]
    real, fake = (ops.cast(logits, "bfloat16") for logits in (REAL, FAKE))
    for value in (loss.discriminator(real, fake), loss.generator(fake)):
        assert (value.shape, value.dtype) == ((), "float32")
    assert float(loss.generator(fake)) == pytest.approx(float(loss.generator(FAKE)), rel=2e-2)
