"""Looks out for what makes further training useless."""

import math

from absl import logging
from keras import ops

from sagan_tf.training.periodic import Periodic


class Watchdog(Periodic):
    """Stops at NaN and infinity, and warns when training shows signs of collapse.

    The signs, by the means of the metrics since the last record:

    - `fake_variance` below 1 % of `real_variance` (of the images of one replica and slice; both are
      0 when it has one image only): the generator makes the same image always;
    - `discriminator_loss` below 5 % of that of a discriminator which cannot tell real from fake
      (not with Wasserstein's loss): the generator has hardly a gradient left to learn from;
    - a mean logit beyond 100: the discriminator runs away;
    - after 1,000 steps, an attention gate within 0.001 of 0: attention does nothing so far.

    Each is warned of when it appears, and never fatal. `Recorder` does the same before it records.

    Args:
        every: int, steps between two looks at the signs. Defaults to `50`.
        checkpoints: The run's `Checkpoints`, to name the last good one. Defaults to `None`.

    Raises:
        FloatingPointError: when a metric is NaN or infinite.
    """

    def __init__(self, every=50, checkpoints=None):
        super().__init__()
        self.every = every
        self.checkpoints = checkpoints
        self._present = set()

    def on_train_batch_end(self, batch, logs=None):
        self.require_finite(logs)
        if self.is_due(self.every):
            self.look_for_signs(logs)
        self.seen = self.model.step

    def require_finite(self, logs):
        """Raises a FloatingPointError if a metric is NaN or infinite."""
        broken = [name for name, value in logs.items() if not math.isfinite(value)]
        if broken:
            step = self.model.step
            when = f"at step {step}"
            if step > self.seen + 1:
                when = f"between steps {self.seen + 1} and {step}"
            hope = f" {self.checkpoints.last_good()}." if self.checkpoints else ""
            raise FloatingPointError(
                f"{', '.join(broken)} became {float(logs[broken[0]])} {when}: training stopped."
                f"{hope} Lower the learning rates, set global_clipnorm or keep spectral_norm on"
            )

    def look_for_signs(self, logs):
        """Warns of signs of collapse that were not there when it looked before."""
        step = self.model.step
        signs = warning_signs(self.model, step, logs)
        for name, text in signs.items():
            if name not in self._present:
                logging.warning("Step %d: %s", step, text)
        self._present = set(signs)


def warning_signs(sagan, step, logs):
    """Dict from the metrics that show a sign of collapse to what they say."""
    signs = {}
    real, fake, loss = (
        logs[name] for name in ("real_variance", "fake_variance", "discriminator_loss")
    )
    if fake < 0.01 * real:
        signs["fake_variance"] = (
            f"generated images hardly differ (variance {fake:.2g}, that of real images "
            f"{real:.2g}): the generator may have collapsed"
        )
    no_decision = ops.zeros((1, 1))
    undecided = float(sagan.adversarial_loss.discriminator(no_decision, no_decision))
    if undecided > 0 and loss < 0.05 * undecided:
        signs["discriminator_loss"] = (
            f"the discriminator tells real from fake without error (loss {loss:.2g}): the "
            "generator has hardly a gradient left"
        )
    for name in ("real_logits", "fake_logits"):
        if abs(logs[name]) > 100:
            signs[name] = f"{name} run away: {logs[name]:.3g}"
    for name in sagan.gates:
        if step >= 1000 and abs(logs[name]) < 0.001:
            signs[name] = f"{name} is still {logs[name]:.2g}: its attention does nothing"
    return signs
