"""The hosts and devices on which to train, as far as they are known before TensorFlow runs."""

import json
import os
import re

from sagan_tf.config import RunOptions

_EXAMPLE = (
    '{"cluster": {"worker": ["host0:2222", "host1:2222"]}, "task": {"type": "worker", "index": 0}}'
)

JAX_HOSTS = "KERAS_DISTRIBUTION_JOB_ADDRESSES"
"""The variable of the environment in which Keras finds the hosts of JAX."""


def check_strategy(name, tpu=None):
    """Raises a ValueError for what `make_strategy` can refuse without looking for devices."""
    RunOptions(strategy=name, tpu=tpu)  # checks them
    if os.environ.get("KERAS_BACKEND") == "jax":
        return check_jax_strategy(name, tpu)
    if tpu is not None and name not in ("auto", "tpu"):
        raise ValueError(f"`tpu`={tpu} does not go with `strategy`={name}: leave one of them out")
    if name == "tpu" and tpu is None:
        raise ValueError("`strategy`=tpu needs `tpu`=NAME, or `tpu`=local on the host of a TPU")
    # TensorFlow reads TF_CONFIG for every other strategy.
    if tpu is None and name != "none" and not workers() and name == "multiworker":
        raise _tf_config_error("names no cluster")


def check_jax_strategy(name, tpu=None):
    """Does what `check_strategy` does where JAX trains."""
    if tpu is not None or name == "tpu":
        raise ValueError("JAX finds the TPU of its own host: leave `tpu` and `strategy` out")
    if name == "multiworker" and not os.environ.get(JAX_HOSTS):
        raise ValueError(f"`strategy`=multiworker needs {JAX_HOSTS}, which names the hosts")


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


def workers():
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
