import numpy as np
import pytest

from sagan_tf.visualization import attention_overlay, attention_panel
from sagan_tf.visualization.attention_maps import AttentionMaps

IMAGES = np.zeros((1, 16, 16, 1))


def one_hot_maps(queries, keys, key, num_images=1):
    """Maps between square grids of these sides, all attention on the key (row, column)."""
    maps = np.zeros((num_images, queries**2, keys**2), dtype="float32")
    maps[:, :, key[0] * keys + key[1]] = 1.0
    return maps


MAPS = one_hot_maps(8, 4, (0, 0))


def test_rows_and_columns():
    attention = np.random.default_rng(0).dirichlet(np.ones(9), (2, 36))
    maps = AttentionMaps(attention, np.zeros((2, 12, 12, 3)))
    assert (maps.query_size, maps.key_size) == (6, 3)
    np.testing.assert_array_equal(maps.cells([(0, 1), (5, 11)]), [[(0, 0), (2, 5)]] * 2)
    np.testing.assert_array_equal(maps.cells([[(3, 1)], [(4, 0)]]), [[(1, 0)], [(2, 0)]])
    expected = attention[1, 2 * 6 + 5].reshape(3, 3)
    np.testing.assert_allclose(maps.shares(1, (2, 5)), expected, rtol=1e-6)
    # Small integers do not overflow.
    maps = AttentionMaps(one_hot_maps(32, 16, (8, 8)), np.zeros((1, 128, 128, 1)))
    assert maps.cells(np.array([[100, 120]], "uint8")).tolist() == [[[25, 30]]]


@pytest.mark.parametrize(
    "images, maps, message",
    [
        (IMAGES, MAPS[0], r"num_images=1, queries, keys"),
        (IMAGES, np.repeat(MAPS, 2, axis=0), r"shape=\(2, 64, 16\)"),
        (IMAGES, MAPS[:, :60], r"square grid .* shape=\(1, 60, 16\)"),
        (IMAGES, MAPS[..., :15], r"square grid .* shape=\(1, 64, 15\)"),
        (IMAGES, one_hot_maps(4, 8, (0, 0)), r"at most as many keys"),
        (IMAGES, MAPS[..., :0], r"square grid"),
        (IMAGES[:, :, :12], MAPS, r"square, .* images of 16x12"),
        (IMAGES[:, :12, :12], MAPS, r"multiple of the 8x8 grid .* images of 12x12"),
        (IMAGES, 2 * MAPS, r"summing to 1. .* sums from 2 to 2"),
        (IMAGES, MAPS * [2.0] + [-1 / 16], r"values from -0.0625"),
        (IMAGES, MAPS * np.nan, r"values from nan"),
        (IMAGES * np.nan, MAPS, r"must not be NaN"),
    ],
)
def test_arrays_are_checked(images, maps, message):
    with pytest.raises(ValueError, match=message) as error:
        attention_overlay(images, maps)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "queries, error, message",
    [
        ([(0, 16)], ValueError, "from 0 to 15. Received: values from 0 to 16"),
        ([(-1, 0)], ValueError, "values from -1 to 0"),
        ((3, 4), ValueError, r"Received: shape=\(2,\)"),
        ([(1, 2, 3)], ValueError, r"shape=\(1, 1, 3\)"),
        ([[(1, 2)], [(1, 2)]], ValueError, r"shape=\(2, 1, 2\)"),
        ([(1, 2)] * 5, ValueError, "at most 4 queries"),
        (np.zeros((0, 2), int), ValueError, r"shape=\(1, 0, 2\)"),
        ([(0.5, 0.5)], TypeError, "integers. Received: dtype=float64"),
    ],
)
def test_queries_are_checked(queries, error, message):
    with pytest.raises(error, match=message) as raised:
        attention_overlay(IMAGES, MAPS, queries=queries)
    assert "\n" not in str(raised.value)
    if len(queries) == 1 and np.ndim(queries) == 2:
        with pytest.raises(error, match=message):
            attention_panel(IMAGES[0], MAPS[0], queries[0])
