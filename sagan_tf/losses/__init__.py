"""Adversarial losses and gradient penalties, on any Keras backend."""

from sagan_tf.losses.adversarial import (
    LOSSES,
    AdversarialLoss,
    hinge,
    least_squares,
    non_saturating,
    wasserstein,
)
from sagan_tf.losses.penalties import PENALTIES, gradient_penalty, r1_penalty

__all__ = [
    "LOSSES",
    "PENALTIES",
    "AdversarialLoss",
    "gradient_penalty",
    "hinge",
    "least_squares",
    "non_saturating",
    "r1_penalty",
    "wasserstein",
]
