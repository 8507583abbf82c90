"""Requests that a server runs before it takes those of users."""

import tensorflow as tf


def write_warmup_requests(model_directory, concrete_signatures):
    """Writes one request of a single row per signature into a SavedModel.

    TensorFlow Serving runs them when it loads a version, so that no user waits for the first call.

    Args:
        model_directory: `pathlib.Path` of the SavedModel.
        concrete_signatures: Dict from names to the signatures' `TensorSpec`s by input name.

    Returns:
        Path of the file.

    Reference:
        https://www.tensorflow.org/tfx/serving/saved_model_warmup
    """
    from tensorflow_serving.apis import prediction_log_pb2

    path = model_directory / "assets.extra" / "tf_serving_warmup_requests"
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name, specs in concrete_signatures.items():
            log = prediction_log_pb2.PredictionLog()
            request = log.predict_log.request
            request.model_spec.signature_name = name
            for key, spec in specs.items():
                row = tf.ones([size or 1 for size in spec.shape], spec.dtype)
                # Zero is a class; one is a truncation.
                value = row if key == "truncation" else tf.zeros_like(row)
                request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
            writer.write(log.SerializeToString())
    return path
