"""The one check of labels, and of the names of their classes."""

import re

import numpy as np

from sagan_tf.settings import unknown_name


def check_labels(labels, num_classes, class_names=None):
    """Returns labels as an int32 array `(num_images,)`; a ValueError names the first wrong one.

    Args:
        labels: Sequence of ints in `[0, num_classes)`, and of texts, each the name of a class or,
            if none has that name, its number. Where classes are named by other numbers than theirs,
            a text is a name.
        num_classes: int; `None` for an unconditional model, which takes no labels.
        class_names: Sequence of the names in the order of the labels; `None` if they are not known.
    """
    if num_classes is None:
        raise ValueError("This model is unconditional: it takes no `labels`")
    names = list(class_names or ())
    labels = np.asarray(
        [_number(label, names) if isinstance(label, str) else label for label in labels]
    )
    if labels.ndim != 1 or (labels.size and not np.issubdtype(labels.dtype, np.integer)):
        raise ValueError(f"`labels` must be a list of ints. Received: {labels.tolist()}")
    wrong = labels[(labels < 0) | (labels >= num_classes)]
    if wrong.size:
        raise ValueError(f"`labels` must be in [0, {num_classes}). Received: {wrong[0]}")
    return labels.astype("int32")


def repeat_labels(labels, num_images):
    """Returns an array of `num_images` labels, which are taken in turn.

    A ValueError is raised if there are more of them, some of which would be left out, or none.
    """
    if num_images and not len(labels):
        raise ValueError(f"`labels` is empty, but {num_images=}")
    if len(labels) > num_images:
        least = f"at least {len(labels)}, the number of `labels`"
        raise ValueError(f"`num_images` must be {least}. Received: {num_images}")
    return np.resize(labels, num_images)


def check_class_weights(weights, num_images, num_classes):
    """Returns weights of classes as a float32 array `(num_images, num_classes)`.

    A ValueError is raised if `num_classes` is `None`, for a model without classes, or unless there
    is a row for each image, of numbers that are at least 0 and sum to 1 within 1e-3.
    """
    if num_classes is None:
        raise ValueError("This model is unconditional: it takes no `labels`")
    weights = np.asarray(weights, "float32")
    if weights.shape != (num_images, num_classes):
        raise ValueError(
            f"`labels` that mix classes must have shape {(num_images, num_classes)}. "
            f"Received: {weights.shape}"
        )
    # NaN is in no range.
    wrong = ~((weights >= 0).all(axis=1) & (np.abs(weights.sum(axis=1) - 1) < 1e-3))
    if wrong.any():
        raise ValueError(
            "`labels` that mix classes must be weights that are at least 0 and whose sum is 1. "
            f"Received: {weights[wrong][0].tolist()} for image {np.argmax(wrong)}"
        )
    return weights


def _number(text, names):
    if text in names:
        return names.index(text)
    are_other_numbers = any(map(str.isdecimal, names)) and names != list(
        map(str, range(len(names)))
    )
    if re.fullmatch(r"-?\d+", text) and not are_other_numbers:
        return int(text)
    if names:
        raise unknown_name("class", text, names)
    raise ValueError(f"`labels` must be ints, since classes have no names here. Received: {text}")


def check_class_names(names, others, whose="the data set"):
    """Raises a ValueError if labels mean other classes elsewhere.

    Args:
        names: Sequence of the names of a model's classes, in the order of the labels; `None` or
            empty if they are not known.
        others: The like, of `whose`.
        whose: str.
    """
    if not names or not others or tuple(names) == tuple(others):
        return
    missing = [name for name in names if name not in others]
    added = [name for name in others if name not in names]
    # Where all names differ but not their number, it is the names that differ, not the classes.
    if len(names) != len(others) or len(missing) < len(names):
        parts = [
            f"{text} {', '.join(found[:10])}"
            for text, found in (("it lacks", missing), ("only it has", added))
            if found
        ]
        reason = "; ".join(parts) or f"the order is {', '.join(others[:10])}"
        raise ValueError(
            f"The classes of {whose} are not those of the model ({', '.join(names[:10])}): {reason}"
        )
