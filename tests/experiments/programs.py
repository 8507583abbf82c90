"""The programs of `experiments`, run in this process or in one of their own."""

import contextlib
import importlib
import os
import pathlib
import signal
import subprocess
import sys

import pytest
from absl import flags

import experiments
from experiments import program

ROOT = pathlib.Path(__file__).parents[2]
SMALL = (
    "--base_channels=4",
    "--latent_dim=8",
    "--batch_size=8",
    "--discriminator_steps=1",
)
FLAGS = flags.FLAGS


def run(name, *arguments):
    """Runs a program here as `python experiments/<name>.py <arguments>` would."""
    argv = [f"{name}.py", *arguments]
    with _loaded(name) as module:
        program.guarded(module.main, program.parse(argv))


def call(name, function, *arguments):
    """What a function of a program's module returns, where the flags are these arguments."""
    with _loaded(name) as module:
        program.parse([f"{name}.py", *arguments])
        return function(module)


def error_line(name, *arguments):
    """The line with which a program ends here, after its name."""
    with pytest.raises(SystemExit) as info:
        run(name, *arguments)
    start, line = f"{name}.py: error: ", info.value.code
    assert line.startswith(start) and "\n" not in line
    return line.removeprefix(start)


def run_process(name, *arguments, python=()):
    """Runs a program in a process of its own, from another folder than that of the project."""
    return subprocess.run(
        [sys.executable, *python, str(ROOT / "experiments" / f"{name}.py"), *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=600,
    )


@contextlib.contextmanager
def _loaded(name):
    """A program's module, loaded anew as the only one whose flags are defined.

    Flags have one namespace in a process, in which two programs cannot both have a --model.
    """
    handler = signal.getsignal(signal.SIGTERM)
    others = _taken_away()
    try:
        for module in ("scoring", name):
            sys.modules.pop(f"experiments.{module}", None)
            vars(experiments).pop(module, None)
        yield importlib.import_module(f"experiments.{name}")
    finally:
        _taken_away()
        for flag, module in others.items():
            FLAGS[flag.name] = flag
            FLAGS.register_flag_by_module(module, flag)
        signal.signal(signal.SIGTERM, handler)


def _taken_away():
    """Dict from the flags of programs, which are then no longer defined, to their modules."""
    modules = {FLAGS[name]: FLAGS.find_module_defining_flag(name) or "" for name in FLAGS}
    # What `settings_flags` defines belongs to the program that runs.
    ours = ("experiments.", "deploy.", sys.argv[0])
    found = {flag: module for flag, module in modules.items() if module.startswith(ours)}
    for flag in found:
        delattr(FLAGS, flag.name)
    return found
