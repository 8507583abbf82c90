"""The colours of attention."""

import numpy as np
from matplotlib import colormaps
from PIL import Image

HEAT = colormaps["inferno"]


def heat_map(image, shares):
    """A picture in dim grey under a map `(key_size, key_size)`, scaled to the map's peak."""
    heat = Image.fromarray(shares / shares.max()).resize(image.size, Image.Resampling.BICUBIC)
    grey = np.asarray(image.convert("L"), "float32") / 255.0
    return Image.fromarray(heated(0.08 + 0.5 * grey, np.asarray(heat)))


def heated(grey, heat):
    """Blends heat in [0, 1] over grey in [0, 1] of the same shape: uint8 RGB, clear where 0."""
    heat = np.clip(heat, 0.0, 1.0)[..., None]
    color = HEAT(0.15 + 0.85 * heat[..., 0])[..., :3]
    opacity = 0.85 * heat**0.75
    return np.rint(255.0 * ((1.0 - opacity) * grey[..., None] + opacity * color)).astype("uint8")


def heat_scale(steps):
    """The colours from no attention to the peak: uint8 array `(steps, 3)`."""
    heat = np.linspace(0.0, 1.0, steps)
    return heated(np.full(steps, 0.3), heat)
