"""Gradients and compilation on the Keras backend in use: TensorFlow or JAX.

`value_and_gradients` and `compiled` take functions without arguments that call layers. Variables
that a function assigns keep their new values, as in eager mode.
"""

import keras
import numpy as np
from keras import ops, tree

TENSORFLOW = keras.backend.backend() == "tensorflow"


def value_and_gradients(function, variables):
    """Returns the scalar `function()` and its gradients by Keras variables, in numpy."""
    if TENSORFLOW:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            value = function()
        gradients = tape.gradient(
            value, [variable.value for variable in variables], unconnected_gradients="zero"
        )
    else:
        import jax

        stateless, keep = _stateless(function, variables)
        transformed = jax.jit(jax.value_and_grad(stateless, has_aux=True))
        (value, state), gradients = transformed([variable.value for variable in variables])
        keep(state)
    return float(value), [ops.convert_to_numpy(gradient) for gradient in gradients]


def gradients(function, tensors):
    """Returns gradients of the scalar `function(*tensors)` that can be differentiated again."""
    if TENSORFLOW:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(tensors)
            value = function(*tensors)
        return tape.gradient(value, tensors)

    import jax

    return list(jax.grad(function, argnums=tuple(range(len(tensors))))(*tensors))


def compiled(function, jit_compile=True):
    """Runs `function()` in a graph, by XLA or (TensorFlow only) not; the outputs are in numpy."""
    if TENSORFLOW:
        import tensorflow as tf

        outputs = tf.function(function, jit_compile=jit_compile)()
    else:
        import jax

        stateless, keep = _stateless(function, [])
        outputs, state = jax.jit(stateless)([])
        keep(state)
    return tree.map_structure(ops.convert_to_numpy, outputs)


def float_variables(*arrays):
    """Makes Keras variables of arrays, to differentiate with respect to."""
    return [keras.Variable(array, dtype=np.asarray(array).dtype.name) for array in arrays]


def _stateless(function, variables):
    assigned = []

    def stateless(values):
        with _RecordingScope(zip(variables, values, strict=True)) as scope:
            outputs = function()
        assigned[:] = scope.assigned.values()
        return outputs, [scope.get_current_value(variable) for variable in assigned]

    def keep(state):
        for variable, value in zip(assigned, state, strict=True):
            variable.assign(value)

    return stateless, keep


class _RecordingScope(keras.StatelessScope):
    """Remembers which variables were assigned."""

    def __init__(self, state_mapping):
        super().__init__(state_mapping)
        self.assigned = {}

    def add_update(self, update):
        self.assigned[id(update[0])] = update[0]
        super().add_update(update)
