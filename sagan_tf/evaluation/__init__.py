"""Scores of generated images: features, distances between them, and the protocol."""

from sagan_tf.evaluation.attention import (
    attention_distance,
    attention_entropy,
    attention_numbers,
)
from sagan_tf.evaluation.classifier import Classifier
from sagan_tf.evaluation.diversity import (
    nearest_neighbor_ratio,
    nearest_neighbors,
    pairwise_diversity,
)
from sagan_tf.evaluation.evaluation import Evaluation
from sagan_tf.evaluation.evaluator import Evaluator
from sagan_tf.evaluation.feature_statistics import FeatureStatistics, statistics_of
from sagan_tf.evaluation.features import Features
from sagan_tf.evaluation.fid import frechet_distance, intra_class_frechet_distance
from sagan_tf.evaluation.inception import Inception
from sagan_tf.evaluation.inception_score import InceptionScore, inception_score
from sagan_tf.evaluation.keras_inception import KerasInception
from sagan_tf.evaluation.kid import kernel_inception_distance
from sagan_tf.evaluation.moments import Moments
from sagan_tf.evaluation.prdc import precision_recall_density_coverage
from sagan_tf.evaluation.protocol import MAX_DEFAULT_IMAGES, METRICS, Protocol
from sagan_tf.evaluation.report import format_table, provenance, summarize
from sagan_tf.evaluation.scores import FIGURES, Scores, compare
from sagan_tf.models import with_standing_statistics

__all__ = [
    "FIGURES",
    "MAX_DEFAULT_IMAGES",
    "METRICS",
    "Classifier",
    "Evaluation",
    "Evaluator",
    "FeatureStatistics",
    "Features",
    "Inception",
    "InceptionScore",
    "KerasInception",
    "Moments",
    "Protocol",
    "Scores",
    "attention_distance",
    "attention_entropy",
    "attention_numbers",
    "compare",
    "format_table",
    "frechet_distance",
    "inception_score",
    "intra_class_frechet_distance",
    "kernel_inception_distance",
    "nearest_neighbor_ratio",
    "nearest_neighbors",
    "pairwise_diversity",
    "precision_recall_density_coverage",
    "provenance",
    "statistics_of",
    "summarize",
    "with_standing_statistics",
]
