"""The choice of queries whose attention is worth a look."""

import math

import numpy as np

from sagan_tf.images import check_images
from sagan_tf.visualization.attention_maps import AttentionMaps


def choose_queries(images, attention, num_queries=3):
    """Chooses, for each image, the queries behind its most attended-to features.

    Plain background is no candidate: a position stands out by the distance of its color from the
    median color of the image's border, times the spread of the colors around it (at most the
    image's average spread), and must do so at least as much as the average position. Let
    `received[key]` be the mean of `map[query, key]` over the candidates. Queries are added one by
    one, each the one that most increases

        sum over keys of received[key] * max(1 / keys, max over chosen queries of map[query, key])

    which prefers concentrated maps, maps onto what many positions attend to, and maps that differ
    from those chosen before. Candidates nearer than a quarter of the grid to a chosen query come
    after the others, and the background comes last. Ties go to the first in row-major order.

    Args:
        images: Float array of shape `(num_images, size, size, 1 or 3)` in [-1, 1].
        attention: Float array of shape `(num_images, queries, keys)`, as the generator returns it
            for one resolution.
        num_queries: int, from 1 to the number of queries. Defaults to `3`, as in the paper.

    Returns:
        int array of shape `(num_images, num_queries, 2)`: row and column in pixels of the image,
        at the center of the query's cell (rounded up).

    Raises:
        TypeError: if the images are integers.
        ValueError: if an array or `num_queries` is not as above.
    """
    images = check_images(images)
    maps = AttentionMaps(attention, images)
    size = maps.query_size
    if not 1 <= num_queries <= size**2:
        raise ValueError(f"`num_queries` must be from 1 to {size**2}. Received: {num_queries=}")
    chosen = [
        _covering_queries(attention, _foreground(image, size), num_queries)
        for image, attention in zip(images, maps.values, strict=True)
    ]
    cells = np.stack(np.unravel_index(chosen, (size, size)), axis=-1)
    pixels = images.shape[1] // size
    return cells * pixels + pixels // 2


def _foreground(image, grid_size):
    """Indices of the cells that differ from the image's border in color and are not flat."""
    border = np.concatenate([image[0], image[-1], image[1:-1, 0], image[1:-1, -1]])
    pixels = len(image) // grid_size
    colors = image.reshape(grid_size, pixels, grid_size, pixels, -1).mean(axis=(1, 3))
    contrast = np.linalg.norm(colors - np.median(border, axis=0), axis=-1)
    padded = np.pad(colors, ((1, 1), (1, 1), (0, 0)), mode="edge")
    neighbors = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))
    spread = np.linalg.norm(neighbors.std(axis=(-2, -1)), axis=-1)
    prominence = (contrast * np.minimum(spread, spread.mean())).ravel()
    # Rounding can lift the mean of equal numbers above all of them.
    return np.flatnonzero(prominence >= min(prominence.mean(), prominence.max()))


def _covering_queries(attention, candidates, num_queries):
    """Queries of one map `(queries, keys)` that cover, greedily, what the candidates attend to."""
    num_cells, num_keys = attention.shape
    grid_size = math.isqrt(num_cells)
    cells = np.stack(np.divmod(np.arange(num_cells), grid_size))
    received = attention[candidates].mean(axis=0)
    covered = np.full_like(received, 1.0 / num_keys)
    # The gain in coverage is in [0, 1]: it decides only among queries of equal preference.
    preference = np.zeros(num_cells)
    preference[candidates] = 4.0
    is_near = np.zeros(num_cells, dtype=bool)
    chosen = []
    for _ in range(num_queries):
        gain = np.maximum(attention - covered, 0.0) @ received
        query = int(np.argmax(preference - 2.0 * is_near + gain))
        chosen.append(query)
        covered = np.maximum(covered, attention[query])
        distance = np.hypot(*(cells - cells[:, query, None]))
        is_near |= distance < grid_size / 4
        preference[query] = -np.inf
    return chosen
