import pytest

from sagan_tf import SAGAN, Discriminator, Generator
from sagan_tf.visualization import attention_overlay, attention_picture, class_grid, sample_grid
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
