"""Over which devices to train with JAX; the functions are those of `tensorflow.py`."""

import contextlib
import os

import jax
import keras
import numpy as np
from jax.experimental import multihost_utils

from sagan_tf.cluster import JAX_HOSTS, check_jax_strategy
from sagan_tf.config import RunOptions


class DeviceStrategy:
    """Devices among which the images of each batch are divided; each holds all variables.

    What they compute is what one device computes with the whole batch: batch norm and losses are of
    all images.

    Args:
        devices: List of names of devices, as `keras.distribution.list_devices` gives them; of one
            alone nothing is divided.

    Attributes:
        num_replicas_in_sync: int, their number.
    """

    def __init__(self, devices):
        self.num_replicas_in_sync = len(devices)
        self._distribution = None
        if len(devices) > 1:
            self._distribution = keras.distribution.DataParallel(
                devices=devices, auto_shard_dataset=False
            )

    def scope(self):
        """The context in which models are made and trained."""
        return self._distribution.scope() if self._distribution else contextlib.nullcontext()


def make_strategy(name="auto", tpu=None):
    """Chooses devices. Call it before anything else that runs JAX.

    Args:
        name: `"none"` is one device, `"mirrored"` all devices of this host, `"multiworker"` those
            of all hosts that Keras's variables name (`KERAS_DISTRIBUTION_JOB_ADDRESSES`,
            `KERAS_DISTRIBUTION_NUM_PROCESSES` and `KERAS_DISTRIBUTION_PROCESS_ID`), and `"auto"`,
            the default, as many as there are.
        tpu: `None`: JAX finds the TPU of its host.

    Returns:
        A `DeviceStrategy`.

    Raises:
        ValueError: for another name, or devices or hosts that cannot be had.
    """
    RunOptions(strategy=name, tpu=tpu)  # checks them
    check_jax_strategy(name, tpu)
    hosts = os.environ.get(JAX_HOSTS)
    if hosts and name in ("auto", "multiworker") and not jax.distributed.is_initialized():
        try:
            keras.distribution.initialize()
        except Exception as error:  # JAX has many types of it.
            raise ValueError(f"Cannot join the hosts of {JAX_HOSTS}: {error}") from error
    devices = keras.distribution.list_devices()
    if name == "none":
        return DeviceStrategy(devices[:1])
    if name == "mirrored" and len(devices) < 2:
        raise ValueError(
            "`strategy`=mirrored needs several devices. Received: one. Leave it out to train on it"
        )
    return DeviceStrategy(devices)


def is_chief():
    """Whether this process writes files: of several hosts only one, the chief, writes."""
    return jax.process_index() == 0


def draws():
    """True: several hosts compute all together, and what one draws all draw."""
    return True


def make_from_chief():
    """Makes a function that returns the chief's number on all hosts, which all must call."""
    if jax.process_count() == 1:
        return lambda value: value
    return lambda value: multihost_utils.broadcast_one_to_all(np.float32(value)).item()


def describe_strategy(strategy):
    """A line for the user that says what a strategy trains on."""
    kind = jax.devices()[0].platform.upper()
    if strategy.num_replicas_in_sync > 1:
        return f"Training on {strategy.num_replicas_in_sync} devices ({kind}), with JAX"
    return f"Training on one {kind}, with JAX"


def peak_device_memory():
    """int, the most bytes that were taken of the first device's memory; 0 if it has none."""
    return (jax.local_devices()[0].memory_stats() or {}).get("peak_bytes_in_use", 0)
