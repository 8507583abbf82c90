"""Adversarial losses of logits `(batch, 1)`: each is a float32 scalar, the mean over the batch."""

import dataclasses
from collections.abc import Callable

from keras import ops


@dataclasses.dataclass(frozen=True)
class AdversarialLoss:
    """The two sides of a game: functions of `(real_logits, fake_logits)` and `(fake_logits)`."""

    discriminator: Callable
    generator: Callable


def _mean(values):
    return ops.mean(ops.cast(values, "float32"))


def _minus_mean(fake_logits):
    return -_mean(fake_logits)


hinge = AdversarialLoss(
    discriminator=lambda real_logits, fake_logits: (
        _mean(ops.relu(1.0 - real_logits)) + _mean(ops.relu(1.0 + fake_logits))
    ),
    generator=_minus_mean,
)
"""Hinge loss. [Zhang et al., 2019](https://arxiv.org/abs/1805.08318), equation 4."""

wasserstein = AdversarialLoss(
    discriminator=lambda real_logits, fake_logits: _mean(fake_logits) - _mean(real_logits),
    generator=_minus_mean,
)
"""Wasserstein loss, to be used with a Lipschitz constraint: spectral normalization, or the gradient
penalty. [Arjovsky et al., 2017](https://arxiv.org/abs/1701.07875), equation 2."""

non_saturating = AdversarialLoss(
    discriminator=lambda real_logits, fake_logits: (
        _mean(ops.softplus(-real_logits)) + _mean(ops.softplus(fake_logits))
    ),
    generator=lambda fake_logits: _mean(ops.softplus(-fake_logits)),
)
"""Cross-entropy with the generator maximizing log D of its images.
[Goodfellow et al., 2014](https://arxiv.org/abs/1406.2661), section 3."""

least_squares = AdversarialLoss(
    discriminator=lambda real_logits, fake_logits: (
        0.5 * (_mean(ops.square(real_logits - 1.0)) + _mean(ops.square(fake_logits)))
    ),
    generator=lambda fake_logits: 0.5 * _mean(ops.square(fake_logits - 1.0)),
)
"""Least squares with targets 1 for real and 0 for fake.
[Mao et al., 2017](https://arxiv.org/abs/1611.04076), equation 9."""

LOSSES = {
    "hinge": hinge,
    "wasserstein": wasserstein,
    "non_saturating": non_saturating,
    "least_squares": least_squares,
}
"""The losses by name."""
