"""Writes the images that SavedModels must give in the environment of tensorflow-addons.

.venv/bin/python tests/addons/write_images.py DIRECTORY

expects `DIRECTORY/digits/1`, which `experiments/export.py` wrote, and exports an unconditional
model and one in color beside it.
"""

import pathlib
import sys

import keras
import numpy as np
import tensorflow as tf

from sagan_tf import SAGAN, Discriminator, Generator
from sagan_tf.export import export_saved_model
from sagan_tf.models import draw_latents
from sagan_tf.models.sampling import run_generator


def main(directory):
    keras.utils.set_random_seed(0)
    others = {
        "unconditional": _untrained(16, 1, None),
        "color": _untrained(32, 3, 4),
    }
    for name, sagan in others.items():
        export_saved_model(sagan, directory / name)
    for name, sagan in {"digits": SAGAN.from_preset("sagan_digits_16"), **others}.items():
        _write(sagan.ema_generator, directory / name)


def _untrained(image_size, channels, num_classes):
    size = {"num_classes": num_classes, "base_channels": 4}
    sagan = SAGAN(
        Generator(image_size, channels, latent_dim=8, **size),
        Discriminator(image_size, channels, **size),
    )
    rng = np.random.default_rng(0)
    for weight in sagan.ema_generator.weights:  # Initial gates of attention would be 0.
        weight.assign(weight + 0.01 * np.abs(rng.standard_normal(weight.shape)))
    return sagan


def _write(generator, folder):
    inputs = {"latents": draw_latents(4, generator.latent_dim, seed=0)}
    drawn = {"seeds": np.arange(5, 9, dtype="int32"), "truncation": np.full(4, 0.7, "float32")}
    labels = {}
    if generator.num_classes is not None:
        labels["labels"] = np.arange(4, dtype="int32")
    images = run_generator(generator, inputs["latents"], labels.get("labels", np.zeros(4, "int32")))
    # Those are the network's. What a seed gives is the SavedModel's own: it must be the same there.
    signatures = tf.saved_model.load(str(folder / "1")).signatures
    asked = {key: tf.constant(value) for key, value in {**drawn, **labels}.items()}
    generated = {}
    for name in {"generate", "generate_attention"} & set(signatures):
        generated |= signatures[name](**asked)
    np.savez(
        folder / "images.npz",
        **inputs,
        **drawn,
        **labels,
        images=images,
        **{f"generated_{key}": value for key, value in generated.items()},
    )


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
