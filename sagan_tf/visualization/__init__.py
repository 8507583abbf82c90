"""Pictures of samples, attention and training, each an RGB `PIL.Image.Image`."""

from sagan_tf.visualization.attention_colors import heat_scale
from sagan_tf.visualization.attention_overlay import attention_overlay
from sagan_tf.visualization.attention_panel import attention_panel
from sagan_tf.visualization.curves import training_curves
from sagan_tf.visualization.grid_layout import GridLayout
from sagan_tf.visualization.portraits import (
    attention_picture,
    class_grid,
    class_headings,
    walk_frames,
    walk_picture,
)
from sagan_tf.visualization.query_selection import choose_queries
from sagan_tf.visualization.sample_grid import grid_layout, sample_grid
from sagan_tf.visualization.score_comparison import score_comparison

__all__ = [
    "GridLayout",
    "attention_overlay",
    "attention_panel",
    "attention_picture",
    "choose_queries",
    "class_grid",
    "class_headings",
    "grid_layout",
    "heat_scale",
    "sample_grid",
    "score_comparison",
    "training_curves",
    "walk_frames",
    "walk_picture",
]
