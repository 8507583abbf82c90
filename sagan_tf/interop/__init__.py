"""Weights from other implementations."""

from sagan_tf.interop.official_checkpoint import load_official_checkpoint

__all__ = ["load_official_checkpoint"]
