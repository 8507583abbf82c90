"""Models for LiteRT (TensorFlow Lite), which runs on phones."""

import pathlib

import tensorflow as tf

from sagan_tf.export.servable import with_labels
from sagan_tf.files import replacing
from sagan_tf.models import fold_spectral_norm

PRECISIONS = ("float32", "float16", "int8")


def export_lite(sagan, path, precision="float32", use_ema=True):
    """Writes the generator as a `.tflite` file that needs LiteRT's built-in operations only.

    Spectral norms are folded into the kernels. Its one signature, `serving_default`, maps
    `latents` float32 `(batch, latent_dim)` and `labels` int32 `(batch,)` (an unconditional model
    has none) to `images` float32 `(batch, height, width, channels)` in [-1, 1]. Resize the inputs
    for another batch than 1. Labels out of range are errors of the interpreter, and so are inputs
    of other shapes.

    Args:
        sagan: a `SAGAN`.
        path: str or path of the file; an old one is replaced when the new one is complete.
        precision: str, how weights are stored. `"float16"` takes half the space; interpreters
            without float16 arithmetic turn it back into float32. `"int8"` takes a quarter; large
            layers then compute in integers, with ranges found at run time. Defaults to
            `"float32"`.
        use_ema: bool, whether to export the averaged weights. Defaults to `True`.

    Returns:
        The path. A folder there, or another precision, is a ValueError.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"`precision` must be one of {PRECISIONS}. Received: {precision=}")
    path = pathlib.Path(path).expanduser()
    if path.is_dir():
        raise ValueError(f"`path` must be that of a file. Received a folder: {path}")
    # LiteRT has no bfloat16.
    generator = fold_spectral_norm(sagan.ema_generator if use_ema else sagan.generator, "float32")
    latents = tf.TensorSpec((None, generator.latent_dim), tf.float32, name="latents")

    def images(latents, labels):
        latents, labels = _checked(latents, labels, generator)
        return {"images": generator((latents, labels), training=False)}

    root = tf.train.Checkpoint(variables=[weight.value for weight in generator.weights])
    with replacing(path) as new:
        # The file gets a signature only if it is converted from a SavedModel.
        saved_model = f"{new}.saved_model"
        signatures = {"serving_default": with_labels(generator, images, latents)}
        tf.saved_model.save(root, saved_model, signatures)
        converter = tf.lite.TFLiteConverter.from_saved_model(saved_model)
        if precision != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if precision == "float16":
            converter.target_spec.supported_types = [tf.float16]
        new.write_bytes(converter.convert())
    return path


def _checked(latents, labels, generator):
    """The same inputs; others are errors of the interpreter, which knows no assertions.

    It would broadcast rows, reshape latents, and count negative labels from the last class. What it
    joins must have the same shape, and labels beyond the last class are errors.
    """
    size = generator.latent_dim
    latents = tf.concat([latents, tf.zeros((1, size))], axis=0)[:-1]
    labels = tf.concat([labels, [0]], axis=0)[:-1]
    if generator.num_classes is None:
        return latents, labels
    column = tf.cast(labels, tf.float32)[:, None]
    latents = tf.concat([latents, column], axis=1)[:, :size]
    return latents, tf.where(labels < 0, generator.num_classes, labels)
