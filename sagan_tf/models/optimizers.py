"""The optimizers of both networks."""

import keras


def make_optimizers(config):
    """Makes Adam for the generator and for the discriminator as a `Config` says, in this order."""
    recipe = config.recipe

    def adam(learning_rate, num_updates):
        if recipe.learning_rate_schedule == "linear":
            learning_rate = keras.optimizers.schedules.PolynomialDecay(
                learning_rate, decay_steps=num_updates, end_learning_rate=0.0
            )
        return keras.optimizers.Adam(learning_rate, recipe.beta_1, recipe.beta_2)

    # A schedule counts the updates of its own optimizer.
    return (
        adam(recipe.generator_learning_rate, recipe.steps),
        adam(recipe.discriminator_learning_rate, recipe.steps * config.model.discriminator_steps),
    )


def check_optimizer(optimizer):
    """Raises a ValueError for an optimizer that itself accumulates or clips gradients.

    Under a distribution strategy it would do so before they are averaged over replicas.
    """
    for name in ("gradient_accumulation_steps", "clipnorm", "clipvalue", "global_clipnorm"):
        value = getattr(optimizer, name, None)
        if value is not None:
            ours = "global_clipnorm" if "clip" in name else "accumulation_steps"
            raise ValueError(
                f"Optimizers must be without {name}: pass {ours} to SAGAN.compile instead. "
                f"Received: {optimizer.name} with {name}={value}"
            )
