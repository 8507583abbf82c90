"""Colors, texts and enlarged pixels that all pictures share."""

import math

import numpy as np
from PIL import Image, ImageDraw, ImageFont

INK = (32, 33, 36)
PAPER = (255, 255, 255)


def enlarge(pixels, scale):
    """A uint8 image `(height, width, 1 or 3)` as RGB, each pixel `scale` x `scale` large."""
    rgb = np.broadcast_to(pixels, (*pixels.shape[:2], 3))
    return Image.fromarray(rgb.repeat(scale, axis=0).repeat(scale, axis=1))


def scale_to(size, minimum):
    """The least whole factor by which `size` grows to at least `minimum` pixels."""
    return max(1, -(-minimum // size))


def write(picture, position, text, size, width=math.inf, ink=INK, anchor="lm"):
    """Writes a text, cut to fit a width, in Pillow's font, which is the same on every machine."""
    font = ImageFont.load_default(size)
    fitting = text
    while fitting and font.getlength(fitting) > width:
        text = text[:-1]
        fitting = text and text + "…"
    ImageDraw.Draw(picture).text(position, fitting, fill=ink, font=font, anchor=anchor)
