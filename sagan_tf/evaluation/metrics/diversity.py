"""How different images are from each other, and from those that were learned from."""

import numpy as np

from sagan_tf.evaluation.metrics.inputs import check_features, check_pair, distance_rows

# A random choice of more images is compared: pairs grow as the square.
_MAX_IMAGES = 2000


def compute(real, fake, protocol):
    """The metric `diversity`, within the classes if there are any, and the nearest ratio."""
    pair = real.features, fake.features
    groups = {None: pair}
    if fake.num_classes is not None:
        labels = real.labels[: len(pair[0])], fake.labels[: len(pair[1])]
        groups = {
            label: [features[its == label] for features, its in zip(pair, labels, strict=True)]
            for label in range(fake.num_classes)
        }
    diversities = {
        label: [pairwise_diversity(features) for features in group]
        for label, group in groups.items()
        if min(map(len, group)) > 1
    }
    if not diversities:
        raise ValueError("Diversity needs a class with 2 real and 2 generated images")
    of_real, of_fake = map(np.mean, zip(*diversities.values(), strict=True))
    if of_real == 0.0:
        raise ValueError("Diversity is relative to that of the real images, which are all the same")
    ratio = nearest_neighbor_ratio(*pair)
    return {"diversity": float(of_fake / of_real), "nearest_ratio": ratio}, {
        label: {"diversity": ours / theirs}
        for label, (theirs, ours) in diversities.items()
        if label is not None and theirs > 0.0
    }


def pairwise_diversity(features, seed=0):
    """The mean Euclidean distance between two images, over all pairs: 0 if all are the same.

    Args:
        features: Finite float array of shape `(num_images, d)`, of at least 2 images; of more than
            2,000 so many are taken at random.
        seed: int, seed of that choice. Defaults to `0`.
    """
    from scipy.spatial.distance import pdist

    features = check_features(features)
    if len(features) < 2:
        raise ValueError(f"Diversity needs at least 2 images. Received: {len(features)}")
    if len(features) > _MAX_IMAGES:
        features = np.random.default_rng(seed).choice(features, _MAX_IMAGES, replace=False)
    return float(pdist(features).mean())


def nearest_neighbors(features, reference, neighbors=5):
    """The images that are most like each of some others.

    Args:
        features: Float array of shape `(num_images, d)`.
        reference: Float array of shape `(num_reference, d)`, to search in.
        neighbors: int, how many to find. Defaults to `5`.

    Returns:
        `(distances, indices)`: float64 and int arrays `(num_images, neighbors)`, nearest first.

    Raises:
        ValueError: if there are fewer than `neighbors` to search in, the dimensions differ, or a
            value is NaN or infinite.
    """
    reference, features = check_pair(reference, features, minimum=1)
    if not 1 <= neighbors <= len(reference):
        raise ValueError(f"`neighbors` must be from 1 to {len(reference)}. Received: {neighbors}")
    distances, indices = [], []
    for rows in distance_rows(features, reference):
        few = np.argpartition(rows, neighbors - 1, axis=1)[:, :neighbors]
        found = np.take_along_axis(rows, few, axis=1)
        order = np.argsort(found, axis=1, kind="stable")
        distances.append(np.take_along_axis(found, order, axis=1))
        indices.append(np.take_along_axis(few, order, axis=1))
    return np.sqrt(np.concatenate(distances)), np.concatenate(indices)


def nearest_neighbor_ratio(real, fake):
    """Whether fakes are copies: how near the nearest real image is, compared with real ones.

    Args:
        real: Float array of shape `(num_real, d)`, features of the images learned from.
        fake: Float array of shape `(num_fake, d)`.

    Returns:
        float: the median distance of a fake to its nearest real image, divided by the median
        distance of a real image to the nearest one that is not its double. It is about 1 for images
        as new as another real one, 0 for copies, and large for images unlike any real one.

    Raises:
        ValueError: if the real images are all the same, there are no fakes, the dimensions
            differ, or a value is NaN or infinite.
    """
    real, fake = check_pair(real, fake, minimum=1)
    between = np.concatenate(
        [np.where(rows > 0.0, rows, np.inf).min(axis=1) for rows in distance_rows(real, real)]
    )
    if not np.isfinite(between).all():
        raise ValueError(f"The {len(real)} real images all have the same features")
    to_real, _ = nearest_neighbors(fake, real, 1)
    return float(np.median(to_real) / np.median(np.sqrt(between)))
