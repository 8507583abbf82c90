"""Gradients, random integers and shapes of JAX, where all devices together are one replica.

The functions are those of `tensorflow.py`. A step runs in a `keras.StatelessScope` over all
variables, to which whatever is assigned goes.
"""

import contextlib
import math

import jax
import keras
import numpy as np

from sagan_tf.philox import fold_in, random_bits

inverse_normal = jax.scipy.special.ndtri

__all__ = ["fold_in", "inverse_normal"]


def gradients(sagan, function, variables):
    state = sagan.non_trainable_variables
    # A scope of its own knows nothing of that around it: it is given every value.
    others = [(each, each.value) for each in (*sagan.trainable_variables, *state)]

    def loss_and_changes(values):
        mapping = [*others, *zip(variables, values, strict=True)]
        with keras.StatelessScope(state_mapping=mapping) as scope:
            loss, report = function()
        return loss, (report, [scope.get_current_value(each) for each in state])

    values = [each.value for each in variables]
    differentiate = jax.value_and_grad(loss_and_changes, has_aux=True)
    (_, (report, changed)), found = differentiate(values)
    for variable, value in zip(state, changed, strict=True):
        variable.assign(value)
    return report, found


def image_gradient(function, images):
    return jax.grad(lambda images: function(images).sum())(images)


def compiled(network):
    @jax.jit
    def call(trainable, others, inputs):
        return network.stateless_call(trainable, others, inputs, training=False)[0]

    def with_values(inputs):
        parts = network.trainable_variables, network.non_trainable_variables
        return call(*([each.value for each in part] for part in parts), inputs)

    return with_values


def random_integers(seed, shape, bound):
    bits = random_bits(seed, math.prod(shape))
    return (bits % np.uint32(bound)).astype("int32").reshape(shape)


def after(tensors):
    return contextlib.nullcontext()  # XLA orders what it compiles.


def num_replicas():
    return 1


def replica_index():
    return 0


def all_mean(tensors):
    return tensors


def clip_by_global_norm(gradients, norm):
    length = jax.numpy.sqrt(sum((each**2).sum() for each in gradients))
    scale = norm * jax.numpy.minimum(1.0 / length, 1.0 / norm)
    # Gradients that are too large for their norm make NaN, which stops training.
    scale = jax.numpy.where(jax.numpy.isfinite(length), scale, jax.numpy.nan)
    return [scale * each for each in gradients]


def rank(tensor):
    return len(tensor.shape)


def may_have_shape(tensor, shape):
    return len(tensor.shape) == len(shape) and all(
        wanted in (None, size) for size, wanted in zip(tensor.shape, shape, strict=True)
    )


def with_shape(images, shape, text):
    return images, []  # All shapes are known.
