"""The optimizers of both networks."""

import keras


def make_optimizers(config):
    """Makes Adam for the generator and for the discriminator as a `Config` says, in this order."""
    recipe = config.recipe

    def adam(learning_rate, num_updates):
        # What follows the clock is set between steps, by `training.TimedDecay`.
        if recipe.learning_rate_schedule == "linear" and recipe.max_minutes is None:
            learning_rate = keras.optimizers.schedules.PolynomialDecay(
                learning_rate, decay_steps=num_updates, end_learning_rate=0.0
            )
        return keras.optimizers.Adam(learning_rate, recipe.beta_1, recipe.beta_2)

    # A schedule counts the updates of its own optimizer.
    return (
        adam(recipe.generator_learning_rate, recipe.steps),
        adam(recipe.discriminator_learning_rate, recipe.steps * config.model.discriminator_steps),
    )


class OptimizerPair:
    """Both optimizers, with one learning rate for Keras's callbacks.

    It is that of the generator. When it is set, that of the discriminator keeps its ratio to it,
    also after a rate of 0.

    Attributes:
        both: Tuple of the generator's and the discriminator's optimizer.
    """

    built = True  # by `compile`

    def __init__(self, generator_optimizer, discriminator_optimizer):
        self.both = generator_optimizer, discriminator_optimizer
        self._ratio = None

    @property
    def variables(self):
        return [variable for each in self.both for variable in each.variables]

    @property
    def learning_rate(self):
        return self.both[0].learning_rate

    @learning_rate.setter
    def learning_rate(self, value):
        first, second = (
            float(keras.ops.convert_to_numpy(each.learning_rate)) for each in self.both
        )
        if first:
            self._ratio = second / first
        self.both[0].learning_rate = value
        if self._ratio is not None:
            self.both[1].learning_rate = value * self._ratio


def check_optimizers(pair, sagan):
    """Raises a ValueError for optimizers with which training would silently go wrong.

    Under a distribution strategy one that itself accumulates or clips gradients would do so before
    they are averaged over replicas. A scale of the loss, which float16 needs, is not applied here.
    """
    first, second = pair.both
    if first is second:
        raise ValueError("Each network needs an optimizer of its own. Received: one for both")
    for optimizer in pair.both:
        if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            raise ValueError("The loss is not scaled here: pass the optimizer without its wrapper")
        for name in ("gradient_accumulation_steps", "clipnorm", "clipvalue", "global_clipnorm"):
            value = getattr(optimizer, name, None)
            if value is not None:
                ours = "global_clipnorm" if "clip" in name else "accumulation_steps"
                raise ValueError(
                    f"Optimizers must be without {name}: pass {ours} to SAGAN.compile instead. "
                    f"Received: {optimizer.name} with {name}={value}"
                )
    for network in (sagan.generator, sagan.discriminator):
        if network.compute_dtype == "float16":
            raise ValueError("Training in float16 is not supported: use mixed_bfloat16 or float32")
