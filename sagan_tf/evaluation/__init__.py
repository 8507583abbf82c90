"""Scores of generated images: features, distances between them, and the protocol."""

import importlib

# Modules are imported when one of their names is first used: names and ranges of settings are
# checked without TensorFlow and scikit-learn.
_MODULES = {
    "attention": ("attention_distance", "attention_entropy", "attention_numbers"),
    "evaluation": ("Evaluation",),
    "features.classifier": ("Classifier",),
    "features.features": ("Features",),
    "features.inception": ("Inception",),
    "metrics": ("METRICS", "Metric", "score_names"),
    "metrics.diversity": ("nearest_neighbor_ratio", "nearest_neighbors", "pairwise_diversity"),
    "metrics.fid": ("frechet_distance", "intra_class_frechet_distance"),
    "metrics.inception_score": ("InceptionScore", "inception_score"),
    "metrics.kid": ("kernel_inception_distance",),
    "metrics.moments": ("Moments",),
    "metrics.precision_recall": ("precision_recall_density_coverage",),
    "protocol": ("MAX_DEFAULT_IMAGES", "Protocol"),
    "report": ("format_table", "provenance", "summarize"),
    "scores": ("Scores", "compare"),
    "statistics": ("FeatureStatistics", "statistics_of"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = sorted(_MODULE_OF)


def __getattr__(name):
    if name in _MODULE_OF:
        module = importlib.import_module(f"sagan_tf.evaluation.{_MODULE_OF[name]}")
        return getattr(module, name)
    raise AttributeError(f"module 'sagan_tf.evaluation' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *__all__})
