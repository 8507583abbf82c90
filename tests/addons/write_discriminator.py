"""Trains a small discriminator with tensorflow-addons and writes what `load_addons_weights` reads.

.venv-addons/bin/python tests/addons/write_discriminator.py DIRECTORY
"""

import pathlib
import sys

import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa
from tensorflow.keras import layers

normalized = tfa.layers.SpectralNormalization


def make_discriminator():
    images = tf.keras.Input((8, 8, 1))
    labels = tf.keras.Input((), dtype="int32")
    x = normalized(layers.Conv2D(4, 3, strides=2, padding="same"), name="conv_1")(images)
    x = layers.LeakyReLU(0.1)(x)
    x = normalized(layers.Conv2D(6, 3, strides=2, use_bias=False), name="conv_2")(x)
    x = layers.Flatten()(x)
    x = normalized(layers.Dense(8), name="features", power_iterations=2)(x)
    by_class = normalized(layers.Embedding(3, 8), name="embedding")(labels)
    projection = layers.Dot(axes=1)([x, by_class])
    logits = layers.Dense(1, name="logits")(x)
    return tf.keras.Model([images, labels], layers.Add()([logits, projection]))


def main(directory):
    directory.mkdir(parents=True, exist_ok=True)
    tf.keras.utils.set_random_seed(7)
    model = make_discriminator()
    images = tf.random.normal((6, 8, 8, 1))
    labels = tf.constant([0, 1, 2, 0, 1, 2])
    signs = tf.constant([[1.0], [1.0], [1.0], [-1.0], [-1.0], [-1.0]])
    model.compile(tf.keras.optimizers.Adam(0.01), loss="hinge")
    model.fit([images, labels], signs, batch_size=6, epochs=10, verbose=0)
    model.save_weights(directory / "weights.h5")
    model.save(directory / "model.h5")
    np.savez(
        directory / "outputs.npz",
        images=images,
        labels=labels,
        # First: with training=True each call changes the kernels.
        inference=model([images, labels], training=False),
        first=model([images, labels], training=True),
        second=model([images, labels], training=True),
    )


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
