import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from sagan_tf.export.warmup import write_warmup_requests


def requests_in(model):
    """The `PredictRequest`s that a server would read."""
    file = model / "assets.extra" / "tf_serving_warmup_requests"
    for record in tf.data.TFRecordDataset(str(file)):
        yield prediction_log_pb2.PredictionLog.FromString(record.numpy()).predict_log.request


def test_every_signature_is_warmed_up_with_a_request_that_it_answers(path):
    signatures = tf.saved_model.load(str(path)).signatures
    asked = set()
    for request in requests_in(path):
        name = request.model_spec.signature_name
        asked.add(name)
        inputs = {key: tf.make_ndarray(value) for key, value in request.inputs.items()}
        answer = signatures[name](**{key: tf.constant(value) for key, value in inputs.items()})
        assert all(len(value) == 1 for value in answer.values())
    assert asked == set(signatures)


def test_a_request_is_one_row_of_each_input(tmp_path):
    specs = {
        "latents": tf.TensorSpec((None, 5), tf.float32),
        "labels": tf.TensorSpec((None,), tf.int32),
        "truncation": tf.TensorSpec((None,), tf.float32),
    }
    file = write_warmup_requests(tmp_path, {"some": specs})
    assert file == tmp_path / "assets.extra" / "tf_serving_warmup_requests"
    (request,) = requests_in(tmp_path)
    assert request.model_spec.signature_name == "some"
    rows = {key: tf.make_ndarray(value) for key, value in request.inputs.items()}
    for key, expected in (("latents", np.zeros((1, 5))), ("labels", [0]), ("truncation", [1.0])):
        np.testing.assert_array_equal(rows[key], expected)
        assert rows[key].dtype == specs[key].dtype
