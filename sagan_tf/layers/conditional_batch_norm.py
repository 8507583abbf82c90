"""Batch normalization with a scale and shift per class."""

import keras
from keras import ops, tree


@keras.saving.register_keras_serializable(package="sagan_tf")
class ConditionalBatchNorm(keras.layers.Layer):
    """Normalizes over batch and space, then scales and shifts by the class of each image.

    Statistics are computed in float32.

    Args:
        num_classes: int, or `None` for plain batch normalization. Defaults to `None`.
        momentum: float, weight of the old moving statistics. Defaults to `0.9`.
        epsilon: float, added to the variance. Defaults to `1e-5`.
        synchronized: bool, whether the statistics are those of all replicas of a `tf.distribute`
            strategy together, each of which must hold as many images; other backends ignore it.
            Defaults to `True`.
        **kwargs: `name`, `trainable` and `dtype`.

    Call arguments:
        inputs: `(features, labels)`, features of shape `(batch, height, width, channels)` and
            integer labels of shape `(batch,)` in `[0, num_classes)`. Labels that are floats of
            shape `(batch, num_classes)` are weights, by which the scales and shifts of the classes
            are mixed. Plain batch normalization ignores the labels, and also takes features alone.
        training: bool, whether to normalize with the statistics of the batch, and update the
            moving statistics. Defaults to `False`.

    Output shape:
        The shape of the features.

    Raises:
        ValueError: if `num_classes` is less than 1, or labels are missing.

    Reference:
        [Dumoulin et al., 2017](https://arxiv.org/abs/1610.07629), equation 5, with classes for
        styles, as in section 3 of [Miyato & Koyama, 2018](https://arxiv.org/abs/1802.05637).
    """

    def __init__(self, num_classes=None, momentum=0.9, epsilon=1e-5, synchronized=True, **kwargs):
        super().__init__(**kwargs)
        if num_classes is not None and num_classes < 1:
            raise ValueError(f"`num_classes` must be at least 1 or None. Received: {num_classes=}")
        self.num_classes = num_classes
        self.momentum = momentum
        self.epsilon = epsilon
        self.synchronized = synchronized

    def build(self, input_shape):
        if self.num_classes is not None and len(input_shape) != 2:
            raise ValueError(
                "A layer with `num_classes` must be called on `(features, labels)`. "
                f"Received: {input_shape=}, num_classes={self.num_classes}"
            )
        channels = self.compute_output_shape(input_shape)[-1]
        affine_shape = (channels,) if self.num_classes is None else (self.num_classes, channels)
        self.gamma = self.add_weight(name="gamma", shape=affine_shape, initializer="ones")
        self.beta = self.add_weight(name="beta", shape=affine_shape, initializer="zeros")
        state = {"trainable": False, "autocast": False, "aggregation": "mean"}
        self.moving_mean = self.add_weight((channels,), "zeros", name="moving_mean", **state)
        self.moving_variance = self.add_weight((channels,), "ones", name="moving_variance", **state)

    def call(self, inputs, training=False):
        features, gamma, beta = inputs, self.gamma, self.beta
        if isinstance(inputs, (tuple, list)):
            features, labels = inputs
        if self.num_classes is not None:
            gamma, beta = (_rows(table, labels)[:, None, None, :] for table in (gamma, beta))
        if training:
            mean, variance = self._batch_statistics(features)
            for moving, value in (self.moving_mean, mean), (self.moving_variance, variance):
                new = ops.stop_gradient(value) * (1.0 - self.momentum)
                moving.assign(moving * self.momentum + new)
        else:
            mean, variance = self.moving_mean, self.moving_variance

        # The affine maps of the class and of the normalization are folded into one, which costs
        # one multiplication and one addition per element.
        scale = ops.cast(gamma, variance.dtype) * ops.rsqrt(variance + self.epsilon)
        shift = ops.cast(beta, variance.dtype) - mean * scale
        return features * ops.cast(scale, features.dtype) + ops.cast(shift, features.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape[0] if len(input_shape) == 2 else input_shape

    def get_config(self):
        own = ("num_classes", "momentum", "epsilon", "synchronized")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}

    def _batch_statistics(self, features):
        mean, variance = moments(features)
        if not self.synchronized or keras.backend.backend() != "tensorflow":
            return mean, variance
        # By the law of total variance, replicas exchange nothing but vectors of channels.
        mean, between = ops.moments(mean[None], axes=(0,), synchronized=True)
        within, _ = ops.moments(variance[None], axes=(0,), synchronized=True)
        return mean, within + between


def _rows(table, labels):
    """A row of a table for each image, `(batch, channels)`: that of its class, or a mixture."""
    if len(labels.shape) == 1:
        return ops.take(table, labels, axis=0)
    return ops.matmul(ops.cast(labels, table.dtype), table)


@ops.custom_gradient
def moments(features):
    """Returns mean and variance of each channel, in float32 or better.

    Its gradient equals that of automatic differentiation, which takes seven passes over the
    features, in one product and one sum.
    """
    dtype = keras.backend.result_type(features.dtype, "float32")
    mean, variance = ops.moments(ops.cast(features, dtype), axes=(0, 1, 2))

    # Keras passes two arguments in TensorFlow, and a tuple of two in JAX.
    def gradient(*upstream):
        grad_mean, grad_variance = tree.flatten(upstream)
        count = ops.cast(ops.size(features) / features.shape[-1], dtype)
        slope = 2 * grad_variance / count
        offset = grad_mean / count - mean * slope
        return ops.cast(ops.cast(features, dtype) * slope + offset, features.dtype)

    return (mean, variance), gradient
