"""Which queries of an attention map are worth a look."""

import math

import numpy as np

from sagan_tf.images import check_images

MAX_QUERIES = 4  # as many colours can be told apart


def check_attention(attention, images):
    """Attention maps as a float32 array, together with the sides of their grids.

    Args:
        attention: Float array of shape `(num_images, queries, keys)`, rows summing to 1 (within
            0.01), where queries and keys are the positions of square grids in row-major order.
        images: Checked images of shape `(num_images, size, size, channels)`.

    Returns:
        `(attention, query_size, key_size)`: the float32 array and two ints.

    Raises:
        ValueError: if the shape does not fit, `size` is not a multiple of the query grid, there
            are more keys than queries, or the rows are not shares.
    """
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
            f"`images` must be square, and their size a multiple of the {query_size}x{query_size} "
            f"grid of queries. Received: images of {height}x{width}"
        )
    attention = attention.astype("float32")
    if not (attention.min() >= 0 and np.allclose(attention.sum(axis=-1), 1.0, atol=0.01)):
        raise ValueError(
            "`attention` must hold shares, each query's keys summing to 1. Received: values from "
            f"{attention.min():.3g} to {attention.max():.3g}, sums from "
            f"{attention.sum(axis=-1).min():.3g} to {attention.sum(axis=-1).max():.3g}"
        )
    return attention, query_size, key_size


def check_queries(queries, images):
    """Queries as rows and columns of each image.

    Args:
        queries: int array of shape `(num_queries, 2)`, or `(num_images, num_queries, 2)`.
        images: Checked images of shape `(num_images, size, size, channels)`.

    Returns:
        int64 array of shape `(num_images, num_queries, 2)`.

    Raises:
        TypeError: if the queries are not ints.
        ValueError: if the shape is another one, or a query lies outside of the images.
    """
    queries = np.asarray(queries)
    if queries.dtype.kind not in "iu":
        raise TypeError(f"`queries` must be integers. Received: dtype={queries.dtype}")
    num_images, size = images.shape[:2]
    if queries.ndim == 2:
        queries = np.broadcast_to(queries, (num_images, *queries.shape))
    if (
        queries.ndim != 3
        or (len(queries), queries.shape[2]) != (num_images, 2)
        or not 1 <= queries.shape[1] <= MAX_QUERIES
    ):
        raise ValueError(
            f"`queries` must have shape (num_queries, 2) or (num_images={num_images}, "
            f"num_queries, 2), at most {MAX_QUERIES} queries. "
            f"Received: shape={queries.shape}"
        )
    if queries.min() < 0 or queries.max() >= size:
        raise ValueError(
            f"`queries` must be rows and columns from 0 to {size - 1}. "
            f"Received: values from {queries.min()} to {queries.max()}"
        )
    return queries.astype("int64")


def choose_queries(images, attention, num_queries=3):
    """Chooses, for each image, the queries behind its most attended-to features.

    Plain background is no candidate: a position stands out by the distance of its colour from the
    median colour of the image's border, times the spread of the colours around it (at most the
    image's average spread), and must do so at least as much as the average position. Let
    `received[key]` be the mean of `map[query, key]` over the candidates. Queries are added one by
    one, each the one that most increases

        sum over keys of received[key] * max(1 / keys, max over chosen queries of map[query, key])

    which prefers concentrated maps, maps onto what many positions attend to, and maps that differ
    from those chosen before. Candidates nearer than a quarter of the grid to a chosen query come
    after the others, and the background last. Ties go to the first in row-major order.

    Args:
        images: Float array of shape `(num_images, size, size, channels)` in [-1, 1].
        attention: Float array of shape `(num_images, queries, keys)` as the generator returns it
            for one resolution: rows sum to 1, queries and keys are square grids.
        num_queries: int, from 1 to the number of queries. Defaults to `3`, as in the paper.

    Returns:
        int array of shape `(num_images, num_queries, 2)`: row and column in pixels of the image,
        at the centre of the query's cell (rounded up).

    Raises:
        TypeError: if the images are integers.
        ValueError: if an array or `num_queries` is not as above.
    """
    images = check_images(images)
    attention, query_size, _ = check_attention(attention, images)
    if not 1 <= num_queries <= attention.shape[1]:
        raise ValueError(
            f"`num_queries` must be from 1 to {attention.shape[1]}. Received: {num_queries=}"
        )
    chosen = [
        _cover(maps, _foreground(image, query_size), query_size, num_queries)
        for image, maps in zip(images, attention, strict=True)
    ]
    cells = np.stack(np.unravel_index(chosen, (query_size, query_size)), axis=-1)
    cell = images.shape[1] // query_size
    return cells * cell + cell // 2


def _foreground(image, query_size):
    """Indices of the positions that stand out from the border's colour and are not flat."""
    size, _, channels = image.shape
    border = np.concatenate([image[0], image[-1], image[1:-1, 0], image[1:-1, -1]])
    cell = size // query_size
    colors = image.reshape(query_size, cell, query_size, cell, channels).mean(axis=(1, 3))
    contrast = np.linalg.norm(colors - np.median(border, axis=0), axis=-1)
    padded = np.pad(colors, ((1, 1), (1, 1), (0, 0)), mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))
    spread = np.linalg.norm(around.std(axis=(-2, -1)), axis=-1)
    standing_out = (contrast * np.minimum(spread, spread.mean())).ravel()
    # Rounding can lift the mean of equal numbers above all of them.
    return np.flatnonzero(standing_out >= min(standing_out.mean(), standing_out.max()))


def _cover(maps, candidates, query_size, num_queries):
    """Greedy choice of `num_queries` queries that cover what the candidates attend to."""
    rows, columns = np.divmod(np.arange(len(maps)), query_size)
    received = maps[candidates].mean(axis=0)
    covered = np.full_like(received, 1.0 / len(received))
    preference = np.zeros(len(maps))
    preference[candidates] = 4.0
    near = np.zeros(len(maps), dtype=bool)
    chosen = []
    for _ in range(num_queries):
        gain = np.maximum(maps - covered, 0.0) @ received  # in [0, 1]: preferences come first
        query = int(np.argmax(preference - 2.0 * near + gain))
        chosen.append(query)
        covered = np.maximum(covered, maps[query])
        near |= np.hypot(rows - rows[query], columns - columns[query]) < query_size / 4
        preference[query] = -np.inf
    return chosen
