"""Attention without the whole map in memory.

`SelfAttention` calls `attend` unless it is asked for its map. While the maps of a batch take 64 MiB
or less, `attend` is the plain formula and automatic differentiation does the rest: an image has
1 MiB of map at resolution 32 (images of 64x64 and 128x128) and 16 MiB at resolution 64 (256x256).
Larger ones are computed in blocks, with a gradient that is written out here. The gradient of that
gradient, `_second_gradients`, serves only training with a penalty, which differentiates the
discriminator twice. docs/how_a_step_works.md derives all formulas, in the names used here.
"""

import itertools
import math

import keras
from keras import ops, tree

# The sizes are those of a float32 map. A block should fit the caches of a processor; very small
# ones cost more iterations than they save.
_BLOCK_BYTES = 8 * 2**20
_PLAIN_BYTES = 64 * 2**20
_UNKNOWN_BATCH = 16


def attention_map(query, key):
    """Computes `softmax(query key^T)` over the keys, unscaled, in float32 or better."""
    scores = ops.matmul(query, _transposed(key))
    stable_dtype = keras.backend.result_type(scores.dtype, "float32")
    return ops.softmax(ops.cast(scores, stable_dtype), axis=-1)


def attend(query, key, value):
    """Computes `attention_map(query, key) value`, in little memory where the map would be large.

    Queries have shape `(batch, queries, features)`, keys `(batch, keys, features)`, values and
    outputs `(batch, keys or queries, channels)`, all of one dtype and static but for the batch.

    A block has about 8 MiB of map or less: several images, or some queries of one image, with all
    their keys. The gradient computes each block again, as in FlashAttention; rows are whole, so it
    needs no statistics of the softmax from the first pass. An unknown batch counts as 16 images;
    then a block never has more than one image, so that its memory does not depend on the batch.

    References:
        - [Rabe & Staats, 2021](https://arxiv.org/abs/2112.05682): blocks, recomputed.
        - [Dao et al., 2022](https://arxiv.org/abs/2205.14135): the gradient, appendix B.
    """
    batch, queries, _ = query.shape
    # An unknown batch is None in TensorFlow and a symbol in JAX.
    batch = batch if isinstance(batch, int) else None
    image_bytes = 4 * queries * key.shape[1]
    if (batch or _UNKNOWN_BATCH) * image_bytes <= _PLAIN_BYTES:
        return _attend(query, key, value)

    # A block is some whole images, or one of the equal parts of an image's queries.
    fitting = range(1, max(1, _BLOCK_BYTES // image_bytes) + 1)
    images = max(n for n in fitting if (batch or 1) % n == 0)
    parts = min(queries, math.ceil(image_bytes / _BLOCK_BYTES))
    part_queries = math.ceil(queries / parts)
    if parts > 1:
        query = ops.pad(query, ((0, 0), (0, parts * part_queries - queries), (0, 0)))
        key, value = (ops.repeat(tensor, parts, axis=0) for tensor in (key, value))

    attended = _attend_in_blocks(
        ops.reshape(query, (-1, images, part_queries, query.shape[-1])),
        ops.reshape(key, (-1, images, *key.shape[1:])),
        ops.reshape(value, (-1, images, *value.shape[1:])),
    )
    attended = ops.reshape(attended, (-1, parts * part_queries, value.shape[-1]))
    return attended[:, :queries]


# The next two take tensors with an axis of blocks before the others. Keras passes the gradients of
# several outputs as several arguments in TensorFlow and as one tuple in JAX.


@ops.custom_gradient
def _attend_in_blocks(query, key, value):
    inputs = (query, key, value)
    zeros = ops.zeros((*query.shape[1:-1], value.shape[-1]), value.dtype)
    (attended,) = _one_by_one(
        lambda *block: (_attend(*block),), _unrecorded(inputs), initial=(zeros,)
    )

    def gradient(*upstream):
        (grad_attended,) = tree.flatten(upstream)
        return _gradients_in_blocks(*inputs, grad_attended, attended)

    return attended, gradient


# The second gradient is custom because XLA cannot differentiate TensorFlow's loop.
@ops.custom_gradient
def _gradients_in_blocks(query, key, value, grad_attended, attended):
    inputs = (query, key, value, grad_attended)
    blocks = _unrecorded((*inputs, attended))
    results = _one_by_one(_gradients, blocks, initial=_zero_block(inputs[:3]))

    def gradient(*upstream):
        grad_grads = tree.flatten(upstream)
        second = _one_by_one(_second_gradients, (*inputs, *grad_grads), initial=_zero_block(inputs))
        # `attended` gets none: it was computed from query, key and value, and its contribution is
        # already in theirs.
        return *second, ops.zeros_like(attended)

    return results, gradient


def _unrecorded(tensors):
    """Keeps TensorFlow's eager tape from storing what a custom gradient makes superfluous.

    JAX differentiates the function itself for derivatives of higher order.
    """
    if keras.backend.backend() == "tensorflow":
        return tuple(ops.stop_gradient(tensor) for tensor in tensors)
    return tensors


def _one_by_one(function, inputs, initial):
    """Calls `function` with each block of the inputs; `initial` has the shapes of its results.

    In TensorFlow only `ops.scan` is sure to finish a block before it begins the next.
    """
    # They become one tensor: Keras 3.15 fails in TensorFlow on several of unknown length.
    shapes = [tensor.shape[1:] for tensor in inputs]
    sizes = [math.prod(shape) for shape in shapes]
    ends = list(itertools.accumulate(sizes))
    flat = [ops.reshape(tensor, (-1, size)) for tensor, size in zip(inputs, sizes, strict=True)]

    # Nothing is carried over, but TensorFlow wants results of the carry's shapes.
    def step(_, block):
        parts = ops.split(block, ends[:-1])
        results = function(
            *(ops.reshape(part, shape) for part, shape in zip(parts, shapes, strict=True))
        )
        return results, results

    _, results = ops.scan(step, initial, ops.concatenate(flat, axis=1))
    return results


def _zero_block(tensors):
    return tuple(ops.zeros(tensor.shape[1:], tensor.dtype) for tensor in tensors)


def _attend(query, key, value):
    return ops.matmul(ops.cast(attention_map(query, key), value.dtype), value)


def _gradients(query, key, value, grad_attended, attended):
    """Returns the gradients of a loss by query, key and value, given that by `attended`."""
    attention = attention_map(query, key)
    dtype = attention.dtype
    grad_map = _product(grad_attended, value, dtype)
    # This is the mean of each row of `grad_map`, without another pass over the map.
    products = ops.cast(grad_attended, dtype) * ops.cast(attended, dtype)
    mean = ops.sum(products, axis=-1, keepdims=True)
    grad_scores = ops.cast(attention * (grad_map - mean), query.dtype)
    attention = ops.cast(attention, value.dtype)
    return (
        ops.matmul(grad_scores, key),
        _transposed_matmul(grad_scores, query),
        _transposed_matmul(attention, grad_attended),
    )


def _second_gradients(
    query, key, value, grad_attended, grad_grad_query, grad_grad_key, grad_grad_value
):
    """Returns the gradients of an outer loss by the first four arguments of `_gradients`.

    The last three arguments are its gradients by the three results of `_gradients`.
    """
    attention = attention_map(query, key)
    dtype = attention.dtype
    grad_map = _centered(_product(grad_attended, value, dtype), attention)
    grad_grad_scores = _product(grad_grad_query, key, dtype) + _product(query, grad_grad_key, dtype)
    grad_grad_scores = _centered(grad_grad_scores, attention)
    outer_map = grad_map * grad_grad_scores + _product(grad_attended, grad_grad_value, dtype)

    grad_scores = ops.cast(attention * grad_map, query.dtype)
    outer_scores = ops.cast(attention * _centered(outer_map, attention), query.dtype)
    grad_grad_map = ops.cast(attention * grad_grad_scores, value.dtype)
    attention = ops.cast(attention, value.dtype)
    return (
        ops.matmul(outer_scores, key) + ops.matmul(grad_scores, grad_grad_key),
        _transposed_matmul(outer_scores, query) + _transposed_matmul(grad_scores, grad_grad_query),
        _transposed_matmul(grad_grad_map, grad_attended),
        ops.matmul(grad_grad_map, value) + ops.matmul(attention, grad_grad_value),
    )


def _centered(scores, attention):
    """Subtracts from each row its mean under the attention."""
    return scores - ops.sum(attention * scores, axis=-1, keepdims=True)


def _product(rows, columns, dtype):
    return ops.cast(ops.matmul(rows, _transposed(columns)), dtype)


def _transposed_matmul(scores, features):
    """Computes `scores^T features` without a transposed copy of the scores, which are large."""
    return _transposed(ops.matmul(_transposed(features), scores))


def _transposed(matrices):
    return ops.swapaxes(matrices, -1, -2)
