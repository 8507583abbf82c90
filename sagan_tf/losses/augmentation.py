"""Augmentation of the images that a discriminator sees, on any Keras backend.

Gradients flow through all of it to the images, so that a generator can be trained by what a
discriminator says of its augmented images. Nothing here is random: what happens to an image is a
function of numbers that the caller draws.

References:
    [Zhao et al., 2020](https://arxiv.org/abs/2006.10738), differentiable augmentation.
    [Karras et al., 2020](https://arxiv.org/abs/2006.06676), adaptive augmentation.
    [Zhao et al., 2020](https://arxiv.org/abs/2002.04724), balanced consistency regularization.
"""

import keras
from keras import ops

from sagan_tf.settings import unknown_name

NUMBERS = 4
"""How many random numbers `augment` takes for each image and each augmentation."""

TARGET_SIGN = 0.6
"""The mean sign of the logits of real images that `adapt_probability` aims at (Karras et al.)."""

IMAGES_FROM_0_TO_1 = 100_000
"""Real images in which `adapt_probability` can go from 0 to 1. Karras et al. take 500,000, but data
sets that need augmentation are small, and runs on them are short."""


def change_color(images, numbers):
    """Changes brightness, saturation and contrast, in this order.

    A number in [-0.5, 0.5) is added to the pixels. The distance of each value from the mean over
    the channels of its pixel is multiplied by a number in [0, 2), which does nothing to gray
    images. The distance from the mean over the image is multiplied by a number in [0.5, 1.5).

    Args:
        images: Float32 tensor `(batch, height, width, channels)`.
        numbers: Float32 tensor `(batch, 3)`, uniform in [0, 1).

    Returns:
        Tensor like `images`, whose values may lie outside of [-1, 1].
    """
    brightness, saturation, contrast = (
        ops.reshape(number, (-1, 1, 1, 1)) for number in ops.unstack(numbers, 3, axis=1)
    )
    brightness, saturation, contrast = brightness - 0.5, 2.0 * saturation, contrast + 0.5
    # What is added is one value for all channels of a pixel: full images are gone through once.
    gray = ops.mean(images, axis=3, keepdims=True)
    added = brightness + (1.0 - contrast) * ops.mean(gray, axis=(1, 2, 3), keepdims=True)
    if images.shape[3] == 1:
        return images * contrast + added
    added = added + gray * (contrast * (1.0 - saturation))
    return images * (contrast * saturation) + added


def translate(images, numbers):
    """Moves images by up to an eighth of their size; zeros come in from beyond the border.

    Args:
        images: Float32 tensor `(batch, height, width, channels)`.
        numbers: Float32 tensor `(batch, 2 or more)`, uniform in [0, 1); the first decides by how
            many whole pixels an image moves up or down, and the second to the left or right.

    Returns:
        Tensor like `images`.
    """
    height, width, channels = images.shape[1:]
    margins = [round(size / 8) for size in (height, width)]
    padded = ops.pad(images, [[0, 0], *([margin, margin] for margin in margins), [0, 0]])
    # Where the result begins in the padded image.
    top, left = (
        ops.cast(ops.floor(numbers[:, axis, None] * (2 * margin + 1)), "int32")
        for axis, margin in enumerate(margins)
    )
    padded_height, padded_width = (
        size + 2 * margin for size, margin in zip((height, width), margins, strict=True)
    )
    above = ops.arange(ops.shape(images)[0], dtype="int32")[:, None] * padded_height
    rows = above + top + ops.arange(height, dtype="int32")
    columns = left + ops.arange(width, dtype="int32")
    pixels = rows[:, :, None] * padded_width + columns[:, None, :]
    return ops.take(ops.reshape(padded, (-1, channels)), pixels, axis=0)


