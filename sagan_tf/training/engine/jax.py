"""Training steps of JAX."""

import itertools

import jax
import keras
import numpy as np
from jax.experimental import multihost_utils

from sagan_tf.models import jax_step
from sagan_tf.models.batch import check_batch
from sagan_tf.training.strategy import make_strategy


class Engine:
    """Runs the `train_step` of a `SAGAN` as one compiled function, several steps per call.

    The methods are those of the engine of TensorFlow. The values of the variables are given away
    to the function, which makes the new ones in their place.

    Args:
        sagan: A `SAGAN`, made and compiled in the strategy's scope.
        strategy: A `DeviceStrategy`. Defaults to `None`, one device.
    """

    def __init__(self, sagan, strategy=None):
        self.sagan = sagan
        self.strategy = strategy or make_strategy("none")
        self._steps = jax.jit(self._run, donate_argnums=0)

    def _run(self, state, batches):
        if len(batches) == 1:
            return self.sagan.train_step(state, batches[0])

        def step(state, batch):
            logs, state = self.sagan.train_step(state, batch)
            return state, logs

        stacked = jax.tree.map(lambda *each: jax.numpy.stack(each), *batches)
        state, logs = jax.lax.scan(step, state, stacked)
        return jax.tree.map(lambda each: each[-1], logs), state

    def train(self, batches, count):
        taken = list(itertools.islice(batches, count))
        if len(taken) < count:
            raise ValueError("`dataset` has ended before the last step")
        sagan = self.sagan
        for index, batch in enumerate(taken):
            jax_step.require(check_batch(sagan, batch, sagan.step + index)[-1])
        groups = jax_step.variables(sagan)
        state = tuple([variable.value for variable in group] for group in groups)
        logs, state = self._steps(state, [self._place(batch) for batch in taken])
        for group, values in zip(groups, state, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)
        return {name: float(value) for name, value in logs.items()}

    def total(self, value):
        return float(np.sum(_from_all(np.float32(value))))

    def agree(self, number):
        return bool(np.all(_from_all(np.int32(number)) == number))

    def num_batches(self, dataset):
        return getattr(dataset, "num_batches", None)

    def distribute(self, dataset, check_size):
        batches = map(_as_arrays, dataset)
        first = next(batches, None)
        if first is None:
            raise ValueError("`dataset` has no batches")
        size = _size(first)
        check_size(size)
        return _of_one_size(itertools.chain([first], batches), size, check_size)

    def _place(self, batch):
        distribution = keras.distribution.distribution()
        if distribution is None:
            return batch

        def place(array):
            sharding = distribution.get_data_layout(array.shape).backend_layout
            # All hosts read the same; each device gets its own part.
            return jax.make_array_from_callback(array.shape, sharding, array.__getitem__)

        return keras.tree.map_structure(place, batch)


def _from_all(number):
    """The numbers of all hosts."""
    return multihost_utils.process_allgather(number) if jax.process_count() > 1 else number


def _as_arrays(batch):
    batch = tuple(batch) if isinstance(batch, (tuple, list)) else batch
    return keras.tree.map_structure(np.asarray, batch)


def _size(batch):
    return len(keras.tree.flatten(batch)[0])


def _of_one_size(batches, size, check_size):
    for batch in batches:
        if _size(batch) != size:
            check_size(None)
        yield batch
