"""All scores of one set of images against another."""

import dataclasses

import numpy as np

from sagan_tf.evaluation.diversity import nearest_neighbor_ratio, pairwise_diversity
from sagan_tf.evaluation.fid import frechet_distance, intra_class_frechet_distance
from sagan_tf.evaluation.kid import kernel_inception_distance
from sagan_tf.evaluation.prdc import precision_recall_density_coverage
from sagan_tf.evaluation.protocol import METRICS

FIGURES = {
    "fid": ("fid",),
    "intra_fid": ("intra_fid",),
    "kid": ("kid", "kid_std"),
    "is": ("is", "is_std"),
    "prdc": ("precision", "recall", "density", "coverage"),
    "diversity": ("diversity", "nearest_ratio"),
}


@dataclasses.dataclass(frozen=True)
class Scores:
    """What an evaluation has found.

    Attributes:
        num_real_images: int.
        num_images: int, images that were scored.
        figures: Dict from names to floats, in the order in which to show them. `fid`, `kid`,
            `kid_std`, `is`, `is_std`, `precision`, `recall`, `density`, `coverage` and
            `intra_fid` are what their functions return. `diversity` is the mean distance between
            two images (of a class, if there are classes), as a share of that between two real
            ones; `nearest_ratio` is `nearest_neighbor_ratio`; `recognised` is the share that a
            classifier of the data set takes for what their labels say.
        classes: List of one dict per class: its name, numbers of images, `fid`, `diversity` and
            `recognised`; empty without classes.
        attention: Dict from `"attention_<resolution>"` to a dict of floats, see
            `attention_numbers`; empty for images of no generator.
    """

    num_real_images: int
    num_images: int
    figures: dict[str, float]
    classes: list[dict]
    attention: dict[str, dict[str, float]] = dataclasses.field(default_factory=dict)


