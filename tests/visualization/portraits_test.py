import numpy as np
import pytest

from sagan_tf import SAGAN, Discriminator, Generator
from sagan_tf.models import draw_latents, interpolate_latents
from sagan_tf.visualization import (
    attention_overlay,
    attention_picture,
    class_grid,
    sample_grid,
    walk_frames,
    walk_picture,
)
from tests.tiny import tiny


def test_class_grid_has_a_column_per_class():
    sagan = tiny()
    images = sagan.generate([0, 1, 2] * 6, seed=4)
    assert class_grid(sagan, seed=4) == sample_grid(images, column_labels=range(3))
    assert class_grid(sagan, seed=5) != class_grid(sagan, seed=4)


def test_an_unconditional_model():
    sagan = tiny(num_classes=None)
    assert class_grid(sagan) == sample_grid(sagan.generate(num_images=60, seed=0), columns=10)
    images, maps = sagan.generate(num_images=5, seed=0, return_attention=True)
    assert attention_picture(sagan) == attention_overlay(images, maps["attention_8"])


def test_attention_picture_shows_the_highest_resolution():
    networks = Generator(16, 1, 3, 16, attention_resolutions=(8, 16)), Discriminator(16, 1, 3, 4)
    sagan = SAGAN(*networks)
    options = {"truncation": 0.5, "use_ema": False, "seed": 3}
    images, maps = sagan.generate([2, 0], 4, return_attention=True, **options)
    expected = attention_overlay(images, maps["attention_16"])
    assert attention_picture(sagan, [2, 0], 4, **options) == expected
    images, maps = sagan.generate([0, 1, 2], 5, seed=0, return_attention=True)
    assert attention_picture(sagan) == attention_overlay(images, maps["attention_16"])


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"attention_resolutions": ()}, "attention_resolutions is empty"),
        ({"attention_layer": "residual"}, "attention_layer is residual"),
    ],
)
def test_a_model_without_attention_has_none_to_show(arguments, reason):
    settings = {"base_channels": 4, "latent_dim": 8, **arguments}
    sagan = SAGAN.from_preset("sagan_digits_16", load_weights=False, **settings)
    with pytest.raises(ValueError, match=f"no attention to show: {reason}"):
        attention_picture(sagan)


def test_a_row_of_a_walk_keeps_its_class():
    sagan, latents = tiny(), draw_latents(8, 8, seed=2)
    walk = interpolate_latents(latents[:4], latents[4:], 10).reshape(40, 8)
    for labels, expected in ((None, [0, 1, 2, 0]), ([2, 1], [2, 1, 2, 1])):
        images = sagan.generate(np.repeat(expected, 10), latents=walk)
        assert walk_picture(sagan, labels, 4, seed=2) == sample_grid(images, columns=10)


@pytest.mark.parametrize("picture", [attention_picture, walk_picture, walk_frames])
def test_labels_are_checked(picture):
    def refuse(sagan, labels, why):
        with pytest.raises(ValueError, match=why):
            list(picture(sagan, labels, 2))

    refuse(tiny(), [0, -1], r"`labels` must be in \[0, 3\). Received: -1")
    refuse(tiny(), [], "`labels` is empty")
    refuse(tiny(num_classes=None), [0], "is unconditional")
    # Each image of an animation passes through all classes.
    if picture is not walk_frames:
        refuse(tiny(), [0, 1, 2], "`num_images` must be at least 3, the number of `labels`")


def test_labels_are_names():
    sagan = tiny()
    sagan.class_names = ("cat", "dog", "bird")
    names, numbers = (walk_picture(sagan, each, 2, seed=2) for each in (["bird", "cat"], [2, 0]))
    assert names == numbers
    names, numbers = (next(walk_frames(sagan, each, 2, seed=2)) for each in (["bird"], [2]))
    assert names == numbers


@pytest.mark.parametrize(
    ("num_classes", "labels", "num_stops", "at_stops"),
    [
        (3, None, 4, [[0, 1]] * 4),
        (3, [0, 1, 2], 6, [[0, 1], [1, 2], [2, 0]] * 2),
        (None, None, 4, [None] * 4),
    ],
)
def test_an_animated_walk_passes_its_latents_and_classes(num_classes, labels, num_stops, at_stops):
    sagan, options = tiny(num_classes), {"truncation": 0.5, "use_ema": False}
    frames = list(walk_frames(sagan, labels, 2, seed=1, **options))
    assert len(frames) == 20 * num_stops
    latents = draw_latents(2 * num_stops, 8, seed=1).reshape(num_stops, 2, 8)
    for frame, stop, classes in zip(frames[::20], latents, at_stops, strict=True):
        expected = sample_grid(sagan.generate(classes, latents=stop, **options))
        # Pixels are rounded.
        assert np.abs(np.subtract(frame, expected, dtype=int)).max() <= 1
    # It moves on all the way, to the first picture as well.
    pixels = np.array(frames, dtype=float)
    changes = np.abs(pixels - np.roll(pixels, 1, axis=0)).mean(axis=(1, 2, 3))
    assert changes.min() > 0 and changes.max() < 10 * np.median(changes)
