"""Models to serve."""

from sagan_tf.export.lite import export_lite
from sagan_tf.export.saved_model import export_saved_model

__all__ = ["export_lite", "export_saved_model"]
