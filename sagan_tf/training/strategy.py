"""Over which devices to train."""

import json
import os
import re
import signal
import socket
import textwrap
import threading

import tensorflow as tf

from sagan_tf.config import unknown_name

STRATEGIES = ("auto", "none", "mirrored", "multiworker", "tpu")

_EXAMPLE = (
    '{"cluster": {"worker": ["host0:2222", "host1:2222"]}, "task": {"type": "worker", "index": 0}}'
)
_TPU_TIMEOUT = 10.0  # Seconds.


def make_strategy(name="auto", tpu=None):
    """Makes a distribution strategy. Call it before anything else that runs TensorFlow.

    With several workers it returns when all have come. TensorFlow waits an hour for them, without
    an ear for ^C and SIGTERM.

    Args:
        name: `"none"` is one device: a GPU if there is one. `"mirrored"` is all GPUs of this host,
            or its logical CPUs if it has no GPU and the program made several. `"multiworker"` is
            all hosts in the environment's `TF_CONFIG`. `"tpu"` is the TPU that `tpu` names.
            `"auto"`, the default, is the TPU if `tpu` is given, the hosts if `TF_CONFIG` names
            several, all GPUs if there are several, and else one device.
        tpu: A Cloud TPU's name or `"grpc://host:port"`, or `"local"` on the host of a TPU. Defaults
            to `None`.

    Returns:
        A `tf.distribute.Strategy`.

    Raises:
        ValueError: for an unknown name, a `TF_CONFIG` that is malformed, devices or workers that
            cannot be had, or several workers when TensorFlow runs already.
    """
    if name not in STRATEGIES:
        raise unknown_name("strategy", name, STRATEGIES)
    if tpu is not None:
        if name not in ("auto", "tpu"):
            raise ValueError(f"`tpu`={tpu} does not go with `strategy`={name}: leave one of them")
        return _tpu(tpu)
    if name == "tpu":
        raise ValueError("`strategy`=tpu needs `tpu`=NAME, or `tpu`=local on the host of a TPU")
    if name == "multiworker" or (name == "auto" and len(_workers()) > 1):
        return _multiworker()
    # To ask for logical devices instead would initialise them.
    if name == "mirrored" or (name == "auto" and len(tf.config.get_visible_devices("GPU")) > 1):
        return _mirrored()
    return tf.distribute.get_strategy()


def is_chief():
    """Whether this process writes files, under the strategy in whose scope it is called.

    True but for the workers of a cluster: of those only one, the chief, writes.
    """
    return tf.distribute.get_strategy().extended.should_save_summary


def replica_batch_size(batch_size, num_replicas, accumulation_steps=1):
    """How many of a batch's images each replica gets.

    Raises:
        ValueError: if replicas and slices do not divide the batch.
    """
    parts = num_replicas * accumulation_steps
    if batch_size % parts:
        raise ValueError(
            f"A batch of {batch_size} images does not divide among {num_replicas} replicas with "
            f"accumulation_steps={accumulation_steps}: batch_size must be a multiple of {parts}"
        )
    return batch_size // num_replicas


def describe_strategy(strategy):
    """A line for the user that says what a strategy trains on."""
    if strategy.num_replicas_in_sync > 1:
        return f"Training on {strategy.num_replicas_in_sync} replicas"
    return f"Training on one {'GPU' if tf.config.get_visible_devices('GPU') else 'CPU'}"


def _tpu(name):
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu=name)
        for address in resolver.cluster_spec().as_dict().get("worker", []):
            # TensorFlow itself never gives up on a host that does not answer.
            socket.create_connection(address.rsplit(":", 1), _TPU_TIMEOUT).close()
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        return tf.distribute.TPUStrategy(resolver)
    except Exception as error:  # The client libraries have types of their own.
        raise ValueError(
            f"Cannot use the TPU {name!r} (a Cloud TPU's name, grpc://host:port, or local on its "
            f"host): {_one_line(error)}"
        ) from error


def _multiworker():
    if not _workers():
        raise _tf_config_error("names no cluster")
    try:
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    except RuntimeError as error:
        raise ValueError(
            "`strategy`=multiworker comes too late, TensorFlow runs already: call make_strategy "
            f"before anything else ({_one_line(error)})"
        ) from error
    except tf.errors.OpError as error:
        raise ValueError(
            f"Cannot join the cluster of TF_CONFIG: {_one_line(error)}. Is this worker's port "
            "free, and were all workers started?"
        ) from error
    if threading.current_thread() is threading.main_thread():
        # TensorFlow has put a handler of its own in place, which ignores the signal.
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGTERM))
    return strategy


def _mirrored():
    _workers()  # TensorFlow reads TF_CONFIG here too.
    gpus, cpus = (tf.config.list_logical_devices(kind) for kind in ("GPU", "CPU"))
    if not gpus and len(cpus) < 2:
        raise ValueError(
            "`strategy`=mirrored needs GPUs. Received: one CPU. Leave it out to train on that"
        )
    return tf.distribute.MirroredStrategy()


def _workers():
    """The addresses in `TF_CONFIG`, once it has been checked; none if it names no cluster."""
    try:
        config = json.loads(os.environ.get("TF_CONFIG") or "{}")
    except ValueError as error:
        raise _tf_config_error(f"is not valid JSON: {error}") from error
    if not isinstance(config, dict):
        raise _tf_config_error(f"must be an object. Received: {config!r}")
    cluster, task = config.get("cluster"), config.get("task")
    if not cluster:
        return []
    if not isinstance(cluster, dict) or not cluster.keys() <= {"worker", "chief"}:
        raise _tf_config_error(f"must name hosts as worker and chief only. Received: {cluster!r}")
    for job, hosts in cluster.items():
        if not isinstance(hosts, list) or not hosts or not all(map(_is_address, hosts)):
            raise _tf_config_error(f"must list {job} as host:port. Received: {hosts!r}")
    if len(cluster.get("chief", [])) > 1:
        raise _tf_config_error(f"must have one chief at most. Received: {cluster['chief']!r}")
    hosts = cluster.get(str(task.get("type"))) if isinstance(task, dict) else None
    if not hosts or type(task.get("index")) is not int or not 0 <= task["index"] < len(hosts):
        raise _tf_config_error(
            f"must say by type and index which task of its cluster this is. Received: {task!r}"
        )
    return [host for hosts in cluster.values() for host in hosts]


def _is_address(text):
    if not isinstance(text, str):
        return False
    match = re.fullmatch(r"(?:[^\s:/\[\]]+|\[[^\s/\[\]]+\]):([0-9]+)", text)
    return match is not None and 0 < int(match[1]) < 65536


def _tf_config_error(problem):
    return ValueError(f"TF_CONFIG {problem}. Every worker needs its own, such as {_EXAMPLE}")


def _one_line(error):
    return textwrap.shorten(str(error) or type(error).__name__, 160, placeholder=" ...")
