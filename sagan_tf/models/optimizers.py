"""The optimizers of both networks."""

import keras

from sagan_tf.models.adam import Adam


def make_optimizers(config):
    """Adam for the generator and for the discriminator, as a recipe wants it.

    Args:
        config: A `Config`.

    Returns:
        `(generator_optimizer, discriminator_optimizer)`.
    """

    recipe = config.recipe

    def adam(learning_rate, updates):
        if recipe.learning_rate_schedule == "linear":
            learning_rate = keras.optimizers.schedules.PolynomialDecay(
                learning_rate, decay_steps=updates, end_learning_rate=0.0
            )
        return Adam(learning_rate, recipe.beta_1, recipe.beta_2)

    # A schedule counts the updates of its own optimizer.
    return (
        adam(recipe.generator_learning_rate, recipe.steps),
        adam(recipe.discriminator_learning_rate, recipe.steps * config.model.discriminator_steps),
    )


def check_optimizer(optimizer):
    """Refuses an optimizer that itself accumulates or clips gradients.

    Under a distribution strategy it would do so before they are averaged over replicas.

    Raises:
        ValueError: if it does.
    """
    for name, ours in (
        ("gradient_accumulation_steps", "accumulation_steps"),
        ("clipnorm", "global_clipnorm"),
        ("clipvalue", "global_clipnorm"),
        ("global_clipnorm", "global_clipnorm"),
    ):
        value = getattr(optimizer, name, None)
        if value is not None:
            raise ValueError(
                f"Optimizers must be without {name}: pass {ours} to SAGAN.compile instead. "
                f"Received: {optimizer.name} with {name}={value}"
            )
