"""Training steps under a distribution strategy of TensorFlow."""

import numpy as np
import tensorflow as tf

from sagan_tf.models.tensorflow_step import checked
from sagan_tf.training.strategy.tensorflow import make_sum


class Engine:
    """Runs the `train_step` of a `SAGAN` under a strategy, several steps per call of TensorFlow.

    Args:
        sagan: A `SAGAN`, made and compiled in the strategy's scope.
        strategy: A `tf.distribute.Strategy`. Defaults to `None`, the one in force.

    Attributes:
        total: Function that sums a number over all replicas, or hosts; all workers must call it.
    """

    def __init__(self, sagan, strategy=None):
        self.sagan = sagan
        self.strategy = strategy or tf.distribute.get_strategy()

        # A function of this engine, not a method: a tf.function method is shared by all engines.
        # One step runs in the loop too: outside of one TensorFlow rounds otherwise.
        @tf.function(autograph=False)
        def train(iterator, count):
            def step(done):
                self.strategy.run(sagan.train_step, (next(iterator),))
                return [done + 1]

            tf.while_loop(lambda done: done < count, step, [0])
            # Every worker must take part in reading a metric.
            return {metric.name: metric.result() for metric in sagan.metrics}

        self._train = checked(train, sagan)
        self.total = make_sum(self.strategy)

    def train(self, batches, count):
        """Runs `count` steps; returns the metrics as a dict of floats."""
        metrics = self._train(batches, tf.constant(count))
        return {name: float(value) for name, value in metrics.items()}

    def agree(self, number):
        """Whether a number is the same on all workers, which all must call."""
        replicas = self.strategy.num_replicas_in_sync
        powers = (float(number), float(number**2))
        return all(self.total(power) == power * replicas for power in powers)

    def num_batches(self, dataset):
        """int, how many batches a data set has; `None` if it has no end, or none is known."""
        count = int(dataset.cardinality())
        return count if count >= 0 else None

    def distribute(self, dataset, check_size):
        """Iterator of a data set's batches, divided among the replicas.

        `check_size` raises an error for a number of images per batch; `None` is one that varies.
        """
        images = tf.nest.flatten(dataset.element_spec)[0]
        size = images.shape[0] if images.shape.rank else None
        check_size(size)
        replicas = self.strategy.num_replicas_in_sync
        parts = self.sagan.discriminator_steps * self.sagan.accumulation_steps
        if parts > 1 and replicas > 1:
            # Replicas get consecutive images: to each its share of every part, in turn.
            order = np.arange(size).reshape((parts, replicas, -1))
            order = order.swapaxes(0, 1).ravel()
            dataset = dataset.map(lambda *batch: tuple(tf.gather(each, order) for each in batch))
        # All workers read the same; each keeps its own part of every batch.
        data = tf.data.experimental.AutoShardPolicy.DATA
        options = tf.data.Options()
        options.experimental_distribute.auto_shard_policy = data
        return iter(self.strategy.experimental_distribute_dataset(dataset.with_options(options)))
