r"""Starts several workers of experiments/train.py on this machine; they train one model together.

  python experiments/launch_local.py --workers=2 -- --model_dir=runs/two --steps=1000

What follows `--` are flags of train.py. Every worker gets the same ones, --strategy=multiworker and
a TF_CONFIG with its place in the cluster. On several hosts you would start train.py on each, with a
TF_CONFIG that names the hosts.

^C (or SIGTERM) asks all workers to save and leave; a second one kills them. When a worker dies the
others are stopped too, and the same command goes on from the last checkpoint. The exit code is 0
when training is done, 143 when it was stopped, 137 when workers had to be killed, 1 when one died.

Every worker would take every GPU: CUDA_VISIBLE_DEVICES=-1 before the command hides them, and
train.py alone uses those of one machine. TensorFlow opens the workers' ports to the network,
without a password.
"""

import contextlib
import ctypes
import json
import math
import os
import signal
import socket
import subprocess
import sys
import time

from absl import app, flags

from experiments import program

FLAGS = flags.FLAGS
flags.DEFINE_integer("workers", 2, "Number of workers to start.", lower_bound=1)

_NAME = "launch_local.py"
_HINT = "flags of train.py go after --, as in: launch_local.py --workers=2 -- --model_dir=runs/two"
# What train.py exits with when it has saved because a signal asked it to.
_STOPPED = (128 + signal.SIGINT, 128 + signal.SIGTERM)
_PR_SET_PDEATHSIG = 1


def launch(command, workers, grace=5.0):
    """Runs a command several times at once, as the workers of one cluster.

    The first SIGINT or SIGTERM becomes a SIGTERM to every worker, the second a SIGKILL. When a
    worker fails the others are sent a SIGTERM, and `grace` seconds later a SIGKILL: they may be
    waiting for it in a collective operation, for ever.

    Returns:
        What `sys.exit` takes: 0; 128 + signal when the workers left because they were asked to; or
        a text that says which worker failed and how.
    """
    asked = []  # When the signals came.

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
    processes = []
    try:
        for tf_config in tf_configs(workers):
            processes.append(_start(command, tf_config))
        failed = _supervise(processes, asked, grace)
    finally:
        for process in processes:
            process.kill()
    codes = [process.wait() for process in processes]
    if failed is None:
        return min((128 - code if code < 0 else code for code in codes if code), default=0)
    code = codes[failed]
    how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"exited with code {code}"
    return f"worker {failed} {how}; the same command goes on from the last checkpoint"


def _supervise(processes, asked, grace):
    """Waits for the end of all processes; returns the index of the first that failed, or None."""
    told, failed, deadline = False, None, math.inf
    while True:
        codes = [process.poll() for process in processes]
        # One that was told before it listens, or when it no longer does, has not failed.
        fine = (None, 0, *_STOPPED, *([-signal.SIGTERM] if told else []))
        failures = [(code, index) for index, code in enumerate(codes) if code not in fine]
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


def _start(command, tf_config):
    def stop_with_parent():
        # Linux sends SIGTERM to this process when its parent dies, of whatever.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    return subprocess.Popen(
        command,
        env={**os.environ, "TF_CONFIG": tf_config},
        stdin=subprocess.DEVNULL,
        start_new_session=True,  # ^C in a terminal is for the launcher alone.
        preexec_fn=stop_with_parent if sys.platform == "linux" else None,
    )


def tf_configs(workers):
    """The TF_CONFIG of each of several workers on this machine, on ports that are free now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(workers)]
        for each in sockets:
            each.bind(("", 0))
        cluster = {"worker": [f"localhost:{each.getsockname()[1]}" for each in sockets]}
    tasks = [{"type": "worker", "index": index} for index in range(workers)]
    return [json.dumps({"cluster": cluster, "task": task}) for task in tasks]


def main(argv, train_flags):
    if len(argv) > 1 or not train_flags:
        what = f"unexpected argument {argv[1]!r}" if len(argv) > 1 else "nothing to train"
        sys.exit(f"{_NAME}: error: {what}; {_HINT}")
    # A wheel has the programs where only this finds them.
    command = [sys.executable, "-m", "sagan_tf", "train", *train_flags, "--strategy=multiworker"]
    try:
        result = launch(command, FLAGS.workers)
    except OSError as error:
        result = str(error)
    # On a line of its own, below what is left of a progress bar.
    sys.exit(f"\n{_NAME}: error: {result}" if isinstance(result, str) else result)


if __name__ == "__main__":
    end = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    app.run(
        lambda argv: main(argv, sys.argv[end + 1 :]),
        sys.argv[:end],
        flags_parser=lambda argv: program.parse(argv, f"; {_HINT}"),
    )
