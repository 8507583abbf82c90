"""Scores of generated images: features, distances between them, and the protocol."""

import lazy_loader

# TensorFlow and scikit-learn are imported with what needs them: names and ranges of settings are
# checked without.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "attention": ["attention_distance", "attention_entropy", "attention_numbers"],
        "comparison": ["compare_variants", "paired_difference", "spread"],
        "evaluation": ["Evaluation"],
        "gan_train": ["gan_train"],
        "membership": ["membership"],
        "features.classifier": ["Classifier"],
        "features.features": ["Features"],
        "features.inception": ["Inception"],
        "metrics": ["METRICS", "Metric", "score_names"],
        "metrics.diversity": ["nearest_neighbor_ratio", "nearest_neighbors", "pairwise_diversity"],
        "metrics.fid": ["frechet_distance", "intra_class_frechet_distance"],
        "metrics.gaussian": ["Gaussian"],
        "metrics.inception_score": ["inception_score"],
        "metrics.kid": ["kernel_inception_distance"],
        "metrics.moments": ["Moments"],
        "metrics.precision_recall": ["precision_recall_density_coverage"],
        "protocol": ["MAX_DEFAULT_IMAGES", "Protocol"],
        "report": ["format_comparison", "format_table", "provenance", "summarize"],
        "scores": ["Scores", "compare"],
        "statistics": ["FeatureStatistics", "statistics_of"],
    },
)
