"""Colors of attention, from gray where there is none to bright yellow at its peak."""

import numpy as np
from matplotlib import colormaps
from PIL import Image

_COLORS = colormaps["inferno"]


def glow(image, shares, largest=None, smooth=True):
    """A picture in dim gray that glows where shares `(key_size, key_size)` of attention fell on it.

    The brightest share is `largest`, by default that of the map. Without `smooth` each key is a
    square of one color.
    """
    kind = Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST
    heat = Image.fromarray(shares / (largest or shares.max())).resize(image.size, kind)
    gray = np.asarray(image.convert("L"), "float32") / 255.0
    return Image.fromarray(blend_heat(0.08 + 0.5 * gray, np.asarray(heat)))


def blend_heat(gray, heat):
    """Blends heat over gray, both in [0, 1], to uint8 RGB. Gray without heat is unchanged."""
    heat = np.clip(heat, 0.0, 1.0)[..., None]
    color = _COLORS(0.15 + 0.85 * heat[..., 0])[..., :3]
    opacity = 0.85 * heat**0.75
    return np.rint(255.0 * ((1.0 - opacity) * gray[..., None] + opacity * color)).astype("uint8")


def heat_scale(steps):
    """The colors from no attention to the peak: uint8 array `(steps, 3)`."""
    return blend_heat(np.full(steps, 0.3), np.linspace(0.0, 1.0, steps))
