"""From the models' float images to pixels on a screen."""

import numpy as np
from PIL import Image, ImageFont

INK = (32, 33, 36)
PAPER = (255, 255, 255)


def check_images(images):
    """Images as a float32 array.

    Args:
        images: Float array of shape `(num_images, height, width, channels)`, nominally in
            [-1, 1], with 1 (grey) or 3 (RGB) channels.

    Returns:
        float32 array of the same shape, clipped to [-1, 1].

    Raises:
        TypeError: if the images are integers.
        ValueError: if the shape is another one, or a value is NaN.
    """
    images = np.asarray(images)
    if images.dtype.kind in "biu":
        raise TypeError(f"`images` must be floats in [-1, 1]. Received: dtype={images.dtype}")
    if images.ndim != 4 or 0 in images.shape or images.shape[-1] not in (1, 3):
        raise ValueError(
            "`images` must have shape (num_images, height, width, 1 or 3), none of them 0. "
            f"Received: shape={images.shape}"
        )
    images = images.astype("float32")
    broken = np.isnan(images).any(axis=(1, 2, 3))
    if broken.any():
        raise ValueError(
            f"`images` must not be NaN. Received: {np.count_nonzero(broken)} of {len(images)} "
            f"images with NaN, the first at index {np.argmax(broken)}"
        )
    return np.clip(images, -1.0, 1.0)


def to_uint8(images):
    """Rounds images in [-1, 1] to integers in [0, 255]; values outside are clipped.

    Args:
        images: Float array of shape `(num_images, height, width, channels)`, 1 or 3 channels.

    Returns:
        uint8 array of the same shape.

    Raises:
        TypeError: if the images are integers already.
        ValueError: if the shape is another one, or a value is NaN.
    """
    return np.rint((check_images(images) + 1.0) * 127.5).astype("uint8")


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
