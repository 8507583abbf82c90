"""A SAGAN small enough to make and to train in every test, and images for it."""

import keras
import numpy as np
import tensorflow as tf

from sagan_tf import SAGAN, Discriminator, Generator

BATCH = 8


def tiny(num_classes=3, base_channels=4, attention_resolutions=None, **kwargs):
    """A `SAGAN` for 16x16 gray images, whose average differs from its generator."""
    keras.utils.set_random_seed(0)
    sagan = SAGAN(
        Generator(16, 1, num_classes, base_channels, 8, attention_resolutions),
        Discriminator(16, 1, num_classes, base_channels, attention_resolutions),
        **kwargs,
    )
    rng = np.random.default_rng(0)
    for weight in sagan.ema_generator.weights:
        weight.assign(weight + 0.01 * np.abs(rng.standard_normal(weight.shape)))
    return sagan


def compiled(optimizer="sgd", discriminator_steps=1, seed=0, base_channels=4, **options):
    """A compiled model with open gates; `options` are those of `compile`.

    SGD shows a wrong scale of the gradients, which Adam hides.
    """
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
    sagan.compile(*optimizers, **options)
    return sagan


def batches(discriminator_steps=1, start=0):
    """Random images and labels for ever, from the step `start` on."""
    shape = (discriminator_steps * BATCH, 16, 16, 1)

    def make_batch(step):
        seed = tf.stack([step, 0])
        return (
            tf.random.stateless_uniform(shape, seed, -1.0, 1.0),
            tf.random.stateless_uniform(shape[:1], seed, 0, 3, tf.int32),
        )

    return tf.data.Dataset.counter(start).map(make_batch)


def fit(sagan, steps, *callbacks):
    """`Model.fit` from step 0, with some callbacks."""
    sagan.generator_optimizer.iterations.assign(0)
    sagan.fit(batches(), steps_per_epoch=steps, verbose=0, shuffle=False, callbacks=callbacks)


def replay(callback, sagan, start, seen, end=10, logs=None):
    """Shows a callback the steps `seen` of a training from `start` to `end`, which does nothing.

    `logs` is a function from a step to the metrics there. Without, all are 1.
    """
    callback.set_model(sagan)
    callback.set_params({"epochs": 1, "steps": end - start})
    sagan.generator_optimizer.iterations.assign(start)
    callback.on_train_begin()
    shown = {metric.name: 1.0 for metric in sagan.metrics}
    for step in seen:
        sagan.generator_optimizer.iterations.assign(step)
        shown = logs(step) if logs else shown
        callback.on_train_batch_end(step - 1, shown)
    callback.on_train_end(shown)


def variables(sagan):
    """Dict from names to arrays: all that training changes."""
    parts = {
        "generator": sagan.generator.weights,
        "discriminator": sagan.discriminator.weights,
        "ema_generator": sagan.ema_generator.weights,
        "generator_optimizer": sagan.generator_optimizer.variables,
        "discriminator_optimizer": sagan.discriminator_optimizer.variables,
    }
    if sagan.augmentation_probability is not None:
        parts["augmentation_probability"] = sagan.augmentation_probability.weights
    return {
        f"{part} {index} {tuple(variable.shape)}": keras.ops.convert_to_numpy(variable)
        for part, each in parts.items()
        for index, variable in enumerate(each)
    }


def assert_same(ours, theirs, **tolerance):
    """Compares dicts of arrays: bit by bit, or with `atol`."""
    assert ours.keys() == theirs.keys()
    for name, expected in theirs.items():
        if tolerance:
            np.testing.assert_allclose(ours[name], expected, err_msg=name, **tolerance)
        else:
            np.testing.assert_array_equal(ours[name], expected, err_msg=name)


def contents(directory):
    """Dict from the paths of all files in a folder, however deep, to their bytes."""
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}
