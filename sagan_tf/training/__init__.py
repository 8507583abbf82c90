"""Training: the outer loop, strategies, checkpoints, callbacks and run folders."""

from sagan_tf.training.checkpoint_writer import CheckpointWriter
from sagan_tf.training.checkpoints import Checkpoints
from sagan_tf.training.interruption import Interruption
from sagan_tf.training.loading import find_config, load_model
from sagan_tf.training.metrics_logger import MetricsLogger
from sagan_tf.training.periodic import Periodic
from sagan_tf.training.progress_bar import ProgressBar
from sagan_tf.training.run_directory import (
    attention_picture,
    check_run,
    open_run,
    open_scores,
    read_config,
    write_results,
)
from sagan_tf.training.sample_writer import SampleWriter, class_grid
from sagan_tf.training.strategy import (
    STRATEGIES,
    describe,
    is_chief,
    make_strategy,
    replica_batch_size,
)
from sagan_tf.training.trainer import Trainer
from sagan_tf.training.watchdog import Watchdog

__all__ = [
    "STRATEGIES",
    "CheckpointWriter",
    "Checkpoints",
    "Interruption",
    "MetricsLogger",
    "Periodic",
    "ProgressBar",
    "SampleWriter",
    "Trainer",
    "Watchdog",
    "attention_picture",
    "check_run",
    "class_grid",
    "describe",
    "find_config",
    "is_chief",
    "load_model",
    "make_strategy",
    "open_run",
    "open_scores",
    "read_config",
    "replica_batch_size",
    "write_results",
]
