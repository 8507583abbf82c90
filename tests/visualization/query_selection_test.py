import itertools

import numpy as np
import pytest

from sagan_tf.visualization import choose_queries

QUERIES, KEYS = 8, 4  # sides of the grids


def uniform_maps():
    return np.full((1, QUERIES**2, KEYS**2), 1 / KEYS**2, dtype="float32")


def attend(maps, query, key, share=1.0):
    """Makes the query (row, column) give a key `share` of its attention, the rest evenly."""
    row = maps[0, query[0] * QUERIES + query[1]]
    row[:] = (1 - share) / (row.size - 1)
    row[key[0] * KEYS + key[1]] = share


def noise_images(num_images=1):
    return np.random.default_rng(0).uniform(-1, 1, (num_images, 16, 16, 3))


def square_on_black():
    """A bright textured square, rows 8 to 13 and columns 4 to 9, on black."""
    images = np.full((1, 16, 16, 1), -1.0)
    images[0, 8:14, 4:10] = 0.5 + 0.5 * np.indices((6, 6)).sum(axis=0)[..., None] / 10
    return images


def test_finds_the_concentrated_maps_and_no_two_alike():
    maps = uniform_maps()
    # All are in the square's cells: rows 4 to 6, columns 2 to 4.
    attend(maps, (4, 2), key=(0, 0), share=0.9)
    attend(maps, (4, 4), key=(0, 0), share=0.8)
    attend(maps, (6, 4), key=(3, 3), share=0.7)
    chosen = choose_queries(square_on_black(), maps, num_queries=2)
    assert chosen.shape == (1, 2, 2)
    assert chosen[0].tolist() == [[9, 5], [13, 9]]  # centers of the cells (4, 2) and (6, 4)


def test_keeps_off_the_plain_background():
    maps = uniform_maps()
    attend(maps, (0, 0), key=(2, 2))
    attend(maps, (7, 7), key=(3, 0))
    chosen = choose_queries(square_on_black(), maps)
    rows, columns = chosen[0].T
    assert ((rows >= 8) & (rows < 14) & (columns >= 4) & (columns < 10)).all()


def test_keeps_off_a_plain_area_that_differs_from_the_border():
    images = np.full((1, 32, 32, 1), -1.0)
    images[0, :12] = 1.0  # a sky: the most contrast with the median of the border
    images[0, 18:30, 2:30] = np.random.default_rng(0).uniform(0.3, 1.0, (12, 28, 1))
    maps = uniform_maps()
    for column in range(QUERIES):
        attend(maps, (1, column), key=(0, column // 2))
    chosen = choose_queries(images, maps)
    assert (chosen[0, :, 0] // 4 >= 2).all()  # its rim at the most


def test_prefers_what_many_positions_attend_to():
    maps = uniform_maps()
    for column in range(2, 5):
        attend(maps, (4, column), key=(1, 1), share=0.6)
    attend(maps, (6, 4), key=(3, 3), share=0.7)
    chosen = choose_queries(square_on_black(), maps, num_queries=1)
    assert chosen[0, 0, 0] // 2 == 4


def test_chosen_queries_are_apart_and_distinct():
    chosen = choose_queries(noise_images(), uniform_maps(), num_queries=3)[0] // 2
    for first, second in itertools.combinations(chosen, 2):
        assert np.hypot(*(first - second)) >= QUERIES / 4
    every = choose_queries(noise_images(), uniform_maps(), num_queries=QUERIES**2)[0]
    assert len(np.unique(every, axis=0)) == QUERIES**2


def test_flat_images_have_queries_too():
    for level in (-1.0, 0.1, 1.0):
        chosen = choose_queries(np.full((1, 16, 16, 3), level), uniform_maps())
        assert len(np.unique(chosen[0], axis=0)) == 3


def test_images_are_independent_of_each_other():
    rng = np.random.default_rng(1)
    maps = rng.dirichlet(np.full(KEYS**2, 0.1), (3, QUERIES**2))
    images = noise_images(3)
    together = choose_queries(images, maps)
    for index in range(3):
        alone = choose_queries(images[index : index + 1], maps[index : index + 1])
        np.testing.assert_array_equal(alone[0], together[index])
    assert not np.array_equal(together[0], together[1])


@pytest.mark.parametrize("num_queries", [0, QUERIES**2 + 1])
def test_num_queries_is_checked(num_queries):
    with pytest.raises(ValueError, match=f"from 1 to 64. Received: {num_queries=}"):
        choose_queries(noise_images(), uniform_maps(), num_queries)
