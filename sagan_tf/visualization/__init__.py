"""Pictures of samples, attention and training, as `PIL.Image.Image` in RGB."""

from sagan_tf.visualization.attention_overlay import attention_overlay
from sagan_tf.visualization.curves import read_metrics, training_curves
from sagan_tf.visualization.pixels import to_uint8
from sagan_tf.visualization.query_selection import choose_queries
from sagan_tf.visualization.sample_grid import sample_grid

__all__ = [
    "attention_overlay",
    "choose_queries",
    "read_metrics",
    "sample_grid",
    "to_uint8",
    "training_curves",
]
