"""What all programs share: errors as the user sees them, files that can be written, starting."""

import os
import signal
import sys
import types

import numpy as np
import pytest
import tensorflow as tf
from absl import flags

from experiments import program
from experiments.program import _one_line
from sagan_tf.models.model_folder import write_config
from sagan_tf.models.presets import PRESETS
from sagan_tf.training import Interrupted
from tests.experiments.programs import run_process


def test_an_error_of_the_data_is_found_in_what_tensorflow_makes_of_it():
    def read(index):
        raise ValueError("cat/3.jpg is broken: use `skip_corrupt`")

    numbers = tf.data.Dataset.range(3)
    dataset = numbers.map(lambda index: tf.numpy_function(read, [index], np.int64))

    @tf.function
    def loop(iterator):
        return next(iterator)

    with pytest.raises(tf.errors.OpError, match="^Graph execution error:") as info:
        loop(iter(dataset))
    assert _one_line(info.value) == "cat/3.jpg is broken: use `skip_corrupt`"


def test_an_error_of_the_step_is_found_in_what_autograph_makes_of_it():
    @tf.function
    def step():
        raise ValueError("batch_size must be even")

    with pytest.raises(ValueError, match="^in user code:") as info:
        step()
    assert _one_line(info.value) == "batch_size must be even"


@pytest.fixture
def own(monkeypatch):
    """The flags of a program, which has an --output only."""
    own = flags.FlagValues()
    flags.DEFINE_string("output", None, "File.", flag_values=own)
    monkeypatch.setattr(program, "FLAGS", own)
    own(["p.py"])
    return own


@pytest.mark.parametrize(
    ("error", "code"),
    [
        # The library names its arguments; some are flags.
        (ValueError("`output` must be `x`"), "p.py: error: --output must be `x`"),
        (OSError("one\ntwo"), "p.py: error: one"),
        (FloatingPointError(), "p.py: error: FloatingPointError"),
        (tf.errors.NotFoundError(None, None, "{{node f}} no x [Op:Read]"), "p.py: error: no x"),
        (
            tf.errors.UnknownError(None, None, "Graph:\nValueError: no `output`\n"),
            "p.py: error: no --output",
        ),
        (KeyboardInterrupt(), "p.py: interrupted"),
        (Interrupted("Stopped after step 3", signal.SIGINT), 128 + signal.SIGINT),
    ],
)
@pytest.mark.usefixtures("own")
def test_how_a_program_ends(error, code, monkeypatch, capsys):
    def main():
        raise error

    monkeypatch.setattr("sys.orig_argv", ["python", "train.py", "--model_dir=a b"])
    with pytest.raises(SystemExit) as info:
        program.guarded(main, ["/a/p.py"])
    assert info.value.code == code
    again = f"Stopped after step 3\nTo go on, give the same command again\n  {sys.executable} "
    expected = again + "train.py '--model_dir=a b'\n" if type(error) is Interrupted else ""
    assert capsys.readouterr().out == expected


def test_errors_of_the_program_itself_keep_their_traceback():
    def main():
        raise KeyError("a")

    with pytest.raises(KeyError):
        program.guarded(main, ["p.py"])


def test_errors_of_other_packages_are_one_line(monkeypatch):
    monkeypatch.setattr(program, "FLAGS", types.SimpleNamespace(verbosity=-1))
    line = "p.py: error: numpy failed: TypeError: .*--verbosity=1 shows where"
    with pytest.raises(SystemExit, match=line):
        program.guarded(lambda: np.sum([1], keepdims="a", axis="b"), ["p.py"])


@pytest.mark.parametrize(
    ("path", "folder", "reason"),
    [
        ("", False, "--output is empty"),
        (".", False, "Is a directory"),
        ("file/x", False, "Not a directory"),
        ("file", True, "Not a directory"),
        ("locked/new/x", True, "Permission denied"),
        ("~/a/b", False, None),
        ("~/a/b", True, None),
        ("~/file", False, None),
        ("~", True, None),
    ],
)
def test_what_cannot_be_written_is_named(own, tmp_path, monkeypatch, path, folder, reason):
    assert program.output_path("output") is None
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "file").touch()
    (tmp_path / "locked").mkdir()
    # Root may write anywhere.
    monkeypatch.setattr(os, "access", lambda path, mode: path.name != "locked")
    own.output = path
    if reason:
        with pytest.raises(ValueError, match=reason):
            program.output_path("output", folder)
    else:
        assert str(program.output_path("output", folder)) == path.replace("~", str(tmp_path))
    # Nothing was made.
    assert {path.name for path in tmp_path.iterdir()} == {"file", "locked"}


LIGHT = """
import runpy, sys
sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    heavy = {"tensorflow", "keras", "tensorflow_datasets", "scipy", "sklearn", "matplotlib"}
    print(*sorted(heavy & sys.modules.keys()), end="")
"""


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        # Each is what the program looks at last before it starts TensorFlow.
        ("train", ["--model_dir={tmp}", "--batch_size=9"], "batch_size=32 there, 9 here"),
        ("fit", ["--model_dir={tmp}", "--batch_size=9"], "batch_size=32 there, 9 here"),
        ("sample", ["--model=nowhere", "--output=x.png"], "Unknown model: nowhere"),
        ("export", ["--model=nowhere", "--output=x"], "Unknown model: nowhere"),
        ("evaluate", ["--model=sagan_digits_16", "--metrics=fidd"], "Did you mean fid?"),
        ("launch_local", [], "nothing to train"),
        (
            "ablate",
            ["--output={tmp}", "--vary=loss=hinge,wasserstein"],
            "{tmp} holds a model or a run",
        ),
    ],
)
def test_wrong_input_is_answered_before_tensorflow_is_imported(tmp_path, name, arguments, message):
    config = PRESETS["sagan_digits_16"]
    write_config(tmp_path, config, config.recipe.seed)
    arguments = [argument.format(tmp=tmp_path) for argument in arguments]
    result = run_process(name, *arguments, python=("-c", LIGHT))
    assert (result.returncode, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"{name}.py: error: ") and message.format(tmp=tmp_path) in line


@pytest.mark.parametrize("name", ["ablate", "evaluate", "export", "fit", "sample", "train"])
def test_help_shows_the_flags_of_the_program(name):
    text = run_process(name, "--help").stdout
    assert f"python experiments/{name}.py" in text
    assert ("--[no]ema:" in text) == (name in ("ablate", "evaluate", "export", "sample"))
    assert ("--cache_dir:" in text) == (name in ("ablate", "evaluate", "train"))
