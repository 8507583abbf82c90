"""Kernels that do a resampling and a convolution in one."""

import numpy as np
from keras import ops


def box_filtered(kernel):
    """The full convolution of a kernel with a 2x2 box of ones.

    Args:
        kernel: Tensor of shape `(k, k, inputs, outputs)`.

    Returns:
        Tensor of shape `(k + 1, k + 1, inputs, outputs)`.
    """
    size, _, inputs, outputs = kernel.shape
    box_1d = np.eye(size + 1, size) + np.eye(size + 1, size, k=-1)
    box_2d = ops.convert_to_tensor(np.kron(box_1d, box_1d), dtype=kernel.dtype)
    filtered = ops.matmul(box_2d, ops.reshape(kernel, (size * size, inputs * outputs)))
    return ops.reshape(filtered, (size + 1, size + 1, inputs, outputs))


def require_odd(kernel_size):
    """`kernel_size` itself, or a ValueError where the fused kernel would not be centred."""
    if kernel_size % 2 != 1:
        raise ValueError(f"`kernel_size` must be odd. Received: {kernel_size=}")
    return kernel_size


def require_even(input_shape):
    """A ValueError if a known height or width of `(batch, height, width, channels)` is odd."""
    if any(size is not None and size % 2 for size in input_shape[1:3]):
        raise ValueError(f"Height and width must be even. Received: {input_shape=}")
