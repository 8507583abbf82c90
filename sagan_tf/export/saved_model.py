"""SavedModels that need neither this package nor Keras to run."""

import pathlib
import shutil
import tempfile

import keras
import tensorflow as tf

from sagan_tf.models import fold_spectral_norm


def export_saved_model(sagan, directory, use_ema=True):
    """Writes the generator as `directory/<version>/`, one above the versions that are there.

    Spectral norms are folded into the kernels. Each row of a batch is computed independently of
    the others, and a batch may be empty. Signatures, for a conditional model (an unconditional one
    has no `labels`):

    - `serving_default`: `latents` float32 `(batch, latent_dim)` and `labels` int32 `(batch,)` to
      `images` float32 `(batch, height, width, channels)` in [-1, 1].
    - `generate`: `labels`, `seeds` int32 `(batch,)` and `truncation` float32 `(batch,)` in (0, 1]
      to `images` and `attention_<resolution>`, the maps of `Generator`.

    A label or truncation out of range is an `InvalidArgumentError` that names the input.

    Args:
        sagan: A `SAGAN`.
        directory: Folder to write into.
        use_ema: bool, whether to export the averaged weights. Defaults to `True`.

    Returns:
        Path of the version's folder.
    """
    generator = fold_spectral_norm(sagan.ema_generator if use_ema else sagan.generator)
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    versions = [int(path.name) for path in directory.iterdir() if path.name.isdecimal()]
    target = directory / str(max(versions, default=0) + 1)

    # A server that watches the folder must never see half a model.
    aside = pathlib.Path(tempfile.mkdtemp(dir=directory, prefix=".writing-"))
    try:
        _archive(generator).write_out(str(aside / "model"), verbose=False)
        (aside / "model").rename(target)
    finally:
        shutil.rmtree(aside)
    return target


def _archive(generator):
    latents = tf.TensorSpec((None, generator.latent_dim), tf.float32, name="latents")
    seeds = tf.TensorSpec((None,), tf.int32, name="seeds")
    truncation = tf.TensorSpec((None,), tf.float32, name="truncation")
    labels = [tf.TensorSpec((None,), tf.int32, name="labels")]
    if generator.num_classes is None:
        labels = []

    def serve(latents, labels=None):
        images, _ = _run(generator, latents, labels)
        return {"images": images}

    def generate(seeds, truncation, labels=None):
        return _generate(generator, seeds, truncation, labels)

    archive = keras.export.ExportArchive()
    archive.track(generator)
    archive.add_endpoint("serving_default", serve, input_signature=[latents, *labels])
    archive.add_endpoint("generate", generate, input_signature=[seeds, truncation, *labels])
    return archive


def _generate(generator, seeds, truncation, labels):
    _check_same_batch(seeds=seeds, truncation=truncation, labels=labels)
    in_range = tf.reduce_all((truncation > 0) & (truncation <= 1))
    tf.debugging.Assert(in_range, ["truncation must be in (0, 1]. Received:", truncation])
    # One draw per row: what a row gives must not depend on who shares its batch.
    latents = tf.map_fn(
        lambda seed: tf.random.stateless_normal(
            (generator.latent_dim,), seed=tf.stack([seed, 0]), alg="philox"
        ),
        seeds,
        fn_output_signature=tf.TensorSpec((generator.latent_dim,), tf.float32),
    )
    images, maps = _run(generator, latents * truncation[:, None], labels)
    return {"images": images, **maps}


def _run(generator, latents, labels):
    if labels is None:
        labels = tf.zeros(tf.shape(latents)[:1], tf.int32)
    else:
        labels = _checked_labels(labels, latents, generator.num_classes)
    # TensorFlow's convolutions of an empty batch have the wrong shape: add a row, cut it off.
    batch = tf.shape(latents)[0]
    padding = tf.cast(tf.equal(batch, 0), tf.int32)
    latents = tf.pad(latents, [[0, padding], [0, 0]])
    labels = tf.pad(labels, [[0, padding]])
    images, maps = generator((latents, labels), training=False, return_attention=True)
    return images[:batch], {key: value[:batch] for key, value in maps.items()}


def _checked_labels(labels, latents, num_classes):
    _check_same_batch(latents=latents, labels=labels)
    in_range = tf.reduce_all((labels >= 0) & (labels < num_classes))
    check = tf.debugging.Assert(
        in_range, [f"labels must be in [0, {num_classes}). Received:", labels], summarize=8
    )
    # Or the look-up of the class would fail first, with a message that names no input.
    with tf.control_dependencies([check]):
        return tf.identity(labels)


def _check_same_batch(**inputs):
    (first, reference), *others = inputs.items()
    for name, tensor in others:
        if tensor is not None:
            tf.debugging.assert_equal(
                tf.shape(tensor)[0],
                tf.shape(reference)[0],
                message=f"{name} and {first} must have the same number of rows",
            )
