"""The one check of what a step is given, in training and in evaluation."""

import functools
import re

import keras
import tensorflow as tf

# Resizing and bfloat16 may leave the range by less than the step between two shades.
_LIMIT = 1.0 + 1 / 255


def check_batch(sagan, data, training):
    """Makes of a batch what the networks take, and checks it.

    Pixels that are uint8 become floats in [-1, 1], and labels of shape `(batch, 1)` those of shape
    `(batch,)`. An unconditional model gets labels of 0, whatever was given.

    Args:
        sagan: A `SAGAN`, compiled.
        data: Images, or `(images, labels)`.
        training: bool, whether the batch must divide among the updates of a step. Images in [0, 1]
            are refused in evaluation and at step 0: bright ones in [-1, 1] can look like them.

    Returns:
        `(images, labels, checks)`; `checks` are operations on which all else must depend. They fail
        with an error that `in_words` translates.

    Raises:
        ValueError: for a shape or a dtype that no values can mend, or missing labels.
    """
    if not isinstance(data, (tuple, list)):
        data = (data,)
    images, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
    if weights is not None:
        raise ValueError("Sample weights and class weights have no meaning here: pass none")
    generator = sagan.generator
    first = tf.equal(sagan.generator_optimizer.iterations.value, 0) if training else True
    images, checks = _check_images(images, generator, first)
    count = images.shape[0] or tf.shape(images)[0]
    if training:
        checks += _check_division(count, sagan.discriminator_steps, sagan.accumulation_steps)
    if generator.num_classes is None:
        return images, tf.zeros(count, "int32"), checks
    labels, check = _check_labels(labels, generator.num_classes, images.shape[0])
    return images, labels, [*checks, check]


def in_words(function):
    """Wraps a compiled function, so that a failed check of `check_batch` is a short ValueError."""

    @functools.wraps(function)
    def call(*args):
        try:
            return function(*args)
        except tf.errors.InvalidArgumentError as error:
            found = re.search(r"failed: \[(.*)\] \[([^]]*)\]", error.message)
            if not found:
                raise
            raise ValueError(f"{found[1]} {', '.join(found[2].split())}") from None

    return call


def _check_images(images, generator, first):
    shape = (generator.image_size, generator.image_size, generator.channels)
    expected = f"`images` must have shape (batch, {', '.join(map(str, shape))})"
    if isinstance(images, (tuple, list, dict)):
        raise ValueError(f"{expected}. Received: a {type(images).__name__}")
    images = tf.convert_to_tensor(images)
    if not images.shape.is_compatible_with((None, *shape)):
        raise ValueError(
            f"{expected}, as `sagan_tf.data.load` makes them. Received: {tuple(images.shape)}"
        )
    checks = []
    if not images.shape.is_fully_defined():
        sizes = tf.pad(tf.shape(images), [[0, 4]])[1:5]
        right = tf.reduce_all(sizes == (*shape, 0))
        checks.append(_require(right, f"{expected}. Received:", tf.shape(images)))
        # What follows would fail on another shape, and perhaps before the check says so.
        with tf.control_dependencies(checks):
            images = tf.identity(images)
        images.set_shape((None, *shape))
    if images.dtype == "uint8":
        return tf.cast(images, generator.variable_dtype) / 127.5 - 1.0, checks
    if not images.dtype.is_floating:
        raise ValueError(
            f"`images` must be floats in [-1, 1] or uint8. Received: dtype={images.dtype.name}"
        )
    images = tf.cast(images, generator.variable_dtype)
    low, high = tf.reduce_min(images), tf.reduce_max(images)
    ends = tf.stack([low, high])
    text = "`images` must be in [-1, 1], or uint8"
    # A comparison with NaN is false, but a minimum may pass it over.
    finite = tf.reduce_all(tf.math.is_finite(images))
    unlike_0_to_1 = (low < 0) | (low > 0.01) | (high < 0.9) | tf.logical_not(first)
    return images, [
        *checks,
        _require(finite, "`images` must be finite. Smallest and largest:", ends),
        _require((low >= -_LIMIT) & (high <= _LIMIT), f"{text}. Smallest and largest:", ends),
        _require(unlike_0_to_1, f"{text}, but seem to be in [0, 1]. Smallest and largest:", ends),
    ]


def _check_labels(labels, num_classes, count):
    if labels is None:
        raise ValueError(
            f"A model with num_classes={num_classes} needs (images, labels). Received: images only"
        )
    labels = tf.convert_to_tensor(labels)
    if labels.shape.rank == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    hint = ""
    if labels.shape.rank == 2 and labels.shape[1] == num_classes:
        hint = " They seem to be one-hot: pass their `keras.ops.argmax(labels, axis=-1)`."
    if not labels.shape.is_compatible_with((count,)) or not labels.dtype.is_integer:
        raise ValueError(
            f"`labels` must be one int per image.{hint} "
            f"Received: shape={tuple(labels.shape)}, dtype={labels.dtype.name}"
        )
    labels = tf.cast(labels, "int64")
    ends = tf.stack([tf.reduce_min(labels), tf.reduce_max(labels)])
    text = f"`labels` must be in [0, {num_classes}). Smallest and largest:"
    right = tf.reduce_all((ends >= 0) & (ends < num_classes))
    return tf.cast(labels, "int32"), _require(right, text, ends)


def _check_division(count, steps, slices):
    text = (
        f"A batch must divide into discriminator_steps={steps} times accumulation_steps={slices} "
        "parts on each replica (`drop_remainder=True` gives batches of one size)."
    )
    if not isinstance(count, int):
        return [_require(count % (steps * slices) == 0, f"{text} Received:", count)]
    if count % (steps * slices):
        raise ValueError(f"{text} Received: {count} images per replica")
    return []


def _require(condition, text, received):
    return tf.debugging.Assert(condition, [text, received], summarize=4)
