"""What all programs share: quiet libraries, and errors of the user in one line."""

import contextlib
import errno
import importlib.util
import logging
import os
import pathlib
import re
import shlex
import sys
import traceback

from absl import app, flags
from absl import logging as absl_logging
from PIL import Image

from sagan_tf import files
from sagan_tf.models.model_folder import find_model

FLAGS = flags.FLAGS

_NARRATORS = "tensorflow", "jax", "matplotlib"
_OURS = str(pathlib.Path(files.__file__).parent), str(pathlib.Path(__file__).parent)


def run(main):
    """Parses the flags and calls `main()`; exits with 1 and one line when the input is at fault.

    `main` checks what it can before it calls `start_backend`: a mistake is answered at once.
    """
    _keep_streams()
    bypass_proxies("localhost", "127.0.0.1", "::1")
    app.run(lambda argv: guarded(main, argv), flags_parser=parse)


def parse(argv, hint=""):
    """Parses the flags; returns what is left, and leaves by `SystemExit` if one is wrong.

    The error of an unknown flag ends with `hint`.
    """
    try:
        return FLAGS(argv)
    except flags.Error as error:
        text = re.sub("^flag ", "", " ".join(str(error).split()))
        text += hint if isinstance(error, flags.UnrecognizedFlagError) else ""
        if missing := re.match(r"--(\w+)=None: ", text):
            text = f"--{missing[1]} is missing. {FLAGS[missing[1]].help}"
        text = re.sub(r"^--(\w+)=(.*?): it must be (.*)", r"--\1 must be \3. Received: \2", text)
        integer = r"^--(\w+)=(.*?): invalid literal for int\(\).*"
        text = re.sub(integer, r"--\1 must be an integer. Received: \2", text)
        text = re.sub(r"^--\w+=.*?: (?=Unknown )", "", text)
        sys.exit(f"{os.path.basename(argv[0])}: error: {text}")


def guarded(main, argv):
    """Calls `main()`, and leaves by `SystemExit` with one line when the input is at fault."""
    name = os.path.basename(argv[0])
    if len(argv) > 1:
        sys.exit(f"{name}: error: unexpected argument {argv[1]!r}: flags start with --")
    try:
        main()
    except KeyboardInterrupt as interruption:
        _leave(name, interruption)
    except Exception as error:
        # TensorFlow wraps what a data pipeline raised.
        ours = isinstance(
            error, (ValueError, OSError, ArithmeticError, MemoryError, RecursionError, ImportError)
        )
        if ours or type(error).__module__.startswith("tensorflow."):
            text = _with_flags(_one_line(error))
        elif (package := _foreign_package(error)) and FLAGS.verbosity < 1:
            kind = type(error).__name__
            text = f"{package} failed: {kind}: {_one_line(error)} (--verbosity=1 shows where)"
        else:
            raise
        _close_progress_bars()
        # What a server or a file has said may hold commands for the terminal.
        text = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
        sys.exit(f"{name}: error: {text}")


def bypass_proxies(*hosts):
    """Lets requests to these hosts, which are this machine, go there without a proxy."""
    for name in ("no_proxy", "NO_PROXY"):
        known = filter(None, os.environ.get(name, "").split(","))
        os.environ[name] = ",".join(dict.fromkeys([*known, *hosts]))


def output_path(flag, folder=False):
    """The path that a flag names, or `None`; a ValueError if no such file can be written there.

    With `folder` it is that of a folder. Nothing is made yet: wrong input leaves nothing behind.
    """
    if FLAGS[flag].value is None:
        return None
    if not FLAGS[flag].value:
        raise ValueError(f"--{flag} is empty")
    path = pathlib.Path(FLAGS[flag].value).expanduser()
    there = next(each for each in (path, *path.parents) if each.exists())
    reason = None if os.access(there, os.W_OK) else errno.EACCES
    if there.is_dir() and there == path and not folder:
        reason = errno.EISDIR
    elif not there.is_dir() and (there != path or folder):
        reason = errno.ENOTDIR
    if reason:
        raise ValueError(f"--{flag}={path} cannot be written: {os.strerror(reason)}")
    return path


def picture_path(flag):
    """The path of a picture that a flag names, as `output_path` returns it."""
    path = output_path(flag)
    if path is not None and path.suffix.lower() not in Image.registered_extensions():
        raise ValueError(f"--{flag} must be a file such as x.png. Received: {path}")
    return path


def start_backend():
    """Starts the backend of Keras that `KERAS_BACKEND` names: JAX, or else TensorFlow."""
    if os.environ.get("KERAS_BACKEND") != "jax":
        return start_tensorflow()
    _hush()
    if importlib.util.find_spec("jax") is None:
        raise ValueError("KERAS_BACKEND=jax needs JAX, which is not there: pip install jax")
    if importlib.util.find_spec("tensorflow"):
        # Keras imports it on any backend where it is installed, and it does not do so silently.
        with _silent_stderr():
            import tensorflow  # noqa: F401