def cut_out(images, numbers):
    """Sets a rectangle of half the height and half the width to zero, which is gray.

    Its center is anywhere in the image, so a part of the rectangle may lie outside.

    Args:
        images: Float32 tensor `(batch, height, width, channels)`.
        numbers: Float32 tensor `(batch, 2 or more)`, uniform in [0, 1); the first decides where the
            center lies from top to bottom, and the second from left to right.

    Returns:
        Tensor like `images`.
    """
    rows, columns = (
        _are_in_half(size, numbers[:, axis, None]) for axis, size in enumerate(images.shape[1:3])
    )
    is_cut = ops.logical_and(rows[:, :, None, None], columns[:, None, :, None])
    return images * ops.cast(ops.logical_not(is_cut), "float32")


def _are_in_half(size, numbers):
    """Whether each of `size` places is in half of them around a center, bools `(batch, size)`."""
    half = size // 2
    first = ops.cast(ops.floor(numbers * (size + 1)), "int32") - half // 2
    places = ops.arange(size, dtype="int32") - first
    return ops.logical_and(places >= 0, places < half)


AUGMENTATIONS = {"color": change_color, "translation": translate, "cutout": cut_out}
"""The augmentations by name: functions of images and of numbers `(batch, 3)`."""

# With it in place of its numbers an augmentation leaves an image as it is, to the bit: factors are
# 1, the move is by no pixel, and the rectangle lies outside. Choosing numbers costs less than
# choosing between images.
_NUMBER_OF_NOTHING = {"color": 0.5, "translation": 0.5, "cutout": 2.0}


def augment(images, numbers, policy, probability=None):
    """Augments images, each in its own way.

    Args:
        images: Tensor `(batch, height, width, channels)` of any float dtype, in [-1, 1].
        numbers: Float32 tensor `(batch, len(policy), NUMBERS)`, independent and uniform in [0, 1).
        policy: Sequence of names of `AUGMENTATIONS`, which follow each other in this order. With
            none the images are returned as they are.
        probability: Float in [0, 1], or a scalar tensor, the probability with which each
            augmentation happens to an image. Defaults to `None`, all happen to all images.

    Returns:
        Tensor of the shape and dtype of `images`; it is computed in float32. Color can move values
        out of [-1, 1].

    Raises:
        ValueError: for an unknown name, with the valid ones.
    """
    augmented = ops.cast(images, "float32") if policy else images
    for index, name in enumerate(policy):
        if name not in AUGMENTATIONS:
            raise unknown_name("augmentation", name, AUGMENTATIONS)
        chosen = numbers[:, index, :3]
        if probability is not None:
            happens = ops.less(numbers[:, index, 3:], probability)
            chosen = ops.where(happens, chosen, _NUMBER_OF_NOTHING[name])
        augmented = AUGMENTATIONS[name](augmented, chosen)
    return ops.cast(augmented, keras.backend.standardize_dtype(images.dtype))


def inconsistency(augmented_logits, logits):
    """How far logits of augmented images are from those of the same images as they were.

    It is the term of balanced consistency regularization, equations 2 and 3 of
    [Zhao et al., 2020](https://arxiv.org/abs/2002.04724), without their weights 10.

    Args:
        augmented_logits: Tensor `(batch, 1)`.
        logits: Tensor of the same shape.

    Returns:
        Float32 scalar, the mean squared difference.
    """
    return ops.mean(ops.square(ops.cast(augmented_logits, "float32") - ops.cast(logits, "float32")))


def adapt_probability(probability, mean_sign, num_images):
    """Moves the probability of augmentation up if the discriminator overfits, and down if not.

    It overfits if it knows too well which images are real: if the mean sign of its logits of real
    images is above `TARGET_SIGN`. This is the heuristic r_t of equation 1 of
    [Karras et al., 2020](https://arxiv.org/abs/2006.06676).

    Args:
        probability: Float32 scalar in [0, 1].
        mean_sign: Float32 scalar, the mean sign of the logits of some real images.
        num_images: int or float32 scalar, the number of these images.

    Returns:
        Float32 scalar in [0, 1].
    """
    change = ops.sign(mean_sign - TARGET_SIGN) * (num_images / IMAGES_FROM_0_TO_1)
    return ops.clip(probability + change, 0.0, 1.0)
