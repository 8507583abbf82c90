"""Attention maps that fit their images."""

import math

import numpy as np

MAX_QUERIES = 4  # No more colors than that can be told apart.


class AttentionMaps:
    """The maps of several images at one resolution, checked against these images.

    `attention` has shape `(num_images, queries, keys)`, and its rows sum to 1 (within 0.01).
    Queries and keys are the cells of two square grids in row-major order, `query_size` and
    `key_size` cells wide. `images` come from `check_images`. A ValueError names what does not fit.
    """

    def __init__(self, attention, images):
        attention = np.asarray(attention)
        num_images, height, width, _ = images.shape
        if attention.ndim != 3 or len(attention) != num_images:
            raise ValueError(
                f"`attention` must have shape (num_images={num_images}, queries, keys). "
                f"Received: shape={attention.shape}"
            )
        query_size, key_size = (math.isqrt(positions) for positions in attention.shape[1:])
        if (query_size**2, key_size**2) != attention.shape[1:] or not 0 < key_size <= query_size:
            raise ValueError(
                "`attention` must map a square grid of queries to one of at most as many keys. "
                f"Received: shape={attention.shape}"
            )
        if height != width or height % query_size:
            raise ValueError(
                "`images` must be square, and their size a multiple of the "
                f"{query_size}x{query_size} grid of queries. Received: images of {height}x{width}"
            )
        attention = attention.astype("float32")
        sums = attention.sum(axis=-1)
        if not (attention.min() >= 0 and np.allclose(sums, 1.0, atol=0.01)):
            raise ValueError(
                "`attention` must hold shares, each query's keys summing to 1. Received: values "
                f"from {attention.min():.3g} to {attention.max():.3g}, sums from "
                f"{sums.min():.3g} to {sums.max():.3g}"
            )
        self.values, self.query_size, self.key_size = attention, query_size, key_size
        self._image_size = height

    def cells(self, queries):
        """Rows and columns in the grid of queries, `(num_images, num_queries, 2)`, of pixels.

        `queries` are rows and columns of pixels, `(num_queries, 2)` for all images alike or
        `(num_images, num_queries, 2)`. A TypeError or a ValueError names what is wrong with them.
        """
        queries = np.asarray(queries)
        if queries.dtype.kind not in "iu":
            raise TypeError(f"`queries` must be integers. Received: dtype={queries.dtype}")
        num_images = len(self.values)
        if queries.ndim == 2:
            queries = np.broadcast_to(queries, (num_images, *queries.shape))
        counts = range(1, MAX_QUERIES + 1)
        if queries.shape not in [(num_images, count, 2) for count in counts]:
            raise ValueError(
                f"`queries` must have shape (num_queries, 2) or (num_images={num_images}, "
                f"num_queries, 2), at most {MAX_QUERIES} queries. Received: shape={queries.shape}"
            )
        if queries.min() < 0 or queries.max() >= self._image_size:
            raise ValueError(
                f"`queries` must be rows and columns from 0 to {self._image_size - 1}. "
                f"Received: values from {queries.min()} to {queries.max()}"
            )
        return queries.astype("int64") * self.query_size // self._image_size

    def shares(self, index, cell):
        """What one query of an image attended to: float32 array `(key_size, key_size)`."""
        shares = self.values[index, cell[0] * self.query_size + cell[1]]
        return shares.reshape(self.key_size, self.key_size)
