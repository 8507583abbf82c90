"""Images as the models have them, floats in [-1, 1], and as files have them, 8-bit pixels."""

import numpy as np


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


def from_uint8(pixels):
    """Images in [-1, 1] from integers in [0, 255].

    Args:
        pixels: uint8 array of shape `(num_images, height, width, channels)`, 1 or 3 channels.

    Returns:
        float32 array of the same shape.

    Raises:
        TypeError: if the pixels are not uint8.
        ValueError: if the shape is another one.
    """
    return check_pixels(pixels) / np.float32(127.5) - np.float32(1.0)


def check_pixels(pixels):
    """Pixels as a uint8 array.

    Args:
        pixels: uint8 array of shape `(num_images, height, width, channels)`, 1 or 3 channels.

    Raises:
        TypeError: if the pixels are not uint8.
        ValueError: if the shape is another one.
    """
    pixels = np.asarray(pixels)
    if pixels.dtype != np.uint8:
        raise TypeError(f"Pixels must be uint8, in [0, 255]. Received: dtype={pixels.dtype}")
    _check_shape(pixels, pixels.shape[1:])
    return pixels


def check_channels(channels):
    """Raises a ValueError unless `channels` is 1 (grey) or 3 (RGB)."""
    if channels not in (1, 3):
        raise ValueError(f"`channels` must be 1 (grey) or 3 (RGB). Received: {channels=}")


def _check_shape(images, sizes):
    """`sizes` are those of the dimensions that must not be 0."""
    if images.ndim != 4 or 0 in sizes or images.shape[-1] not in (1, 3):
        raise ValueError(
            "`images` must have shape (num_images, height, width, 1 or 3), none of them 0. "
            f"Received: shape={images.shape}"
        )
