"""How well a discriminator tells the images that it was trained on from others."""

import math

import numpy as np
from keras import ops

from sagan_tf.images import from_uint8

_BATCH = 64


def membership(discriminator, members, others):
    """The area under the ROC curve of the discriminator's logits.

    It is the probability that an image of training has a higher logit than one that was held out:
    0.5 if the discriminator knows none of them by heart, and 1 if it knows all. A generator can
    copy no more than its discriminator knows.

    Args:
        discriminator: A `Discriminator`.
        members: `(images, labels)`, images of its training: uint8 `(num_images, height, width,
            channels)` and ints `(num_images,)`.
        others: The like, of images that it was not trained on.

    Returns:
        Dict from `"auc"` to a float, `"standard_error"` to that of
        [Hanley & McNeil, 1982](https://doi.org/10.1148/radiology.143.1.7063747), and
        `"num_members"` and `"num_others"` to the numbers of images.

    Raises:
        ValueError: if there are no images of a kind.
    """
    from sklearn.metrics import roc_auc_score

    logits = [_logits(discriminator, *each) for each in (members, others)]
    num_members, num_others = counts = [len(each) for each in logits]
    if not all(counts):
        raise ValueError(f"There must be images of both kinds. Received: {counts}")
    area = float(roc_auc_score(np.repeat([1, 0], counts), np.concatenate(logits)))
    above_two, below_two = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (num_members - 1) * (above_two - area**2)
    variance += (num_others - 1) * (below_two - area**2)
    return {
        "auc": area,
        "standard_error": math.sqrt(max(variance, 0.0) / (num_members * num_others)),
        "num_members": num_members,
        "num_others": num_others,
    }


def _logits(discriminator, images, labels):
    parts = [slice(first, first + _BATCH) for first in range(0, len(images), _BATCH)]
    labels = np.asarray(labels, "int32")
    logits = [
        discriminator((from_uint8(images[part]), labels[part]), training=False) for part in parts
    ]
    return np.concatenate([np.ravel(ops.convert_to_numpy(each)) for each in logits] or [[]])