def compare(real, fake, protocol, class_names=None):
    """Computes the metrics of a protocol.

    Args:
        real: `FeatureStatistics` of real images.
        fake: `FeatureStatistics` of the images to score, of the same features.
        protocol: A `Protocol`. Its `metrics` may be `None`, see `choose_metrics`.
        class_names: Sequence of str, for the table of classes. Defaults to `None`, numbers.

    Returns:
        A `Scores`.

    Raises:
        ValueError: if the features are different ones, there are too few images, or a class is
            missing.
    """
    if real.network.fingerprint != fake.network.fingerprint:
        raise ValueError(
            "Scores of different features cannot be compared. Received: "
            f"{real.network.name} and {fake.network.name}"
        )
    figures, classes = {}, {}
    if fake.num_classes is not None:
        names = class_names or range(fake.num_classes)
        classes = {
            label: {
                "class": str(name),
                "real_images": int(np.count_nonzero(real.labels == label)),
                "images": int(np.count_nonzero(fake.labels == label)),
            }
            for label, name in enumerate(names)
        }
    counts = np.array([row["images"] for row in classes.values()], int)
    # Labels are random: a class may have somewhat fewer fakes than its share.
    shares = np.where(counts > 1, fake.num_images // max(1, len(counts)), counts)
    metrics = choose_metrics(protocol, real, fake.num_images, shares, class_names)
    if "fid" in metrics:
        figures["fid"] = frechet_distance(real.moments, fake.moments)
    if "intra_fid" in metrics:
        figures["intra_fid"], distances = intra_class_frechet_distance(
            real.class_moments, fake.class_moments
        )
        for label, distance in distances.items():
            classes[label]["fid"] = distance
    if "kid" in metrics:
        half = max(2, min(len(real.features), len(fake.features)) // 2)
        figures["kid"], figures["kid_std"] = kernel_inception_distance(
            real.features,
            fake.features,
            protocol.num_subsets,
            min(protocol.subset_size, half),
            protocol.seed,
        )
    if "is" in metrics:
        figures["is"], figures["is_std"] = fake.inception_score.result()
    if "prdc" in metrics:
        figures |= precision_recall_density_coverage(
            real.features, fake.features, protocol.neighbors
        )
    if "diversity" in metrics:
        figures["diversity"] = _diversity(real, fake, classes)
        figures["nearest_ratio"] = nearest_neighbor_ratio(real.features, fake.features)
    if fake.num_classes is not None and fake.network.predicts_labels:
        figures["recognised"] = float(fake.recognised.mean())
        for label, row in classes.items():
            mine = fake.labels == label
            if mine.any():
                row["recognised"] = float(fake.recognised[mine].mean())
    return Scores(real.num_images, fake.num_images, figures, list(classes.values()))


def figure_names(protocol, features, num_classes):
    """The names of the figures that `compare` returns.

    Args:
        protocol: A `Protocol`, whose `metrics` are given.
        features: A `Features`.
        num_classes: int, or `None`.

    Returns:
        List of str.
    """
    chosen = [figures for metric, figures in FIGURES.items() if metric in protocol.metrics]
    names = [name for figures in chosen for name in figures]
    recognised = num_classes is not None and features.predicts_labels
    return [*names, "recognised"] if recognised else names


def _diversity(real, fake, classes):
    """Relative diversity; that of each class goes into its row."""
    if not classes:
        return pairwise_diversity(fake.features) / _not_zero(pairwise_diversity(real.features))
    of_fakes, of_reals = [], []
    for label, row in classes.items():
        ours, theirs = (
            each.features[each.labels[: len(each.features)] == label] for each in (fake, real)
        )
        if min(len(ours), len(theirs)) > 1:
            of_fakes.append(pairwise_diversity(ours))
            of_reals.append(pairwise_diversity(theirs))
            if of_reals[-1] > 0.0:
                row["diversity"] = of_fakes[-1] / of_reals[-1]
    if not of_reals:
        raise ValueError("Diversity needs a class with 2 real and 2 generated images")
    return float(np.mean(of_fakes) / _not_zero(np.mean(of_reals)))


def _not_zero(diversity):
    if diversity == 0.0:
        raise ValueError("Diversity is relative to that of the real images, which are all the same")
    return diversity


def choose_metrics(protocol, real, num_images, shares, class_names=None):
    """The metrics of a protocol, if there are enough images for them.

    Args:
        protocol: A `Protocol`. `None` for its `metrics` is all that apply: intra-FID only where
            each class has as many images as there are features.
        real: `FeatureStatistics` of the real images.
        num_images: int, generated images.
        shares: Sequence of int, generated images of each class; empty without classes.
        class_names: Sequence of str, for messages. Defaults to `None`, numbers.

    Returns:
        Tuple of some of `METRICS`.

    Raises:
        ValueError: if a Gaussian would be fitted to fewer images than there are features.
    """
    dimension = real.moments.dimension
    by_class = len(shares) and real.class_moments
    metrics = protocol.metrics or tuple(m for m in METRICS if m != "intra_fid" or by_class)
    if "fid" in metrics:
        _check_enough(real.num_images, num_images, dimension, protocol)
    if "intra_fid" in metrics:
        names, labels = class_names or range(len(shares)), real.labels
        try:
            for label, share in enumerate(shares):
                count = np.count_nonzero(labels == label)
                _check_enough(count, share, dimension, protocol, f" of class {names[label]}")
        except ValueError:
            if protocol.metrics is not None:
                raise
            metrics = tuple(metric for metric in metrics if metric != "intra_fid")
    return metrics


def _check_enough(num_real, num_fake, dimension, protocol, where=""):
    """Raises a ValueError if a Gaussian would be fitted to fewer images than there are features."""
    if min(num_real, num_fake) < dimension and not protocol.allow_few_images:
        raise ValueError(
            f"A Gaussian of {dimension} features needs as many images. Received: {num_real} real "
            f"and {num_fake} generated ones{where}. Take more, choose other metrics, or accept a "
            "distance that says little with allow_few_images"
        )
