"""Runs functions under `tf.distribute` with two replicas, in a process of their own."""

import concurrent.futures
import contextlib
import multiprocessing


@contextlib.contextmanager
def two_replicas():
    """Gives a function `run(function, *args)` that calls `function(strategy, *args)` elsewhere.

    The process has two logical CPUs, which must be made before TensorFlow starts, and `strategy`
    mirrors over them. Function, arguments and result are pickled; the process lives until the
    context ends.
    """
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(
        1, mp_context=context, initializer=_split_cpu
    ) as executor:
        yield lambda function, *args: executor.submit(_call, function, *args).result()


def _split_cpu():
    import tensorflow as tf

    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)


def _call(function, *args):
    import tensorflow as tf

    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    return function(strategy, *args)
