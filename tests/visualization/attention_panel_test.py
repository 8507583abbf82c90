import numpy as np
import pytest

from sagan_tf.visualization import attention_overlay, attention_panel
from sagan_tf.visualization.attention_overlay import FRAME, GAP
from sagan_tf.visualization.attention_panel import QUERY_COLORS


def random_example(size=16, channels=1):
    rng = np.random.default_rng(0)
    return rng.uniform(-1.0, 1.0, (size, size, channels)), rng.dirichlet(np.ones(16), 64)


@pytest.mark.parametrize("query, channels", [((0, 0), 1), ((5, 14), 3), ((15, 15), 1)])
def test_it_is_the_panel_of_an_overlay(query, channels):
    image, maps = random_example(channels=channels)
    overlay = np.asarray(attention_overlay(image[None], maps[None], [query]))
    for column, heat in enumerate((False, True)):
        panel = np.asarray(attention_panel(image, maps, query, heat=heat))
        assert panel.shape == (160, 160, 3)
        left = GAP + column * (160 + GAP)
        theirs = overlay[GAP : GAP + 160, left : left + 160]
        # The overlay has a frame around its maps.
        inner = slice(column * FRAME, 160 - column * FRAME)
        differs = (panel[inner, inner] != theirs[inner, inner]).any(axis=-1)
        # The mark on a border is drawn over the frame there.
        assert differs.mean() < (0.002 if heat else 1e-9)


@pytest.mark.parametrize("size, scale", [(16, 3), (32, 4)])
def test_scale(size, scale):
    image, maps = random_example(size)
    panel = attention_panel(image, maps, (size - 1, 0), scale)
    assert panel.size == (size * scale, size * scale) and panel.mode == "RGB"
    assert (np.asarray(panel) == QUERY_COLORS[0]).all(axis=-1).any()
