"""Over which devices to train with JAX; the functions are those of `tensorflow.py`."""

import contextlib

import jax
import keras

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
    """Chooses devices of this host.

    Args:
        name: `"none"` is one device, `"mirrored"` all devices, and `"auto"`, the default, as many
            as there are.
        tpu: `None`: JAX finds the TPU of its host.

    Returns:
        A `DeviceStrategy`.

    Raises:
        ValueError: for another name, or several devices that are not there.
    """
    RunOptions(strategy=name, tpu=tpu)  # checks them
    if tpu is not None or name == "tpu":
        raise ValueError("JAX finds the TPU of its own host: leave `tpu` and `strategy` out")
    if name == "multiworker":
        raise ValueError("On JAX training is on one host: leave `strategy` out, or take TensorFlow")
    devices = keras.distribution.list_devices()
    if name == "none":
        return DeviceStrategy(devices[:1])
    if name == "mirrored" and len(devices) < 2:
        raise ValueError(
            "`strategy`=mirrored needs several devices. Received: one. Leave it out to train on it"
        )
    return DeviceStrategy(devices)


def is_chief():
    """True: there is one process, which writes files."""
    return True


def make_from_chief():
    """Makes a function that returns the number it is given, that of the one process."""
    return lambda value: value


def describe_strategy(strategy):
    """A line for the user that says what a strategy trains on."""
    kind = jax.devices()[0].platform.upper()
    if strategy.num_replicas_in_sync > 1:
        return f"Training on {strategy.num_replicas_in_sync} devices ({kind}), with JAX"
    return f"Training on one {kind}, with JAX"


def peak_device_memory():
    """int, the most bytes that were taken of the first device's memory; 0 if it has none."""
    return (jax.local_devices()[0].memory_stats() or {}).get("peak_bytes_in_use", 0)
