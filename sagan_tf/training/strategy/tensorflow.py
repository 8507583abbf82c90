"""Over which devices to train with TensorFlow."""

import signal
import socket
import textwrap
import threading

import tensorflow as tf

from sagan_tf.cluster import check_strategy, workers

_TPU_TIMEOUT = 10.0  # Seconds.


def make_strategy(name="auto", tpu=None):
    """Makes a distribution strategy. Call it before anything else that runs TensorFlow.

    With several workers it returns when all have come. TensorFlow waits an hour for them, and
    ignores ^C and SIGTERM meanwhile.

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
    check_strategy(name, tpu)
    if tpu is not None:
        return _tpu(tpu)
    if name == "multiworker" or (name == "auto" and len(workers()) > 1):
        return _multiworker()
    # To ask for logical devices instead would initialize them.
    if name == "mirrored" or (name == "auto" and len(tf.config.get_visible_devices("GPU")) > 1):
        return _mirrored()
    return tf.distribute.get_strategy()


def is_chief():
    """Whether this process writes files, under the strategy in whose scope it is called.

    True but for the workers of a cluster: of those only one, the chief, writes.
    """
    return tf.distribute.get_strategy().extended.should_save_summary


def draws():
    """Whether this process computes pictures, which the chief writes: the chief alone does."""
    return is_chief()


def make_sum(strategy):
    """Makes a function that sums numbers over all replicas; all workers must call it."""

    @tf.function
    def sum_over_replicas(value):
        values = strategy.run(tf.identity, (value,))
        return strategy.reduce(tf.distribute.ReduceOp.SUM, values, axis=None)

    return lambda value: float(sum_over_replicas(tf.constant(value, "float64")))


def make_from_chief():
    """Makes a function that returns the chief's number on all workers, which all must call."""
    strategy = tf.distribute.get_strategy()
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return lambda value: value
    total, share = make_sum(strategy), float(strategy.extended.should_save_summary)
    replicas = total(share)
    return lambda value: total(value * share) / replicas


def describe_strategy(strategy):
    """A line for the user that says what a strategy trains on."""
    if strategy.num_replicas_in_sync > 1:
        return f"Training on {strategy.num_replicas_in_sync} replicas"
    return f"Training on one {'GPU' if tf.config.get_visible_devices('GPU') else 'CPU'}"


def peak_device_memory():
    """int, the most bytes that were taken of the first GPU's memory; 0 if there is none."""
    if not tf.config.list_logical_devices("GPU"):
        return 0
    return tf.config.experimental.get_memory_info("GPU:0")["peak"]


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
    gpus, cpus = (tf.config.list_logical_devices(kind) for kind in ("GPU", "CPU"))
    if not gpus and len(cpus) < 2:
        raise ValueError(
            "`strategy`=mirrored needs GPUs. Received: one CPU. Leave it out to train on that"
        )
    return tf.distribute.MirroredStrategy()


def _one_line(error):
    return textwrap.shorten(str(error) or type(error).__name__, 160, placeholder=" ...")
