"""Callbacks and run folders."""

from sagan_tf.training.metrics_logger import MetricsLogger
from sagan_tf.training.progress_bar import ProgressBar
from sagan_tf.training.run_directory import attention_picture, open_run, write_results
from sagan_tf.training.sample_writer import SampleWriter, class_grid

__all__ = [
    "MetricsLogger",
    "ProgressBar",
    "SampleWriter",
    "attention_picture",
    "class_grid",
    "open_run",
    "write_results",
]
