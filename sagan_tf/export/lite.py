"""Models for LiteRT (TensorFlow Lite), which runs on phones."""

import pathlib
import tempfile

import tensorflow as tf

from sagan_tf.models import fold_spectral_norm

PRECISIONS = ("float32", "float16", "int8")


def export_lite(sagan, path, precision="float32", use_ema=True):
    """Writes the generator as a `.tflite` file that needs LiteRT's built-in operations only.

    Spectral norms are folded into the kernels. Its one signature, `serving_default`, takes
    `latents` float32 `(batch, latent_dim)` and `labels` int32 `(batch,)` (an unconditional model
    has none) to `images` float32 `(batch, height, width, channels)` in [-1, 1]. Resize the inputs
    for another batch than 1. Labels out of range are errors of the interpreter, but for those from
    `-num_classes` to -1, which count from the last class.

    Args:
        sagan: A `SAGAN`.
        path: File to write; one that exists is replaced when the new one is complete.
        precision: How weights are stored: `"float32"`; `"float16"`, half as large, which
            interpreters without float16 arithmetic turn back into float32; or `"int8"`, a quarter
            as large, where also the arithmetic of large layers is that of integers, with ranges
            found at run time. Defaults to `"float32"`.
        use_ema: bool, whether to export the averaged weights. Defaults to `True`.

    Returns:
        The path.

    Raises:
        ValueError: if `precision` is not one of those, or `path` is a folder.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"`precision` must be one of {PRECISIONS}. Received: {precision=}")
    path = pathlib.Path(path)
    if path.is_dir():
        raise ValueError(f"`path` must be that of a file. Received a folder: {path}")
    # LiteRT has no bfloat16.
    generator = fold_spectral_norm(sagan.ema_generator if use_ema else sagan.generator, "float32")
    latents = tf.TensorSpec((None, generator.latent_dim), tf.float32, name="latents")
    labels = tf.TensorSpec((None,), tf.int32, name="labels")

    def images(latents, labels=None):
        return {"images": generator((latents, labels), training=False)}

    specs = [latents] if generator.num_classes is None else [latents, labels]
    function = tf.function(images, input_signature=specs)
    root = tf.train.Checkpoint(variables=[weight.value for weight in generator.weights])
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".writing-") as aside:
        # Only by way of a SavedModel does the file get a signature.
        tf.saved_model.save(root, aside, {"serving_default": function})
        converter = tf.lite.TFLiteConverter.from_saved_model(aside)
        if precision != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if precision == "float16":
            converter.target_spec.supported_types = [tf.float16]
        complete = pathlib.Path(aside) / "model.tflite"
        complete.write_bytes(converter.convert())
        complete.replace(path)
    return path
