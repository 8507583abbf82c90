"""The outer loop of training."""

import keras

from sagan_tf.cluster import replica_batch_size
from sagan_tf.config import RunOptions
from sagan_tf.training.engine import Engine


class Trainer:
    """Trains a `SAGAN` under any strategy, several steps per call of TensorFlow or JAX.

    It runs the `train_step` that `Model.fit` runs and reports to the same callbacks, also where
    `fit` does not work in Keras 3: under `MultiWorkerMirroredStrategy`. N replicas compute what
    one computes with the whole batch. Unlike `fit` it goes on from the model's step, does not
    reset the metrics, and has no use for `run_eagerly` and `steps_per_execution` of `compile`, nor
    on JAX, where it always compiles, for `jit_compile`.

    Args:
        sagan: A `SAGAN`, made and compiled in the strategy's scope.
        strategy: What `make_strategy` returns, on TensorFlow any `tf.distribute.Strategy`. Defaults
            to the one in force, or one device on JAX.
        steps_per_loop: int, steps between two calls of the callbacks. Defaults to `1`.

    Raises:
        ValueError: if `steps_per_loop` is less than 1.

    Example:

    ```python
    strategy = training.make_strategy("mirrored")
    with strategy.scope():
        sagan = sagan_tf.SAGAN(generator, discriminator)
        sagan.compile()
    training.Trainer(sagan, strategy).fit(dataset, steps=1000)
    ```
    """

    def __init__(self, sagan, strategy=None, steps_per_loop=1):
        RunOptions(steps_per_loop=steps_per_loop)  # checks it
        self.sagan = sagan
        self.steps_per_loop = steps_per_loop
        self._engine = Engine(sagan, strategy)

    @property
    def strategy(self):
        """The strategy under which it trains."""
        return self._engine.strategy

    def fit(self, dataset, steps, callbacks=None):
        """Trains until the model's step is `steps`, or `sagan.stop_training` is set.

        Loops end at multiples of `steps_per_loop`, whatever the step at which training begins.

        Args:
            dataset: `tf.data.Dataset`, or on JAX any iterable such as what `data.load` returns
                there, of `(images, labels)` as `train_step` takes them, in batches for all replicas
                together, without end. Its first element is the one for the model's step.
            steps: int, the step at which to end.
            callbacks: List of `keras.callbacks.Callback`, which see one epoch. On several workers
                give the same to each. Defaults to none.

        Returns:
            A `keras.callbacks.History`, as of `Model.fit`.

        Raises:
            ValueError: if batches have no fixed size, or replicas, discriminator updates and
                accumulation slices do not divide them; if the data set ends before; if a batch is
                not as `train_step` takes it; or if workers are at different steps.
        """
        sagan = self.sagan
        with self.strategy.scope():
            step = self._common_step()
            callbacks = keras.callbacks.CallbackList(
                callbacks, add_history=True, model=sagan, verbose=0, epochs=1, steps=steps - step
            )
            ends = self._engine.num_batches(dataset)
            if ends is not None and ends < steps - step:
                raise ValueError(
                    f"`dataset` must not end. Received: {ends} batches for {steps - step} steps; "
                    "`dataset.repeat()` goes on"
                )
            batches = self._engine.distribute(dataset, self._check_batch_size)
            logs = {}
            callbacks.on_train_begin()
            callbacks.on_epoch_begin(0)
            while step < steps and not self._any_worker(sagan.stop_training):
                callbacks.on_train_batch_begin(step)
                count = min(steps - step, self.steps_per_loop - step % self.steps_per_loop)
                logs = self._engine.train(batches, count)
                step += count
                callbacks.on_train_batch_end(step - 1, logs)
            callbacks.on_epoch_end(0, logs)
            callbacks.on_train_end(logs)
        # Not reset at the beginning: a signal may have set it already.
        sagan.stop_training = False
        return sagan.history

    def _any_worker(self, flag):
        return self._engine.total(float(flag)) > 0

    def _common_step(self):
        step = self.sagan.step
        if not self._engine.agree(step):
            raise ValueError(
                f"This worker is at step {step}, another one is not: all must read the same "
                "checkpoints, from a folder that they share"
            )
        return step

    def _check_batch_size(self, size):
        sagan = self.sagan
        if size is None:
            raise ValueError("`dataset` must have batches of a fixed size: use drop_remainder=True")
        batch_size, rest = divmod(size, sagan.discriminator_steps)
        if rest:
            raise ValueError(
                f"`dataset` must have batches of a multiple of discriminator_steps="
                f"{sagan.discriminator_steps} images. Received: {size}"
            )
        replicas = self.strategy.num_replicas_in_sync
        replica_batch_size(batch_size, replicas, sagan.accumulation_steps)
