"""The one check of what a step is given, in training and in evaluation."""

import dataclasses
from typing import Any

import keras
from keras import ops

from sagan_tf.models import backend

# Resizing and bfloat16 may leave the range by less than the step between two shades.
_LIMIT = 1.0 + 1 / 255


@dataclasses.dataclass(frozen=True)
class Check:
    """What must be true of a batch, and what is said if it is not.

    Attributes:
        condition: Bool scalar tensor.
        text: str, which the numbers of `received` follow.
        received: Tensor of up to five numbers.
    """

    condition: Any
    text: str
    received: Any


def check_batch(sagan, data, step=None):
    """Makes of a batch what the networks take, and checks it.

    Pixels that are uint8 become floats in [-1, 1], and labels of shape `(batch, 1)` those of shape
    `(batch,)`. An unconditional model gets labels of 0, whatever was given.

    Args:
        sagan: A `SAGAN`, compiled.
        data: Images, or `(images, labels)`.
        step: int scalar, the step of training, for which the batch must divide among the updates;
            `None` in evaluation. Images in [0, 1] are refused in evaluation and at step 0: bright
            ones in [-1, 1] can look like them.

    Returns:
        `(images, labels, checks)`; `checks` is a list of `Check`, which must all be true before
        anything else happens.

    Raises:
        ValueError: for a shape or a dtype that no values can mend, or missing labels.
    """
    if not isinstance(data, (tuple, list)):
        data = (data,)
    images, labels, weights = keras.utils.unpack_x_y_sample_weight(data)
    if weights is not None:
        raise ValueError("Sample weights and class weights have no meaning here: pass none")
    generator = sagan.generator
    first = True if step is None else ops.equal(step, 0)
    images, checks = _check_images(images, generator, first)
    count = images.shape[0] or ops.shape(images)[0]
    if step is not None:
        checks += _check_division(count, sagan.discriminator_steps, sagan.accumulation_steps)
    if generator.num_classes is None:
        return images, ops.zeros((count,), "int32"), checks
    labels, check = _check_labels(labels, generator.num_classes, images.shape[0])
    return images, labels, [*checks, check]


def _check_images(images, generator, first):
    shape = (generator.image_size, generator.image_size, generator.channels)
    expected = f"`images` must have shape (batch, {', '.join(map(str, shape))})"
    if isinstance(images, (tuple, list, dict)):
        raise ValueError(f"{expected}. Received: a {type(images).__name__}")
    images = ops.convert_to_tensor(images)
    if not backend.may_have_shape(images, (None, *shape)):
        raise ValueError(
            f"{expected}, as `sagan_tf.data.load` makes them. Received: {tuple(images.shape)}"
        )
    images, checks = backend.with_shape(images, shape, f"{expected}. Received:")
    checks = [Check(*each) for each in checks]
    dtype = keras.backend.standardize_dtype(images.dtype)
    if dtype == "uint8":
        return ops.cast(images, generator.variable_dtype) / 127.5 - 1.0, checks
    if not keras.backend.is_float_dtype(dtype):
        raise ValueError(f"`images` must be floats in [-1, 1] or uint8. Received: {dtype=!s}")
    images = ops.cast(images, generator.variable_dtype)
    low, high = ops.min(images), ops.max(images)
    ends = ops.stack([low, high])
    text = "`images` must be in [-1, 1], or uint8"
    # A comparison with NaN is false, but a minimum may pass it over.
    finite = ops.all(ops.isfinite(images))
    unlike_0_to_1 = (low < 0) | (low > 0.01) | (high < 0.9) | ops.logical_not(first)
    return images, [
        *checks,
        Check(finite, "`images` must be finite. Smallest and largest:", ends),
        Check((low >= -_LIMIT) & (high <= _LIMIT), f"{text}. Smallest and largest:", ends),
        Check(unlike_0_to_1, f"{text}, but seem to be in [0, 1]. Smallest and largest:", ends),
    ]


def _check_labels(labels, num_classes, count):
    if labels is None:
        raise ValueError(
            f"A model with num_classes={num_classes} needs (images, labels). Received: images only"
        )
    labels = ops.convert_to_tensor(labels)
    rank = backend.rank(labels)
    if rank == 2 and labels.shape[1] == 1:
        labels, rank = labels[:, 0], 1
    hint = ""
    if rank == 2 and labels.shape[1] == num_classes:
        hint = " They seem to be one-hot: pass their `keras.ops.argmax(labels, axis=-1)`."
    dtype = keras.backend.standardize_dtype(labels.dtype)
    if not backend.may_have_shape(labels, (count,)) or not keras.backend.is_int_dtype(dtype):
        raise ValueError(
            f"`labels` must be one int per image.{hint} "
            f"Received: shape={tuple(labels.shape)}, {dtype=!s}"
        )
    # JAX has no int64 by default.
    labels = ops.cast(labels, "int32" if keras.backend.backend() == "jax" else "int64")
    ends = ops.stack([ops.min(labels), ops.max(labels)])
    text = f"`labels` must be in [0, {num_classes}). Smallest and largest:"
    right = ops.all((ends >= 0) & (ends < num_classes))
    return ops.cast(labels, "int32"), Check(right, text, ends)


def _check_division(count, steps, slices):
    text = (
        f"A batch must divide into discriminator_steps={steps} times accumulation_steps={slices} "
        "parts on each replica (`drop_remainder=True` gives batches of one size)."
    )
    if not isinstance(count, int):
        return [Check(ops.equal(count % (steps * slices), 0), f"{text} Received:", count)]
    if count % (steps * slices):
        raise ValueError(f"{text} Received: {count} images per replica")
    return []
