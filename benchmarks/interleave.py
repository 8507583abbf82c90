"""Runs contestants in turn, each in a process of its own, on a machine that others use as well.

What disturbs one round of A disturbs the round of B beside it: ratios hold where times do not.
"""

import contextlib
import dataclasses
import importlib
import json
import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import time


@dataclasses.dataclass
class Result:
    """What a contestant did.

    Attributes:
        times: Seconds of one call, of each round.
        ready_seconds: From the start of the process to the end of the first call, which compiles.
        peak_mib: Largest resident memory of its process.
        added_mib: By how much that is above what it was before the first call.
        facts: What else it told of itself, ready for JSON.
    """

    times: list[float]
    ready_seconds: float
    peak_mib: float
    added_mib: float
    facts: dict

    @property
    def median(self):
        """Seconds of one call."""
        return statistics.median(self.times)

    @property
    def spread(self):
        """Half the distance between the quartiles, as a share of the median."""
        low, _, high = statistics.quantiles(self.times, n=4, method="inclusive")
        return (high - low) / 2 / self.median

    def as_dict(self, images):
        """Ready for JSON; `images` is how many a call makes or trains on."""
        return {
            "images_per_second": images / self.median,
            "median_seconds": self.median,
            "spread": self.spread,
            "ready_seconds": self.ready_seconds,
            "peak_mib": self.peak_mib,
            "added_mib": self.added_mib,
            **self.facts,
        }


class Contestant:
    """A process that makes something to time, and runs it when told.

    Args:
        target: str `"module:function"`. The function takes the options and returns `(call,
            facts)`: what to time, and a function that returns a dict ready for JSON.
        options: Dict ready for JSON. Defaults to none.
        environment: Dict of environment variables on top of the present ones. Defaults to none.
    """

    def __init__(self, target, options=None, environment=None):
        self.times = []
        began = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, target, json.dumps(options or {})],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **(environment or {})},
            text=True,
        )
        self._read()
        self._ready_seconds = time.perf_counter() - began

    def round(self, calls):
        """Times some calls, and keeps the mean."""
        self._process.stdin.write(f"{calls}\n")
        self._process.stdin.flush()
        self.times.append(self._read()["seconds"] / calls)

    def finish(self):
        """Ends the process; returns a `Result`."""
        self._process.stdin.close()
        memory, facts = self._read(), self._read()
        self._process.wait()
        return Result(self.times, self._ready_seconds, **memory, facts=facts)

    def _read(self):
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(self._process.args)} ended early: see its error above")
        return json.loads(line)


def interleave(contestants, rounds, seconds_per_round=1.0):
    """Runs contestants A B A B for some rounds.

    Args:
        contestants: Dict from names to `Contestant`s. Each runs for as long, by its own speed.
        rounds: int.
        seconds_per_round: float. Defaults to `1.0`.

    Returns:
        Dict from names to `Result`s.
    """
    calls = {}
    for name, contestant in contestants.items():
        contestant.round(1)
        calls[name] = max(1, round(seconds_per_round / contestant.times.pop()))
    for _ in range(rounds):
        for name, contestant in contestants.items():
            contestant.round(calls[name])
    return {name: contestant.finish() for name, contestant in contestants.items()}


def ratio(ours, theirs):
    """How many times faster ours is: the median over rounds of the ratio within a round."""
    pairs = zip(ours.times, theirs.times, strict=True)
    return statistics.median(slow / fast for fast, slow in pairs)


def serve(target, options):
    """What the process of a `Contestant` does."""
    # Libraries print to standard output, which is for answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(**facts):
        print(json.dumps(facts), file=answers, flush=True)

    module, function = target.split(":")
    call, facts = getattr(importlib.import_module(module), function)(**options)
    before = _peak_mib(reset=True)
    call()
    answer(ready=True)
    for line in sys.stdin:
        began = time.perf_counter()
        for _ in range(int(line)):
            call()
        answer(seconds=time.perf_counter() - began)
    peak = _peak_mib()
    answer(peak_mib=peak, added_mib=peak - before)
    answer(**facts())


def _peak_mib(reset=False):
    """Largest resident memory of this process; `reset` first forgets what was before."""
    if reset:
        # Linux: "5" makes the present size the peak.
        with contextlib.suppress(OSError):
            pathlib.Path("/proc/self/clear_refs").write_text("5")
    with contextlib.suppress(OSError):
        status = pathlib.Path("/proc/self/status").read_text()
        return int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    serve(sys.argv[1], json.loads(sys.argv[2]))
