"""Images as the models have them, floats in [-1, 1], and as files have them, 8-bit pixels.

Both are arrays of shape `(num_images, height, width, channels)` with 1 (gray) or 3 (RGB) channels.
Another type is a TypeError; another shape, or a NaN, is a ValueError.
"""

import numpy as np


def check_images(images):
    """Returns images as a float32 array, clipped to [-1, 1]."""
    images = np.asarray(images)
    if images.dtype.kind in "biu":
        raise TypeError(f"`images` must be floats in [-1, 1]. Received: dtype={images.dtype}")
    _check_shape(images, images.shape)
    images = images.astype("float32")
    broken = np.isnan(images).any(axis=(1, 2, 3))
    if broken.any():
        raise ValueError(
            f"`images` must not be NaN. Received: {np.count_nonzero(broken)} of {len(images)} "
            f"images with NaN, the first at index {np.argmax(broken)}"
        )
    return np.clip(images, -1.0, 1.0)


def to_uint8(images):
    """Rounds images in [-1, 1] to uint8 in [0, 255]; values outside are clipped."""
    return np.rint((check_images(images) + 1.0) * 127.5).astype("uint8")


def from_uint8(pixels):
    """Returns the float32 images in [-1, 1] of uint8 pixels."""
    return check_pixels(pixels) / np.float32(127.5) - np.float32(1.0)


def check_pixels(pixels):
    """Returns uint8 pixels as an array, of no images or more."""
    pixels = np.asarray(pixels)
    if pixels.dtype != np.uint8:
        raise TypeError(f"Pixels must be uint8, in [0, 255]. Received: dtype={pixels.dtype}")
    _check_shape(pixels, pixels.shape[1:])
    return pixels


def check_channels(channels):
    """Raises a ValueError unless `channels` is 1 (gray) or 3 (RGB)."""
    if channels not in (1, 3):
        raise ValueError(f"`channels` must be 1 (gray) or 3 (RGB). Received: {channels=}")


def _check_shape(images, sizes):
    """`sizes` are those of the dimensions that must not be 0."""
    if images.ndim != 4 or 0 in sizes or images.shape[-1] not in (1, 3):
        raise ValueError(
            "`images` must have shape (num_images, height, width, 1 or 3), none of them 0. "
            f"Received: shape={images.shape}"
        )
