"""The one check of labels."""

import numpy as np


def check_labels(labels, num_classes):
    """Returns labels as an int32 array `(num_images,)`; a ValueError names the first wrong one.

    `num_classes` is `None` for an unconditional model, which takes no labels.
    """
    if num_classes is None:
        raise ValueError("This model is unconditional: it takes no `labels`")
    labels = np.asarray(labels)
    if labels.ndim != 1 or (labels.size and not np.issubdtype(labels.dtype, np.integer)):
        raise ValueError(f"`labels` must be a list of ints. Received: {labels.tolist()}")
    wrong = labels[(labels < 0) | (labels >= num_classes)]
    if wrong.size:
        raise ValueError(f"`labels` must be in [0, {num_classes}). Received: {wrong[0]}")
    return labels.astype("int32")
