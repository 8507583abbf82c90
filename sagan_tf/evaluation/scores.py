"""All scores of one set of images against another."""

import dataclasses

import numpy as np
from absl import logging

from sagan_tf.evaluation.metrics import CLASS_MOMENTS, METRICS, MOMENTS, PREDICTED_LABELS


@dataclasses.dataclass(frozen=True)
class Scores:
    """What an evaluation has found.

    Attributes:
        num_real_images: int.
        num_images: int, images that were scored.
        values: Dict from the names of scores to floats, in the order in which to show them.
        classes: List of one dict per class: its name (`class`), its numbers of images, and what
            the metrics say of it alone; empty without classes.
        attention: Dict that `attention_numbers` returned; empty for images that no generator made.
    """

    num_real_images: int
    num_images: int
    values: dict[str, float]
    classes: list[dict]
    attention: dict[str, dict[str, float]] = dataclasses.field(default_factory=dict)


def compare(real, fake, protocol, class_names=None):
    """Computes the metrics of a protocol.

    Args:
        real: `FeatureStatistics` of real images.
        fake: `FeatureStatistics` of the images to score, of the same network.
        protocol: A `Protocol`. If its `metrics` are `None`, all that apply are computed.
        class_names: Sequence of str, for the table of classes. Defaults to `None`, numbers.

    Returns:
        A `Scores`.

    Raises:
        ValueError: if the networks differ, there are too few images, or a class is missing.
    """
    if real.network.fingerprint != fake.network.fingerprint:
        raise ValueError(
            "Scores of different features cannot be compared. Received: "
            f"{real.network.name} and {fake.network.name}"
        )
    counts = fake.class_counts
    names = class_names or range(len(counts))
    classes = [
        {"class": str(name), "real_images": int(of_real), "images": int(of_fake)}
        for name, of_real, of_fake in zip(names, real.class_counts, counts, strict=True)
    ]
    # Labels are random: a class may have somewhat fewer fakes than its share.
    shares = np.where(counts > 1, fake.num_images // max(1, len(counts)), counts)
    values = {}
    for metric in choose_metrics(protocol, real, fake.num_images, shares, names):
        found, by_class = METRICS[metric].compute(real, fake, protocol)
        values |= found
        for label, more in by_class.items():
            classes[label] |= more
    return Scores(real.num_images, fake.num_images, values, classes)


def choose_metrics(protocol, real, num_images, class_counts, class_names):
    """The metrics to compute: those that the protocol names, or all that apply, and the free ones.

    The FID applies where there are as many images as features, and metrics of classes where each
    class has as many. A metric that was asked for raises a ValueError if something that it needs
    is missing. A warning says that the FID is left out.
    """
    enough = 0 if protocol.allow_few_images else real.moments.dimension
    chosen = []
    for name, metric in METRICS.items():
        asked = name in (protocol.metrics or ())
        if not (asked or metric.always or protocol.metrics is None):
            continue
        missing, groups = None, []
        if metric.by_class and real.num_classes is None:
            missing = "there are none"
        elif metric.needs == PREDICTED_LABELS and not real.network.predicts_labels:
            missing = f"{real.network.name} does not predict them"
        elif metric.needs == CLASS_MOMENTS and not real.by_class:
            missing = "their moments were not gathered"
        elif metric.needs == CLASS_MOMENTS:
            where = [f" of class {each}" for each in class_names]
            groups = zip(where, real.class_counts, class_counts, strict=True)
        elif metric.needs == MOMENTS:
            groups = [("", real.num_images, num_images)]
        for where, *counts in groups:
            if not missing and min(counts) < enough:
                missing = (
                    f"{real.moments.dimension} features need as many images. Received: "
                    f"{counts[0]} real and {counts[1]} generated ones{where}. Take more, choose "
                    "other metrics, or accept a distance that says little with `allow_few_images`"
                )
        if not missing:
            chosen.append(name)
        elif asked:
            raise ValueError(f"{name} needs {metric.needs}: {missing}")
        elif not metric.by_class:
            logging.warning("%s is left out: %s", name, missing)
    return tuple(chosen)
