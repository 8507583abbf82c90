import pathlib

import keras
import numpy as np
import pytest
from keras import ops

from sagan_tf.models import Generator
from sagan_tf.models.architecture import ARCHITECTURES
from tests.layer_checks import built, check_layer

GOLDEN = pathlib.Path(__file__).parents[1] / "golden" / "generator_16.txt"
SMALL = {"image_size": 16, "num_classes": 3, "base_channels": 2, "latent_dim": 5}
LATENTS = np.random.default_rng(21).standard_normal((3, 128)).astype("float32")
LABELS = np.array([2, 0, 1], "int32")


def small(**arguments):
    return built(lambda: Generator(**{**SMALL, **arguments}), None)


def test_network(tmp_path):
    check_layer(
        lambda: Generator(**SMALL, channels=1, attention_resolutions=(8, 16)),
        (LATENTS[:, :5], LABELS),
        tmp_path,
        parameters=5147,
        state=359,
        mixed_output="float32",
    )


def test_default_is_the_published_network():
    assert Generator().count_params() - 0 == 42_078_852


def test_weights_are_frozen():
    """A change of names, shapes or order breaks every checkpoint and preset."""
    lines = [
        f"{weight.path} {tuple(weight.shape)} {'trainable' if weight.trainable else 'state'}"
        for weight in Generator(**SMALL).weights
    ]
    assert lines == GOLDEN.read_text().splitlines()
