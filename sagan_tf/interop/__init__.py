"""Weights from other implementations."""

from sagan_tf.interop.addons_weights import load_addons_weights
from sagan_tf.interop.official_checkpoint import load_official_checkpoint

__all__ = ["load_addons_weights", "load_official_checkpoint"]
