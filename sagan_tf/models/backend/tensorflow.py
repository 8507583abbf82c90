"""Gradients, random integers, replicas and shapes of TensorFlow."""

import tensorflow as tf

after = tf.control_dependencies
inverse_normal = tf.math.ndtri


def gradients(sagan, function, variables):
    """What a function without arguments reports, and the gradients of its loss.

    Args:
        sagan: A `SAGAN`, of whose variables the function may use and change all.
        function: It returns `(loss, report)`, a scalar and a structure of tensors.
        variables: List of trainable variables.

    Returns:
        `(report, gradients)`; the gradients are a list of tensors.
    """
    with tf.GradientTape() as tape:
        loss, report = function()
    # Gradients of per-class parameters are IndexedSlices, which cannot be added.
    return report, [tf.convert_to_tensor(each) for each in tape.gradient(loss, variables)]


def image_gradient(function, images):
    """The gradient of the sum of a function's results with respect to its images."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(images)
        results = function(images)
    return tape.gradient(results, images)


def compiled(network):
    """A function that calls a network at inference, and is traced once for each shape."""
    return tf.function(lambda inputs: network(inputs, training=False))


def fold_in(seed, data):
    """A seed that is a function of another one, a pair of ints, and of an int."""
    return tf.random.fold_in(tf.convert_to_tensor(seed, "int32"), data, "philox")


def random_integers(seed, shape, bound):
    """Draws int32 numbers in `[0, bound)`; `sagan_tf.philox` makes the same."""
    return tf.random.stateless_uniform(shape, seed, 0, bound, "int32", alg="philox")


def num_replicas():
    """int, how many parts of a batch are computed side by side."""
    return tf.distribute.get_replica_context().num_replicas_in_sync


def replica_index():
    """The number of the part that this is."""
    return tf.distribute.get_replica_context().replica_id_in_sync_group


def all_mean(tensors):
    """Averages tensors, one or a list, over the replicas."""
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, tensors)


def clip_by_global_norm(gradients, norm):
    """Scales a list of gradients down, so that together they have no larger norm."""
    return tf.clip_by_global_norm(gradients, norm)[0]


def rank(tensor):
    """int, how many axes a tensor has; `None` if that is not known."""
    return tensor.shape.rank


def may_have_shape(tensor, shape):
    """Whether a tensor has a shape, as far as its own is known; `None` is any length."""
    return tensor.shape.is_compatible_with(shape)


def with_shape(images, shape, text):
    """Images known to have a shape behind the first axis, and what has to be true for that.

    Args:
        images: Tensor whose shape may not be known.
        shape: Tuple of three ints.
        text: str, what is said of another shape.

    Returns:
        `(images, checks)`; `checks` are a list of `(condition, text, received)`.
    """
    if images.shape.is_fully_defined():
        return images, []
    received = tf.shape(images)
    right = tf.reduce_all(tf.pad(received, [[0, 4]])[1:5] == (*shape, 0))
    # What follows would fail on another shape, and perhaps before the check says so.
    with tf.control_dependencies([tf.debugging.Assert(right, [text, received], summarize=5)]):
        images = tf.identity(images)
    images.set_shape((None, *shape))
    return images, [(right, text, received)]
