"""Colors, fonts and enlarged pixels that all pictures share."""

import numpy as np
from PIL import Image, ImageFont

INK = (32, 33, 36)
PAPER = (255, 255, 255)


def enlarge(pixels, scale):
    """A uint8 image `(height, width, 1 or 3)` as RGB, each pixel `scale` x `scale` large."""
    rgb = np.broadcast_to(pixels, (*pixels.shape[:2], 3))
    return Image.fromarray(rgb.repeat(scale, axis=0).repeat(scale, axis=1))


def scale_to(size, minimum):
    """The least whole factor by which `size` grows to at least `minimum` pixels."""
    return max(1, -(-minimum // size))


def font(size):
    """Pillow's own font, `size` pixels high, so that pictures are the same on every machine."""
    return ImageFont.load_default(size)
