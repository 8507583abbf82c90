"""Weights from other implementations."""

from sagan_tf.interop.addons_weights import load_addons_weights
from sagan_tf.interop.mmgeneration import load_mmgeneration
from sagan_tf.interop.official_checkpoint import load_official_checkpoint
from sagan_tf.interop.studiogan import load_studiogan

__all__ = [
    "load_addons_weights",
    "load_mmgeneration",
    "load_official_checkpoint",
    "load_studiogan",
]
