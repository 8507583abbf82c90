"""Requests that a server runs before it takes those of users."""

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2


def write_warmup_requests(model_directory, signatures):
    """Writes one request of a single row per signature into a SavedModel.

    TensorFlow Serving runs them when it loads a version, so that no user waits for the first call.

    Args:
        model_directory: `pathlib.Path` of the SavedModel.
        signatures: dict from names to `tf.function`s with an input signature.

    Reference:
        https://www.tensorflow.org/tfx/serving/saved_model_warmup
    """
    path = model_directory / "assets.extra" / "tf_serving_warmup_requests"
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
