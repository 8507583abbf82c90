"""Learning rates that follow the clock."""

import keras


class TimedDecay(keras.callbacks.Callback):
    """Lets both learning rates decay to zero over the time of a run that ends by the clock.

    They are multiplied by the share of the time that was left after the step before, or of the
    steps if that is less.

    Args:
        clock: The `Clock` that a `Recorder` reads.
        recipe: A `Recipe`, with the rates of the start and the number of steps.
    """

    def __init__(self, clock, recipe):
        super().__init__()
        self.clock = clock
        self.recipe = recipe

    def on_train_batch_begin(self, batch, logs=None):
        recipe, optimizers = self.recipe, self.model.optimizer.both
        share = min(self.clock.left, 1.0 - self.model.step / recipe.steps)
        rates = recipe.generator_learning_rate, recipe.discriminator_learning_rate
        for optimizer, rate in zip(optimizers, rates, strict=True):
            optimizer.learning_rate = rate * share
