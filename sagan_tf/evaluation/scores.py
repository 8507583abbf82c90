"""All scores of one set of images against another."""

import dataclasses

import numpy as np
from absl import logging

from sagan_tf.evaluation.metrics import (
    CLASS_MOMENTS,
    METRICS,
    MOMENTS,
    NEIGHBORS,
    PAIRS,
    PREDICTED_LABELS,
)


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


def compare(real, fake, protocol, class_names=None, shares=None, asked=None):
    """Computes the metrics of a protocol.

    Args:
        real: `FeatureStatistics` of real images.
        fake: `FeatureStatistics` of the images to score, of the same network.
        protocol: A `Protocol`. If its `metrics` are `None`, all that apply are computed.
        class_names: Sequence of str, for the table of classes. Defaults to `None`, numbers.
        shares: Int array `(num_classes,)`, images of each class that there would be on average
            where labels are random: a class that has 2 or more counts as its share. Defaults to
            `None`, those that there are.
        asked: Collection of names of metrics. One that does not apply is an error if it is among
            them, and is left out if not. Defaults to `None`, the `metrics` of the protocol.

    Returns:
        A `Scores`.

    Raises:
        ValueError: if the networks differ, or a metric that was asked for does not apply: there are
            too few images, or a class is missing.
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
    counted = counts if shares is None else np.where(counts > 1, shares, counts)
    chosen, _ = choose_metrics(protocol, real, fake.num_images, counted, names, asked)
    values = {}
    for metric in chosen:
        found, by_class = METRICS[metric].compute(real, fake, protocol)
        values |= found
        for label, more in by_class.items():
            classes[label] |= more
    return Scores(real.num_images, fake.num_images, values, classes)


def choose_metrics(protocol, real, num_images, class_counts, class_names, asked=None):
    """The metrics to compute: those that the protocol names, or all that apply, and the free ones.

    The FID applies where there are as many images as features, and metrics of classes where each
    class has as many. A metric that was asked for raises a ValueError if something that it needs
    is missing. A warning says what is left out of the others, but for metrics of classes.

    Returns:
        `(chosen, left_out)`: a tuple of names, and a dict from others to the reason.
    """
    named = protocol.metrics
    asked = (named or ()) if asked is None else asked
    enough = 2 if protocol.allow_few_images else real.moments.dimension
    chosen, left_out = [], {}
    for name, metric in METRICS.items():
        if not (metric.always or named is None or name in named):
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
        elif metric.needs == NEIGHBORS:
            if min(real.num_images, num_images) <= protocol.neighbors:
                missing = (
                    f"there are {real.num_images} real and {num_images} generated images, and "
                    f"neighbors={protocol.neighbors}"
                )
        elif metric.needs == PAIRS:
            pairs = [(real.num_images, num_images)]
            if real.num_classes is not None:
                pairs = zip(real.class_counts, class_counts, strict=True)
            if all(min(counts) < 2 for counts in pairs):
                missing = "no class has 2 real and 2 generated images"
        for where, *counts in groups:
            if not missing and min(counts) < enough:
                reason = f"{enough} features need as many images"
                remedy = ", or accept a distance that says little with `allow_few_images`"
                if protocol.allow_few_images:
                    reason, remedy = "at least 2 of each kind are needed", ""
                missing = (
                    f"{reason}. Received: {counts[0]} real and {counts[1]} generated ones{where}. "
                    f"Take more, choose other metrics{remedy}"
                )
        if not missing:
            chosen.append(name)
        elif name in asked:
            raise ValueError(f"{name} needs {metric.needs}: {missing}")
        else:
            left_out[name] = missing
            if not metric.by_class:
                logging.warning("%s is left out: %s", name, missing)
    return tuple(chosen), left_out
