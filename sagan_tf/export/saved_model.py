"""SavedModels that need neither this package nor Keras to run."""

import pathlib
import tempfile

import tensorflow as tf
from absl import logging

from sagan_tf.export.servable import make_servable
from sagan_tf.files import ASIDE
from sagan_tf.layers import ConditionalBatchNorm
from sagan_tf.models import fold_spectral_norm, walk_layers

try:
    from tensorflow_serving.apis import prediction_log_pb2
except ImportError:
    prediction_log_pb2 = None


def export_saved_model(sagan, directory, use_ema=True):
    """Writes the generator as `directory/<version>/`, one above the versions that are there.

    TensorFlow Serving, which may watch the directory meanwhile, and TensorFlow Hub load it.
    Spectral norms are folded into the kernels. Each row of a batch is computed independently of
    the others, and a batch may be empty. All inputs of the signatures have the batch first:

    - `serving_default` maps `latents` float32 `(batch, latent_dim)` and `labels` int32 `(batch,)`
      to `images` float32 `(batch, height, width, channels)` in [-1, 1].
    - `generate` maps `labels`, `seeds` int32 `(batch,)` and `truncation` float32 `(batch,)` in
      (0, 1] to `images`.
    - `generate_png` maps inputs of `generate` to `image_bytes`, a PNG file per row.
    - `attention`, if there is any, maps inputs of `serving_default` to `attention_<resolution>`,
      the maps of `Generator`; `generate_attention` maps inputs of `generate` to them.

    The loaded object is a
    [reusable SavedModel](https://www.tensorflow.org/hub/reusable_saved_models):

    - `model((latents, labels), training=False)` gives images. With `training=True`, which needs at
      least one row, batch norm uses and updates its statistics as in training.
    - `model.generate(labels, truncation=1.0, seed=0)` gives images; row `i` is that of the
      signature for the seed `seed + i`, an int32.
    - `model.attention(latents, labels)`, if there is any attention, gives a dict of maps.
    - `model.variables`, `model.trainable_variables` (the folded kernels too) and
      `model.regularization_losses` (none) hold what fine-tuning needs.

    An unconditional model has no `labels`; its `model.generate` takes `num_images` in their place.
    Names of the classes, where they are known, are in `assets/labels.txt`, one per line;
    `model.labels.asset_path` is its path. A label, truncation or shape out of range is an error
    that names the input.

    Args:
        sagan: a `SAGAN`.
        directory: str or path of the folder that holds the versions.
        use_ema: bool, whether to export the averaged weights. Defaults to `True`.

    Returns:
        Path of the version's folder.
    """
    generator = fold_spectral_norm(sagan.ema_generator if use_ema else sagan.generator)
    # The EMA generator is frozen; its export must be trainable so that it can be fine-tuned.
    generator.trainable = True
    for layer in walk_layers(generator, ConditionalBatchNorm):
        # A graph has one replica, and second derivatives of sums over several cannot be saved.
        layer.synchronized = False
    directory = pathlib.Path(directory).expanduser()
    directory.mkdir(parents=True, exist_ok=True)
    root, signatures = make_servable(generator)
    # A server that watches the folder must never see half a model.
    with tempfile.TemporaryDirectory(dir=directory, prefix=ASIDE) as aside:
        model = pathlib.Path(aside, "model")
        if sagan.class_names:
            names = pathlib.Path(aside, "labels.txt")
            lines = [" ".join(name.split()) for name in sagan.class_names]
            names.write_text("\n".join([*lines, ""]), encoding="utf-8")
            root.labels = tf.saved_model.Asset(str(names))
        tf.saved_model.save(root, str(model), signatures)
        if prediction_log_pb2 is None:
            logging.warning(
                "The model gets no warm-up requests for TensorFlow Serving, which "
                "tensorflow-serving-api writes: `pip install .[serving]` gets it"
            )
        else:
            write_warmup_requests(model, signatures)
        return _rename_to_next_version(model, directory)


def write_warmup_requests(model, signatures):
    """Writes a request of one row per signature into a SavedModel.

    TensorFlow Serving runs them before it serves a version, so that no user waits for the first
    call: https://www.tensorflow.org/tfx/serving/saved_model_warmup
    """
    path = model / "assets.extra" / "tf_serving_warmup_requests"
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name, function in signatures.items():
            log = prediction_log_pb2.PredictionLog()
            request = log.predict_log.request
            request.model_spec.signature_name = name
            for spec in function.input_signature:
                # Zero is a valid label, seed and latent, but no valid truncation.
                fill = tf.ones if spec.name == "truncation" else tf.zeros
                row = fill([size or 1 for size in spec.shape], spec.dtype)
                request.inputs[spec.name].CopyFrom(tf.make_tensor_proto(row))
            writer.write(log.SerializeToString())


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
