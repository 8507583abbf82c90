r"""Asks a TensorFlow Serving server for images.

  python deploy/request.py --port=8501 --labels=3,7 --num_images=40 --output=grid.png
  python deploy/request.py --model_name=cifar10 --labels=cat,dog \
      --labels_file=served/cifar10/1/assets/labels.txt --output=pets.png

It speaks REST; with --grpc it speaks gRPC, and the default port is 8500. The server holds what
experiments/export.py has written; README.md shows how to start one.
"""

import base64
import contextlib
import http.client
import importlib.util
import io
import ipaddress
import json
import pathlib
import queue
import re
import threading
import urllib.error
import urllib.parse
import urllib.request
import warnings

from absl import flags

from experiments import program
from sagan_tf import files
from sagan_tf.labels import check_labels

FLAGS = flags.FLAGS
flags.DEFINE_string("host", "localhost", "Name or address of the server.")
flags.DEFINE_integer("port", None, "Port of the server. Default: 8501, with --grpc 8500.", 1, 65535)
flags.DEFINE_bool("grpc", False, "Whether to speak gRPC instead of REST.")
flags.DEFINE_string("model_name", "digits", "Name of the model on the server.")
flags.DEFINE_integer("version", None, "Version of the model. Default: the newest.", lower_bound=1)
flags.DEFINE_list("labels", None, "Classes, taken in turn. An unconditional model takes none.")
flags.DEFINE_string(
    "labels_file",
    None,
    "File with the names of the classes, one per line, such as the labels.txt of an export: "
    "--labels may be names then.",
)
flags.DEFINE_integer(
    "num_images", None, "How many images. Default: one per label, or 16.", lower_bound=1
)
flags.DEFINE_float("truncation", 1.0, "In (0, 1]: smaller is less varied and more typical.")
flags.DEFINE_integer("seed", 0, "Seed of the first image; each further image has the next one.")
flags.DEFINE_float("timeout", 60.0, "Seconds to wait for the answer.", 0.0, 86400.0)
flags.DEFINE_string("output", None, "PNG file to write.", required=True)

_LARGEST_SIDE = 4096
# What an answer raises that is no JSON, or other than it should be.
_MALFORMED = ValueError, KeyError, TypeError, AttributeError, RecursionError


def main():
    rows = _rows()
    if FLAGS.timeout <= 0:
        raise ValueError(f"--timeout must be more than 0. Received: {FLAGS.timeout}")
    output = pathlib.Path(FLAGS.output).expanduser()
    if output.suffix.lower() != ".png":
        raise ValueError(f"--output must be a .png file. Received: {output}")
    if FLAGS.grpc and importlib.util.find_spec("tensorflow_serving") is None:
        raise ValueError("--grpc needs tensorflow-serving-api: `pip install .[serving]` gets it")
    with contextlib.suppress(ValueError):  # It is a name.
        if ipaddress.ip_address(FLAGS.host).is_loopback:
            program.bypass_proxies(FLAGS.host)
    ask = _ask_grpc if FLAGS.grpc else _ask_rest
    address = f"{FLAGS.host}:{FLAGS.port or (8500 if FLAGS.grpc else 8501)}"
    picture = _grid(ask(address, rows), len(rows), address)
    files.write_picture(output, picture)
    print(output)


def _rows():
    """The inputs of each image, as a dict."""
    labels = FLAGS.labels or []
    if labels and FLAGS.labels_file is not None:
        path = pathlib.Path(FLAGS.labels_file).expanduser()
        names = path.read_text(encoding="utf-8").splitlines()
        labels = list(map(str, check_labels(labels, len(names), names)))
    # Whatever nine digits say fits an int32.
    if FLAGS.labels == [] or not all(re.fullmatch(r"-?\d{1,9}", label) for label in labels):
        raise ValueError(f"--labels must be ints such as 3,7. Received: {FLAGS['labels'].value}")
    count = FLAGS.num_images or len(labels) or 16
    if not -(2**31) <= FLAGS.seed <= 2**31 - count:
        raise ValueError(
            f"--seed must be from {-(2**31)} to {2**31 - count} for {count} images. "
            f"Received: {FLAGS.seed}"
        )
    rows = [{"seeds": FLAGS.seed + i, "truncation": FLAGS.truncation} for i in range(count)]
    for index, row in enumerate(rows):
        if labels:
            row["labels"] = int(labels[index % len(labels)])
    return rows


