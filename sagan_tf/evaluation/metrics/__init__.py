"""The metrics, each declared once: help, tables and checks are read from here."""

import dataclasses
from collections.abc import Callable

from sagan_tf.evaluation.metrics import (
    diversity,
    fid,
    inception_score,
    kid,
    precision_recall,
    recognized,
)

# What a metric can need beyond the features of some images.
MOMENTS = "a Gaussian"
CLASS_MOMENTS = "classes, with a Gaussian each"
PREDICTED_LABELS = "classes that the network predicts"
NEIGHBORS = "more images than neighbors"
PAIRS = "pairs within a class"


@dataclasses.dataclass(frozen=True)
class Metric:
    """One metric, which is one score or several.

    Attributes:
        scores: Names of the scores, in the order in which they are shown.
        compute: Function of the `FeatureStatistics` of real and of generated images and the
            `Protocol`. It returns a dict from `scores` to floats, and a dict from labels to what
            it found of single classes, a dict of floats.
        help: What it measures.
        needs: `MOMENTS`, `CLASS_MOMENTS`, `PREDICTED_LABELS`, `NEIGHBORS`, `PAIRS`, or `None` for
            nothing special.
        always: Whether it is computed without being asked for, as it costs nothing.
    """

    scores: tuple[str, ...]
    compute: Callable
    help: str
    needs: str | None = None
    always: bool = False

    @property
    def by_class(self):
        """Whether it needs classes."""
        return self.needs in (CLASS_MOMENTS, PREDICTED_LABELS)


METRICS = {
    "fid": Metric(("fid",), fid.compute, "Fréchet distance between all images", MOMENTS),
    "intra_fid": Metric(
        ("intra_fid",),
        fid.compute_within_classes,
        "mean Fréchet distance within the classes",
        CLASS_MOMENTS,
    ),
    "kid": Metric(("kid", "kid_std"), kid.compute, "kernel distance, which small sets do not bias"),
    "is": Metric(("is", "is_std"), inception_score.compute, "Inception score"),
    "prdc": Metric(
        ("precision", "recall", "density", "coverage"),
        precision_recall.compute,
        "how typical and how complete",
        NEIGHBORS,
    ),
    "diversity": Metric(
        ("diversity", "nearest_ratio"),
        diversity.compute,
        "how varied within classes, and how new",
        PAIRS,
    ),
    "recognized": Metric(
        ("recognized",),
        recognized.compute,
        "images that are what was asked for",
        PREDICTED_LABELS,
        always=True,
    ),
}


def score_names(metrics):
    """List of the names of the scores of some metrics, in the order in which they are shown."""
    return [name for key, metric in METRICS.items() if key in metrics for name in metric.scores]
