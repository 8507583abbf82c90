"""Runs functions under `MultiWorkerMirroredStrategy`, in two processes at once."""

import multiprocessing
import multiprocessing.connection
import os
import time
import traceback

from experiments.launch_local import tf_configs

# Workers whose collective operations do not match wait for each other for ever.
_SECONDS = 300


def two_workers(function, *args):
    """The results of `function(strategy, *args)` in two workers on this machine, the chief's first.

    Function, arguments and results are pickled. Each worker has one CPU device and no GPU, and
    lives until both have returned.

    Raises:
        RuntimeError: with the traceback of the first worker that failed, after killing both; or if
            they wait for each other.
    """
    context = multiprocessing.get_context("spawn")
    connections, processes = [], []
    try:
        for tf_config in tf_configs(2):
            ours, theirs = context.Pipe()
            processes.append(context.Process(target=_work, args=(tf_config, theirs), daemon=True))
            processes[-1].start()
            # Else the end of the process is not the end of the connection.
            theirs.close()
            connections.append(ours)
            ours.send((function, args))
        return _results(connections, processes)
    finally:
        for process in processes:
            process.kill()
            process.join()


def _results(connections, processes):
    results, deadline = {}, time.monotonic() + _SECONDS
    while len(results) < len(connections):
        waiting = [each for i, each in enumerate(connections) if i not in results]
        ready = multiprocessing.connection.wait(waiting, deadline - time.monotonic())
        if not ready:
            raise RuntimeError(f"Only workers {sorted(results)} returned in {_SECONDS} seconds")
        for connection in ready:
            index = connections.index(connection)
            try:
                results[index], error = connection.recv()
            except EOFError:
                processes[index].join()
                error = f"exit code {processes[index].exitcode}"
            if error:
                raise RuntimeError(f"Worker {index} failed:\n{error}")
    return [results[index] for index in range(len(connections))]


def _work(tf_config, connection):
    # Before anything that is unpickled imports TensorFlow.
    os.environ.update(TF_CONFIG=tf_config, CUDA_VISIBLE_DEVICES="-1")
    try:
        function, args = connection.recv()

        import tensorflow as tf

        strategy = tf.distribute.MultiWorkerMirroredStrategy()
        connection.send((function(strategy, *args), None))
    except Exception:
        connection.send((None, traceback.format_exc()))
    # The coordination service must last until the other worker is done: wait to be killed.
    connection.recv()
