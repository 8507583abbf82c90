"""SavedModels that need neither this package nor Keras to run."""

import pathlib
import shutil
import tempfile

import tensorflow as tf

from sagan_tf.export.servable import make_servable
from sagan_tf.export.warmup import write_warmup_requests
from sagan_tf.layers import ConditionalBatchNorm
from sagan_tf.models import fold_spectral_norm, walk_layers


def export_saved_model(sagan, directory, use_ema=True):
    """Writes the generator as `directory/<version>/`, one above the versions that are there.

    For TensorFlow Serving, which may watch the directory meanwhile, and for TensorFlow Hub.
    Spectral norms are folded into the kernels. Each row of a batch is computed independently of
    the others, and a batch may be empty.

    Signatures, all of whose inputs have the batch as their first dimension:

    - `serving_default`: `latents` float32 `(batch, latent_dim)` and `labels` int32 `(batch,)` to
      `images` float32 `(batch, height, width, channels)` in [-1, 1].
    - `generate`: `labels`, `seeds` int32 `(batch,)` and `truncation` float32 `(batch,)` in (0, 1]
      to `images` and `attention_<resolution>`, the maps of `Generator`.
    - `generate_png`: inputs of `generate` to `image_bytes`, a PNG file per row.
    - `attention`: inputs of `serving_default` to `attention_<resolution>`; only with attention.

    The loaded object, a [reusable SavedModel](https://www.tensorflow.org/hub/reusable_saved_models):

    - `model((latents, labels), training=False)`: images. With `training=True`, which needs a row at
      least, batch norm takes, and moves, the statistics as in training.
    - `model.generate(labels, truncation=1.0, seed=0)`: images; row `i` is that of the signature
      for the seed `seed + i`, an int32.
    - `model.attention(latents, labels)`: dict of maps; only with attention.
    - `model.variables`, `model.trainable_variables` (the folded kernels among them) and
      `model.regularization_losses` (none).

    An unconditional model has no `labels`; its `model.generate` takes `num_images` in their place.
    A label, truncation or shape out of range is an error that names the input.

    Args:
        sagan: A `SAGAN`.
        directory: Folder to write into.
        use_ema: bool, whether to export the averaged weights. Defaults to `True`.

    Returns:
        Path of the version's folder.
    """
    generator = fold_spectral_norm(sagan.ema_generator if use_ema else sagan.generator)
    generator.trainable = True  # the average is not, where it comes from
    for layer in walk_layers(generator, ConditionalBatchNorm):
        # A graph is of one replica; the second derivatives of sums over several are not saved.
        layer.synchronized = False
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    root, signatures = make_servable(generator)
    inputs = {
        name: {spec.name: spec for spec in function.input_signature}
        for name, function in signatures.items()
    }
    # A server that watches the folder must never see half a model.
    aside = pathlib.Path(tempfile.mkdtemp(dir=directory, prefix=".writing-"))
    try:
        tf.saved_model.save(root, str(aside / "model"), signatures)
        write_warmup_requests(aside / "model", inputs)
        return _rename_to_next_version(aside / "model", directory)
    finally:
        shutil.rmtree(aside)


def _rename_to_next_version(model, directory):
    while True:
        versions = [int(path.name) for path in directory.iterdir() if path.name.isdecimal()]
        target = directory / str(max(versions, default=0) + 1)
        try:
            return model.rename(target)
        except OSError:
            if not target.exists():
                raise
            # Another process has just taken that number.
