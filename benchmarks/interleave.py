"""Runs contestants in turn, each in a process of its own, on a machine that others use as well.

What disturbs one round of A disturbs the round of B beside it: ratios hold where times do not.
"""

import dataclasses
import importlib
import json
import os
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
        facts: What else it told of itself, ready for JSON.
    """

    times: list[float]
    ready_seconds: float
    peak_mib: float
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
            **self.facts,
        }


class Contestant:
    """A process that makes something to time, and runs it when told.

    Args:
        target: str `"module:function"`. The function takes the options and returns `(call,
            facts)`: what to time, and a dict ready for JSON.
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
        self._facts = self._read()
        self._ready_seconds = time.perf_counter() - began

    def round(self, calls):
        """Times some calls, and keeps the mean."""
        self._process.stdin.write(f"{calls}\n")
        self._process.stdin.flush()
        self.times.append(self._read()["seconds"] / calls)

    def finish(self):
        """Ends the process; returns a `Result`."""
        self._process.stdin.close()
        peak = self._read()["peak_mib"]
        self._process.wait()
        return Result(self.times, self._ready_seconds, peak, self._facts)

    def _read(self):
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(self._process.args)} ended early: see its error above")
        return json.loads(line)


def interleave(contestants, rounds, seconds_per_round=2.0):
    """Runs contestants A B A B for some rounds.

    Args:
        contestants: Dict from names to `Contestant`s. Each runs for as long, by its own speed.
        rounds: int.
        seconds_per_round: float. Defaults to `2.0`.

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
    call()
    answer(**facts)
    for line in sys.stdin:
        began = time.perf_counter()
        for _ in range(int(line)):
            call()
        answer(seconds=time.perf_counter() - began)
    answer(peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    serve(sys.argv[1], json.loads(sys.argv[2]))
