"""Adversarial losses and gradient penalties, on any Keras backend."""

from sagan_tf.losses.adversarial import (
    LOSSES,
    AdversarialLoss,
    hinge,
    least_squares,
    non_saturating,
    wasserstein,
)
from sagan_tf.losses.penalties import PENALTIES, Penalty, gradient_penalty, r1_penalty

__all__ = [
    "LOSSES",
    "PENALTIES",
    "AdversarialLoss",
    "Penalty",
    "gradient_penalty",
    "hinge",
    "least_squares",
    "non_saturating",
    "r1_penalty",
    "wasserstein",
]
