"""Training: the outer loop, strategies, checkpoints, the recorder and the folder of a run."""

from sagan_tf.training.augmentation_preview import augmentation_preview
from sagan_tf.training.checkpoints import Checkpoints
from sagan_tf.training.clock import Clock
from sagan_tf.training.forecast import Forecast
from sagan_tf.training.interruption import Interrupted, Interruption
from sagan_tf.training.periodic import Periodic
from sagan_tf.training.progress_bar import ProgressBar
from sagan_tf.training.recorder import Recorder
from sagan_tf.training.run import check_run, open_run, open_scores, write_results
from sagan_tf.training.strategy import describe_strategy, is_chief, make_strategy
from sagan_tf.training.timed_decay import TimedDecay
from sagan_tf.training.train import for_dataset, make_model, scored_dataset, train
from sagan_tf.training.trainer import Trainer
from sagan_tf.training.watchdog import Watchdog

__all__ = [
    "Checkpoints",
    "Clock",
    "Forecast",
    "Interrupted",
    "Interruption",
    "Periodic",
    "ProgressBar",
    "Recorder",
    "TimedDecay",
    "Trainer",
    "Watchdog",
    "augmentation_preview",
    "check_run",
    "describe_strategy",
    "for_dataset",
    "is_chief",
    "make_model",
    "make_strategy",
    "open_run",
    "open_scores",
    "scored_dataset",
    "train",
    "write_results",
]
