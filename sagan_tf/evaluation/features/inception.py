"""The Inception network of 2015 that published scores refer to."""

import gzip
import http.client
import pathlib
import shutil
import tarfile
import urllib.request
import zlib

import numpy as np
import tensorflow as tf
from absl import logging

from sagan_tf.evaluation.features.features import Features, cache_directory
from sagan_tf.files import digest, one_line, replacing

URL = "https://download.tensorflow.org/models/frozen_inception_v1_2015_12_05.tar.gz"
GRAPH_FILE = "inceptionv1_for_inception_score.pb"
_INPUT, _POOL, _LOGITS = "Mul", "pool_3", "logits"
_SIZE = 299
_ARCHIVES = (".tar.gz", ".tgz")
_VERSION = "inception 1"  # It stands for how images are resized and scaled.


class Inception(Features):
    """The frozen Inception graph of 5 December 2015, as it was published for TF-GAN.

    Inception score and FID in the literature, that of SAGAN included, refer to this network. In the
    published graph the features are the 2,048 of `pool_3`, and `logits` has 1,008 classes.

    Images are resized to 299x299 as TensorFlow 1 did it: bilinear, not antialiased, pixel `i` taken
    from `i * size / 299`. (`tf.image.resize` of TensorFlow 2 adds half a pixel; scores differ.) The
    pixels become `(x - 128) / 128`. Gray images get three equal channels.

    Args:
        path: The graph (`.pb`), the published archive (`.tar.gz`, `.tgz`) or a folder that holds
            one of them. Nothing is fetched.

    Raises:
        FileNotFoundError: if there is no such file, or none in the folder.
        ValueError: if it is not such a graph.

    References:
        - Szegedy et al., 2015, https://arxiv.org/abs/1512.00567
        - Names, resizing and scale: tensorflow/gan,
          `tensorflow_gan/python/eval/classifier_metrics.py` (2019), and tensorflow 1.x,
          `contrib/gan/python/eval/python/classifier_metrics_impl.py`.
        - Sizes: brain-research/self-attention-gan, `eval_imagenet.py`.
    """

    batch_size = 32

    def __init__(self, path):
        file, content = _read_graph(pathlib.Path(path).expanduser())
        self._path = path
        self._graph = _load_graph(path, content)
        features, probabilities = self._run(np.zeros((1, 1, 1, 3), np.uint8))
        super().__init__(
            "inception",
            dimension=features.shape[1],
            num_classes=probabilities.shape[1],
            fingerprint=digest(_VERSION, content)[:16],
            input_size=_SIZE,
            resizer="bilinear, as in TensorFlow 1",
            file=file,
        )

    @classmethod
    def download(cls, directory=None):
        """Fetches the published archive, unless it is there, and returns its path.

        Args:
            directory: Folder to keep it in. Defaults to `None`, `~/.cache/sagan_tf`.

        Raises:
            OSError: if it cannot be fetched or written, or what came is no such archive.
        """
        target = cache_directory(directory) / URL.rpartition("/")[2]
        if target.exists():
            return target
        logging.info("Fetching %s to %s", URL, target)
        try:
            with replacing(target) as archive:
                with urllib.request.urlopen(URL, timeout=60) as reply, archive.open("wb") as file:
                    shutil.copyfileobj(reply, file)
                _read_archive(archive)
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise OSError(
                f"Cannot fetch {URL} to {target.parent}: {error}. Fetch it by other means and pass "
                "its path"
            ) from error
        return target

    def _run(self, images):
        images = tf.raw_ops.ResizeBilinear(
            images=images, size=(_SIZE, _SIZE), align_corners=False, half_pixel_centers=False
        )
        images = tf.broadcast_to((images - 128.0) / 128.0, (*images.shape[:3], 3))
        try:
            outputs = self._graph(images)
        except tf.errors.OpError as error:
            raise ValueError(f"{self._path} cannot be run: {one_line(error)}") from error
        for output in outputs:
            if output.shape[0] != len(images):
                raise ValueError(
                    f"{self._path} made {output.shape[0]} rows of {len(images)} images: the graph "
                    "must take batches of any size"
                )
        features, logits = (tf.reshape(output, (len(images), -1)) for output in outputs)
        return features, tf.nn.softmax(logits)


def _load_graph(path, content):
    """The frozen graph as a function from scaled images to features and logits."""
    graph = tf.compat.v1.GraphDef()
    try:
        graph.ParseFromString(content)
    except Exception as error:  # Its class is protobuf's, which is no dependency of ours.
        raise ValueError(f"{path} is not a frozen graph: {error}") from error
    names = {node.name for node in graph.node}
    # TF-GAN's graph for TPUs uses its input without having it as a node.
    used = {name.partition(":")[0] for node in graph.node for name in node.input}
    missing = sorted({_POOL, _LOGITS} - names | {_INPUT} - names - used)
    if missing:
        raise ValueError(
            f"{path} is not TF-GAN's Inception graph: it lacks {', '.join(missing)} "
            f"(expected: input {_INPUT}, outputs {_POOL} and {_LOGITS})"
        )

    def call(images):
        return tf.graph_util.import_graph_def(
            graph, {f"{_INPUT}:0": images}, [f"{_POOL}:0", f"{_LOGITS}:0"], name="inception"
        )

    spec = tf.TensorSpec((None, _SIZE, _SIZE, 3), tf.float32, name="images")
    try:
        function = tf.compat.v1.wrap_function(call, [spec])
    except (ValueError, tf.errors.OpError) as error:
        raise ValueError(f"{path} is not TF-GAN's Inception graph: {one_line(error)}") from error
    # A graph is a program, and what is downloaded may have been exchanged.
    unsafe = {op.type for op in function.graph.get_operations() if _reaches_outside(op)}
    if unsafe:
        raise ValueError(
            f"{path} is not TF-GAN's Inception graph: it does more than arithmetic "
            f"({', '.join(sorted(unsafe))})"
        )
    # Without pruning, a placeholder that is not used would ask for a value.
    return function.prune(function.inputs, function.outputs)


def _reaches_outside(op):
    words = ("File", "Immutable", "Load", "Save", "Restore", "Proto", "Debug", "Call")
    return op.op_def.is_stateful or any(word in op.type for word in words)


def _read_graph(path):
    """Name and bytes of the graph file at `path`, in an archive or in a folder."""
    if not path.exists():
        raise FileNotFoundError(
            f"{path} does not exist: expected Inception's frozen graph ({GRAPH_FILE}) or the "
            f"archive {URL}"
        )
    if path.is_dir():
        files = sorted(file.name for file in path.iterdir() if file.is_file())
        graphs = [name for name in files if name.endswith(".pb")]
        path = path / _choose(path, graphs or [name for name in files if name.endswith(_ARCHIVES)])
    if path.name.endswith(_ARCHIVES):
        return _read_archive(path)
    return path.name, path.read_bytes()


def _read_archive(path):
    try:
        with tarfile.open(path, "r:gz") as archive:
            members = {member.name: member for member in archive if member.isfile()}
            name = _choose(path, [name for name in members if name.endswith(".pb")])
            return name.rpartition("/")[2], archive.extractfile(members[name]).read()
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ValueError(f"{path} is not a whole archive: {error}") from error


def _choose(path, names):
    """The published name among some, or the only one."""
    names = [name for name in names if name.rpartition("/")[2] == GRAPH_FILE] or names
    if len(names) != 1:
        found = ", ".join(names) or "none"
        raise FileNotFoundError(
            f"{path} must hold one frozen graph, such as {GRAPH_FILE}. Found: {found}"
        )
    return names[0]
