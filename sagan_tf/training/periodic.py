"""The base of callbacks that act now and then."""

import math

import keras


class Periodic(keras.callbacks.Callback):
    """Knows at which step training stands and ends, also where it sees only some of the steps.

    Attributes:
        seen: int, the last step that this callback has seen, or that training began at.
        end: int, the step at which training ends; infinity if Keras does not say.
    """

    def on_train_begin(self, logs=None):
        self.seen = self.model.step
        steps = self.params.get("steps")
        self.end = math.inf if steps is None else self.seen + steps * self.params["epochs"]

    def is_due(self, every):
        """Whether something that is done every so many steps, and at the end, is to be done now.

        Where steps were not seen (`steps_per_loop` of `Trainer`, `steps_per_execution` of
        `Model.compile`), it is done at the first that is.
        """
        step = self.model.step
        return step // every > self.seen // every or step == self.end
