r"""Starts several workers of experiments/train.py on this machine; they train one model together.

  python experiments/launch_local.py --workers=2 -- --model_dir=runs/two --steps=1000

What follows `--` are flags of train.py, and every worker gets the same. Each also gets
--strategy=multiworker, and a TF_CONFIG with its place in the cluster: a try-out for several hosts,
where you would start train.py on each with a TF_CONFIG that names the hosts.

^C (or SIGTERM) asks all workers to save and leave; a second one kills them. When a worker dies the
others are stopped too, and the same command goes on from the last checkpoint.

Exits with 0 when training is done, 143 when it was stopped, 137 when the workers had to be killed,
1 when one of them died.

Every worker would take every GPU: one process, train.py alone, is how to use those of one machine.
CUDA_VISIBLE_DEVICES=-1 before the command hides them. TensorFlow opens the workers' ports to the
network, without a password.
"""

import contextlib
import ctypes
import json
import math
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

from absl import app, flags

FLAGS = flags.FLAGS
flags.DEFINE_integer("workers", 2, "How many to start.", lower_bound=1)

_NAME = "launch_local.py"
_HINT = "flags of train.py go after --, as in: launch_local.py --workers=2 -- --model_dir=runs/two"
# What train.py exits with when it has saved because a signal asked it to.
_STOPPED = (128 + signal.SIGINT, 128 + signal.SIGTERM)
_PR_SET_PDEATHSIG = 1


def launch(command, workers, grace=5.0):
    """Runs a command several times at once, as the workers of one cluster.

    Takes over SIGINT and SIGTERM: the first of them becomes a SIGTERM to every worker, the second a
    SIGKILL. A worker that fails has the others stopped: SIGTERM, then SIGKILL.

    Args:
        command: List of the program and its arguments.
        workers: int, how many processes to run it in.
        grace: float, seconds that the others have to leave when one has failed. They may be
            waiting for it in a collective operation, for ever. Defaults to `5.0`.

    Returns:
        What `sys.exit` takes: 0; 128 + signal when the workers left because they were asked to; or
        a text that says which worker failed and how.
    """
    asked: list[float] = []

    def ask(number, frame):
        # One request may come twice: `timeout` signals the process, then its process group.
        if asked and time.monotonic() < asked[-1] + 1.0:
            return
        asked.append(time.monotonic())
        if len(asked) == 1:
            text = "asking the workers to save and leave; a second signal kills them"
            print(f"\n{_NAME}: {text}", file=sys.stderr, flush=True)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, ask)
    processes: list[subprocess.Popen] = []
    try:
        for tf_config in tf_configs(workers):
            processes.append(_start(command, tf_config))
        failed = _supervise(processes, asked, grace)
    finally:
        for process in processes:
            process.kill()
    if failed is not None:
        how = _ending(processes[failed].returncode)
        return f"worker {failed} {how}; the same command goes on from the last checkpoint"
    codes = {process.wait() for process in processes} - {0}
    return min((128 - code if code < 0 else code for code in codes), default=0)


def _supervise(processes, asked, grace):
    """Waits for the end of all processes; returns the index of the first that failed, or None."""
    told, failed, deadline = False, None, math.inf
    while True:
        codes = [process.poll() for process in processes]
        failures = [(code, i) for i, code in enumerate(codes) if _is_failure(code, told)]
        if failures and failed is None and len(asked) < 2:
            # One that was killed (its code is negative) rather than one that failed for lack of it.
            failed = min(failures)[1]
            deadline = time.monotonic() + grace
        if None not in codes:
            return failed
        if len(asked) > 1 or time.monotonic() > deadline:
            for process in processes:
                process.kill()
        elif not told and (asked or any(codes)):
            told = True
            for process in processes:
                process.terminate()
        time.sleep(0.1)


def _is_failure(code, told):
    # One that was told before it listens, or when it no longer does, has not failed.
    return code not in (None, 0, *_STOPPED) and not (told and code == -signal.SIGTERM)


def _ending(code):
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"exited with code {code}"


def _start(command, tf_config):
    return subprocess.Popen(
        command,
        env={**os.environ, "TF_CONFIG": tf_config},
        stdin=subprocess.DEVNULL,
        # ^C in a terminal is for this process alone.
        start_new_session=True,
        preexec_fn=_stop_with_parent if sys.platform == "linux" else None,
    )


def _stop_with_parent():
    """Has Linux send SIGTERM to this process when its parent dies, of whatever."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def tf_configs(workers):
    """The TF_CONFIG of each of several workers on this machine, on ports that are free now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(workers)]
        for each in sockets:
            each.bind(("", 0))
        addresses = [f"localhost:{each.getsockname()[1]}" for each in sockets]
    return [
        json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}})
        for index in range(workers)
    ]


def _parse(argv):
    try:
        return FLAGS(argv)
    except flags.Error as error:
        hint = f"; {_HINT}" if isinstance(error, flags.UnrecognizedFlagError) else ""
        sys.exit(f"{_NAME}: error: {error}{hint}")


def main(argv, train_flags):
    if len(argv) > 1:
        sys.exit(f"{_NAME}: error: unexpected argument {argv[1]!r}; {_HINT}")
    if not train_flags:
        sys.exit(f"{_NAME}: error: nothing to train; {_HINT}")
    train = pathlib.Path(__file__).with_name("train.py")
    command = [sys.executable, str(train), *train_flags, "--strategy=multiworker"]
    try:
        result = launch(command, FLAGS.workers)
    except OSError as error:
        result = str(error)
    # On a line of its own, below what is left of a progress bar.
    sys.exit(f"\n{_NAME}: error: {result}" if isinstance(result, str) else result)


if __name__ == "__main__":
    end = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    app.run(lambda argv: main(argv, sys.argv[end + 1 :]), sys.argv[:end], flags_parser=_parse)