def start_tensorflow():
    """Imports TensorFlow without its narration, and says so where somebody may wait."""
    _hush()
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    if backend != "tensorflow":
        print(f"KERAS_BACKEND={backend} is passed over: this needs TensorFlow", file=sys.stderr)
    if importlib.util.find_spec("tensorflow") is None:
        raise ValueError("This needs TensorFlow, which is not there: pip install tensorflow")
    # It precedes what keras.json says as well.
    os.environ["KERAS_BACKEND"] = "tensorflow"
    if "tensorflow" not in sys.modules:
        if sys.stderr.isatty():
            print("Starting TensorFlow ...", file=sys.stderr, flush=True)
        with _silent_stderr():
            import tensorflow as tf
        if has_nvidia_gpu():
            with _silent_stderr():
                found = tf.config.list_physical_devices("GPU")
            if not found:
                text = "TensorFlow cannot use this machine's GPU: pip install tensorflow[and-cuda]"
                print(text, file=sys.stderr)


def _hush():
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    absl_logging.get_absl_handler().addFilter(_is_ours_or_grave)


def has_nvidia_gpu():
    """Whether this machine has an NVIDIA GPU that is not hidden; TensorFlow is not asked."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    return pathlib.Path("/dev/nvidia0").exists() and not hidden


def load_models(*names, ema=True, standing_statistics=0, truncation=1.0, needs_tensorflow=False):
    """The `SAGAN` of each name of a preset, model folder or run; unknown ones are said at once.

    The averaged generators get batch-norm statistics of `standing_statistics` batches, whose
    latents are multiplied by `truncation`. With 0 they keep those that are saved.
    """
    if standing_statistics and not ema:
        raise ValueError("--standing_statistics is for the averaged weights: it excludes --noema")
    for name in names:
        find_model(name)
    (start_tensorflow if needs_tensorflow else start_backend)()

    from sagan_tf import SAGAN

    # Found again: by now, a run that is going on may have another checkpoint.
    sagans = [SAGAN.from_preset(name) for name in names]
    for sagan in sagans if standing_statistics else ():
        sagan.recalibrate(standing_statistics, truncation)
    return sagans


def _foreign_package(error):
    """Name of the package in which an error was raised, `None` if it is this project's."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    package = frame.f_globals.get("__name__", "").partition(".")[0]
    is_installed = "site-packages" in frame.f_code.co_filename
    return package if is_installed and package not in ("experiments", "sagan_tf") else None


def _leave(name, interruption):
    number = getattr(interruption, "signal", None)
    if number is None:
        sys.exit(f"{name}: interrupted")
    print(interruption)
    print("To go on, give the same command again")
    if "TF_CONFIG" not in os.environ:
        print(f"  {shlex.join([sys.executable, *sys.orig_argv[1:]])}")
    sys.exit(128 + number)


def _keep_streams():
    """What is found is not lost because it cannot be printed, for whatever reason."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The next file that is opened would get the number of the closed stream.
            os.open(os.devnull, os.O_RDWR)
    for number, name in enumerate(("stdout", "stderr"), start=1):
        stream = getattr(sys, name) or open(number, "w", closefd=False)  # noqa: SIM115
        stream.reconfigure(errors="backslashreplace")
        setattr(sys, name, _Unbreakable(stream))


class _Unbreakable:
    """A stream to a terminal or pipe whose other end may go: what is written is lost then."""

    def __init__(self, stream):
        self._stream = stream

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text):
        return self._attempt(lambda: self._stream.write(text))

    def flush(self):
        return self._attempt(self._stream.flush)

    def _attempt(self, action):
        try:
            return action()
        except OSError:
            with open(os.devnull, "w") as null:
                os.dup2(null.fileno(), self._stream.fileno())
            return action()


@contextlib.contextmanager
def _silent_stderr():
    """For TensorFlow's import, which reports missing GPU drivers before it reads its log level."""
    sys.stderr.flush()
    saved = os.dup(2)
    try:
        with open(os.devnull, "w") as devnull:
            os.dup2(devnull.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def _close_progress_bars():
    """Leaves the line of a bar that an error has interrupted."""
    tqdm = sys.modules.get("tqdm")
    for bar in list(getattr(tqdm and tqdm.tqdm, "_instances", ())):
        bar.close()


def _is_ours_or_grave(record):
    # TensorFlow, TFDS, JAX and Matplotlib narrate, and warn of their own use of what is deprecated.
    theirs = any(f"{os.sep}{name}" in record.pathname for name in _NARRATORS)
    ours = record.pathname.startswith(_OURS)
    return ours or not theirs or record.levelno >= logging.ERROR


def _with_flags(text):
    """The library names its arguments; those that are flags here get their dashes."""
    return re.sub(
        r"`(\w+)`", lambda match: f"--{match[1]}" if match[1] in FLAGS else match[0], text
    )


def _one_line(error):
    # What was raised while TensorFlow read the data or traced the step is further down.
    ours = re.search(r"^\s*(?:ValueError|OSError): (.+)$", str(error), re.MULTILINE)
    # TensorFlow names its own function first.
    return ours[1] if ours else re.sub(r"^\{\{.*?\}\}\s*", "", files.one_line(error))
