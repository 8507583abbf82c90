"""A SAGAN small enough to train in a test, and images for it."""

import keras
import numpy as np
import tensorflow as tf

from sagan_tf import SAGAN, Discriminator, Generator

BATCH = 8


def make(optimizer="sgd", discriminator_steps=1, seed=0, base_channels=4, **compile_options):
    """A compiled model. SGD shows a wrong scale of the gradients, which Adam hides."""
    keras.utils.set_random_seed(0)
    sagan = SAGAN(
        Generator(16, 1, 3, base_channels=base_channels, latent_dim=8),
        Discriminator(16, 1, 3, base_channels=base_channels),
        ema_decay=0.5,
        discriminator_steps=discriminator_steps,
        seed=seed,
    )
    for gate in sagan.gates.values():
        gate.assign(0.5)
    if optimizer == "sgd":
        optimizers = [keras.optimizers.SGD(rate) for rate in (1e-3, 4e-3)]
    else:  # That of the paper.
        optimizers = [keras.optimizers.Adam(rate, 0.0, 0.9) for rate in (1e-4, 4e-4)]
    sagan.compile(*optimizers, **compile_options)
    return sagan


def images(discriminator_steps=1, start=0):
    """Random images and labels for ever, from the step `start` on."""
    shape = (discriminator_steps * BATCH, 16, 16, 1)

    def make_batch(step):
        seed = tf.stack([step, 0])
        return (
            tf.random.stateless_uniform(shape, seed, -1.0, 1.0),
            tf.random.stateless_uniform(shape[:1], seed, 0, 3, tf.int32),
        )

    return tf.data.Dataset.counter(start).map(make_batch)


def variables(sagan):
    """Dict from names to arrays: all that training changes."""
    parts = {
        "generator": sagan.generator.weights,
        "discriminator": sagan.discriminator.weights,
        "ema_generator": sagan.ema_generator.weights,
        "generator_optimizer": sagan.generator_optimizer.variables,
        "discriminator_optimizer": sagan.discriminator_optimizer.variables,
    }
    return {
        f"{part} {index} {tuple(variable.shape)}": keras.ops.convert_to_numpy(variable)
        for part, each in parts.items()
        for index, variable in enumerate(each)
    }


def assert_same(ours, theirs, **tolerance):
    """Compares what `variables` gives: bit by bit, or with `atol`."""
    for name, expected in theirs.items():
        if tolerance:
            np.testing.assert_allclose(ours[name], expected, err_msg=name, **tolerance)
        else:
            np.testing.assert_array_equal(ours[name], expected, err_msg=name)


def fit(sagan, steps, *callbacks):
    """`Model.fit` from step 0, with some callbacks."""
    sagan.generator_optimizer.iterations.assign(0)
    images = np.random.default_rng(0).uniform(-1, 1, (4, 16, 16, 1)).astype("float32")
    dataset = tf.data.Dataset.from_tensors((images, np.array([0, 1, 2, 0], "int32"))).repeat()
    sagan.fit(dataset, steps_per_epoch=steps, verbose=0, shuffle=False, callbacks=list(callbacks))
