"""Programs in environments that were not made for them: each works, or says why not in a line."""

import os
import signal
import subprocess
import sys

import pytest

from tests.experiments.programs import ROOT, SMALL

pytestmark = pytest.mark.soak

DEAD = "http://127.0.0.1:9"
ENVIRONMENTS = {
    "a dead proxy, no home, an ASCII terminal, and no fcntl": {
        **dict.fromkeys(("http_proxy", "https_proxy", "ALL_PROXY"), DEAD),
        "HOME": "/proc/nohome",
        "PYTHONIOENCODING": "ascii",
        "WITHOUT": "fcntl",
    },
    "another backend": {"KERAS_BACKEND": "jax"},
}
# `python -c` blocks a module as it is missing on other systems.
RUN = """
import os, runpy, sys
if "WITHOUT" in os.environ:
    sys.modules[os.environ["WITHOUT"]] = None
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
DIGITS = "--model=sagan_digits_16"
STEPS = ("--steps=1", "--model_dir=run")
PROGRAMS = {
    "train": ("--preset=sagan_digits_16", *SMALL, *STEPS),
    "fit": ("--batch_size=8", *STEPS),
    "sample": (DIGITS, "--num_images=2", "--output=x.png"),
    "evaluate": (DIGITS, "--num_images=600", "--metrics=fid", "--output=scores.json"),
    "export": (DIGITS, "--output=served"),
}


def start(program, environment, cwd, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(ROOT / "experiments" / f"{program}.py"), *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), **ENVIRONMENTS[environment]},
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_work(program, environment, tmp_path):
    process = start(program, environment, tmp_path, *PROGRAMS[program])
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert any(tmp_path.iterdir()), out


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_page_opens(environment, tmp_path):
    process = start("explore", environment, tmp_path, DIGITS)
    try:
        line = process.stdout.readline()
        assert line.startswith("Open http://127.0.0.1:"), process.stderr.read()
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
