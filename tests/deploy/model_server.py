"""A stand-in for TensorFlow Serving, whose binary no package registry has.

It answers the official protos over gRPC, and over HTTP what the documentation of the REST API says
(https://www.tensorflow.org/tfx/serving/api_rest), with a real SavedModel behind both.
"""

import base64
import concurrent.futures
import contextlib
import http.server
import json
import re
import threading

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc


@contextlib.contextmanager
def serving(path, name="digits"):
    """Serves a SavedModel on free ports of this machine: `(rest_port, grpc_port)`."""
    model = tf.saved_model.load(str(path))
    rest = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _rest_handler(model, name))
    threading.Thread(target=rest.serve_forever, daemon=True).start()
    service = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        _PredictionService(model, name), service
    )
    port = service.add_insecure_port("127.0.0.1:0")
    service.start()
    try:
        yield rest.server_port, port
    finally:
        rest.shutdown()
        rest.server_close()
        service.stop(None)


class _PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, model, name):
        self._model, self._name = model, name

    def Predict(self, request, context):
        if request.model_spec.name != self._name:
            context.abort(grpc.StatusCode.NOT_FOUND, "Servable not found for request")
        signature = self._model.signatures[request.model_spec.signature_name]
        inputs = {key: tf.constant(tf.make_ndarray(value)) for key, value in request.inputs.items()}
        try:
            outputs = signature(**inputs)
        except tf.errors.InvalidArgumentError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, error.message)
        response = predict_pb2.PredictResponse(model_spec=request.model_spec)
        for key, value in outputs.items():
            response.outputs[key].CopyFrom(tf.make_tensor_proto(value.numpy()))
        return response


def _rest_handler(model, name):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if not re.fullmatch(rf"/v1/models/{name}(/versions/\d+)?:predict", self.path):
                self._answer(404, {"error": f"Servable not found for request: {self.path}"})
                return
            signature = model.signatures[body.get("signature_name", "serving_default")]
            _, specs = signature.structured_input_signature
            # Row format: a list of dicts, one per row, each with every input by name.
            inputs = {
                key: tf.constant([row[key] for row in body["instances"]], spec.dtype)
                for key, spec in specs.items()
            }
            try:
                outputs = {key: value.numpy() for key, value in signature(**inputs).items()}
            except tf.errors.InvalidArgumentError as error:
                self._answer(400, {"error": error.message})
                return
            rows = [
                {key: _as_json(key, value[index]) for key, value in outputs.items()}
                for index in range(len(body["instances"]))
            ]
            if len(outputs) == 1:
                rows = [value for row in rows for value in row.values()]
            self._answer(200, {"predictions": rows})

        def _answer(self, status, content):
            encoded = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(encoded)))
            self.end_headers()
            self.wfile.write(encoded)

        def log_message(self, *_):
            pass

    return Handler


def _as_json(key, value):
    # Outputs that are named *_bytes hold binary strings.
    if key.endswith("_bytes"):
        return {"b64": base64.b64encode(value).decode()}
    return np.asarray(value).tolist()
