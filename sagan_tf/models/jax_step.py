"""A step of training and of evaluation on JAX, as functions of all that they change."""

import functools
import itertools

import keras

from sagan_tf.models import update
from sagan_tf.models.batch import check_batch


def train_step(sagan, state, data):
    """Runs `update` on values of variables.

    Args:
        sagan: A `SAGAN`, compiled.
        state: Lists of the values of its trainable variables, its other ones, those of its
            optimizers and those of its metrics, as Keras hands them over.
        data: A batch as `check_batch` takes it, whose values `checked` has seen.

    Returns:
        `(report, state)`: what `update` returns, as the means so far, and the new state.
    """

    def train():
        step = sagan.generator_optimizer.iterations.value
        images, labels, _ = check_batch(sagan, data, step)
        return sagan.report(update.update(sagan, images, labels))

    return _stateless(sagan, state, train)


def test_step(sagan, state, data):
    """Runs `measure` on values of variables, without those of the optimizers; see `train_step`."""

    def measure():
        images, labels, _ = check_batch(sagan, data)
        values = update.measure(sagan, images, labels, sagan.images_seen())
        return sagan.report(values, images.shape[0])

    return _stateless(sagan, state, measure)


def _stateless(sagan, state, function):
    """What a function returns, and what it makes of the values of all variables."""
    groups = variables(sagan, len(state) == 4)
    with keras.StatelessScope(state_mapping=_pairs(groups, state)) as scope:
        result = function()
    return result, tuple([scope.get_current_value(each) for each in group] for group in groups)


def variables(sagan, with_optimizers=True):
    """Lists of all variables of a `SAGAN`, in the groups of a state of Keras."""
    optimizers = [sagan.optimizer.variables] if with_optimizers else []
    networks = [sagan.trainable_variables, sagan.non_trainable_variables]
    return [*networks, *optimizers, sagan.metrics_variables]


def _pairs(groups, state):
    return [
        pair
        for group, values in zip(groups, state, strict=True)
        for pair in zip(group, values, strict=True)
    ]


def checked(function, sagan):
    """Wraps a step of Keras, so that batches are checked before it changes anything.

    A compiled step cannot raise an error for what its numbers are.
    """

    @functools.wraps(function)
    def call(state, iterator):
        batches = list(itertools.islice(iterator, sagan.steps_per_execution))
        try:
            for index, data in enumerate(batches):
                step = None if len(state) == 3 else _step(sagan, state) + index
                require(check_batch(sagan, data, step)[-1])
        except ValueError:
            # Keras has taken the values from the variables, and would not bring them back.
            for variable, value in _pairs(variables(sagan, len(state) == 4), state):
                variable.assign(value)
            sagan._jax_state_synced = True  # What Keras has kept is older.
            raise
        return function(state, iter(batches))

    return call


def require(checks):
    """Raises a ValueError for the first `Check` that fails."""
    for check in checks:
        if not check.condition:
            received = keras.ops.convert_to_numpy(check.received).ravel()
            raise ValueError(f"{check.text} {', '.join(f'{each:g}' for each in received)}")


def _step(sagan, state):
    names = [id(variable) for variable in sagan.optimizer.variables]
    return int(state[2][names.index(id(sagan.generator_optimizer.iterations))])