def _ask_rest(address, rows):
    """PNG files from the REST API (https://www.tensorflow.org/tfx/serving/api_rest)."""
    name = urllib.parse.quote(FLAGS.model_name, safe="")
    version = f"/versions/{FLAGS.version}" if FLAGS.version else ""
    request = urllib.request.Request(
        f"http://{address}/v1/models/{name}{version}:predict",
        json.dumps({"signature_name": "generate_png", "instances": rows}).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        is_refused, body = _in_time(lambda: _read(request, _largest_answer(rows)))
    except (http.client.HTTPException, OSError) as error:
        reason = str(getattr(error, "reason", None) or error) or type(error).__name__
        raise OSError(f"No answer from {address} over REST: {reason}") from error
    if is_refused:
        raise ValueError(f"{address} refused: {body}")
    try:
        # The only output of a signature is not named in the answer.
        return [base64.b64decode(each["b64"]) for each in json.loads(body)["predictions"]]
    except _MALFORMED as error:
        raise ValueError(f"{address} answered with other things than PNG files") from error


def _read(request, limit):
    """Whether the server has refused, and what it says."""
    try:
        with urllib.request.urlopen(request, timeout=FLAGS.timeout) as response:
            body = response.read(limit + 1)
            if response.length and len(body) <= limit:
                raise http.client.IncompleteRead(body, response.length)
    except urllib.error.HTTPError as error:
        try:
            return True, _refusal(json.loads(error.read(limit))["error"])
        except (*_MALFORMED, http.client.HTTPException, OSError):
            return True, f"{error.code} {error.reason}"
    if len(body) > limit:
        raise OSError(f"it is longer than {limit} bytes")
    return False, body


def _in_time(ask):
    """What `ask()` returns; a TimeoutError if that takes longer than --timeout as a whole."""
    answers = queue.SimpleQueue()

    def run():
        try:
            answers.put((ask(), None))
        except Exception as error:
            answers.put((None, error))

    # The time for a socket is that of each read. A server can answer a byte at a time for ever.
    threading.Thread(target=run, daemon=True).start()
    try:
        answer, error = answers.get(timeout=FLAGS.timeout)
    except queue.Empty:
        raise TimeoutError("timed out") from None
    if error is not None:
        raise error
    return answer


def _largest_answer(rows):
    return (len(rows) + 1) * 2**20  # An image of 256x256 in colors has at most 0.2 MiB.


def _refusal(message):
    """The message without the words of TensorFlow around the model's own, if it has some."""
    own = re.search(r"assertion failed: (.+)", str(message))
    return files.one_line(own[1] if own else message)


def _ask_grpc(address, rows):
    """PNG files from the gRPC service."""
    program.start_tensorflow()

    import grpc
    import numpy as np
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    request = predict_pb2.PredictRequest()
    request.model_spec.name = FLAGS.model_name
    request.model_spec.signature_name = "generate_png"
    if FLAGS.version:
        request.model_spec.version.value = FLAGS.version
    for name in rows[0]:
        column = [row[name] for row in rows]
        dtype = np.float32 if name == "truncation" else np.int32
        request.inputs[name].CopyFrom(tf.make_tensor_proto(column, dtype))
    # The default is 4 MiB, which many images exceed.
    options = [("grpc.max_receive_message_length", _largest_answer(rows))]
    with grpc.insecure_channel(address, options) as channel:
        service = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        try:
            answer = service.Predict(request, timeout=FLAGS.timeout)
        except grpc.RpcError as error:
            code = grpc.StatusCode
            silent = error.code() in (code.UNAVAILABLE, code.DEADLINE_EXCEEDED, code.CANCELLED)
            what = f"No answer from {address} over gRPC" if silent else f"{address} refused"
            raise OSError(f"{what}: {_refusal(error.details())}") from error
    # Not `make_ndarray`: a proto of a few bytes can ask for an array that fills the memory.
    return list(answer.outputs["image_bytes"].string_val)


def _grid(answers, count, address):
    import numpy as np
    from PIL import Image

    from sagan_tf import images, visualization

    if len(answers) != count:
        raise ValueError(f"{address} answered with {len(answers)} images. Asked for: {count}")
    pictures = []
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    for answer in answers:
        try:
            picture = Image.open(io.BytesIO(answer), formats=["PNG"])
            if picture.mode not in ("L", "RGB") or max(picture.size) > _LARGEST_SIDE:
                raise ValueError(f"{picture.mode} {picture.size}")
            pictures.append(np.atleast_3d(picture))
        except Exception as error:  # Broken bytes raise anything from SyntaxError to struct.error.
            raise ValueError(f"{address} answered with other things than PNG files") from error
    if len({picture.shape for picture in pictures}) > 1:
        raise ValueError(f"{address} answered with images of several sizes")
    floats = images.from_uint8(np.stack(pictures))
    labels = FLAGS.labels if FLAGS.labels and len(FLAGS.labels) <= 16 else None
    return visualization.sample_grid(floats, column_labels=labels)


if __name__ == "__main__":
    program.run(main)
