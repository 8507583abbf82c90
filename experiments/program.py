"""What all programs share: quiet libraries, and errors of the user in one line."""

import contextlib
import logging
import os
import re
import shlex
import sys

from absl import app, flags
from absl import logging as absl_logging

FLAGS = flags.FLAGS


def run(main):
    """Parses the flags and calls `main()`; exits with 1 and one line when the input is at fault.

    `main` checks what it can before it calls `start_tensorflow`: a mistake is answered at once.
    """
    app.run(lambda argv: guarded(main, argv), flags_parser=_parse)


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
        ours = isinstance(error, (ValueError, OSError, FloatingPointError))
        if not ours and not type(error).__module__.startswith("tensorflow."):
            raise
        _close_progress_bars()
        sys.exit(f"{name}: error: {_with_flags(_one_line(error))}")


def start_tensorflow():
    """Imports TensorFlow without its narration, and says so where somebody may wait."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    absl_logging.get_absl_handler().addFilter(_is_ours_or_grave)
    if "tensorflow" not in sys.modules:
        if sys.stderr.isatty():
            print("Starting TensorFlow ...", file=sys.stderr, flush=True)
        with _silent_stderr():
            import tensorflow  # noqa: F401


def load_models(*names, standing_statistics=0, truncation=1.0):
    """The `SAGAN` of each name of a preset, model folder or run; unknown ones are said at once.

    Args:
        *names: As of `SAGAN.from_preset`.
        standing_statistics: int, batches from which to recompute the averaged generator's
            batch-norm statistics; 0 leaves them as they are saved. Defaults to `0`.
        truncation: float, factor of the latents of these batches. Defaults to `1.0`.
    """
    from sagan_tf.models.model_folder import find_model

    folders = [find_model(name) for name in names]
    start_tensorflow()

    from sagan_tf import SAGAN

    sagans = [SAGAN.from_preset(folder) for folder in folders]
    for sagan in sagans if standing_statistics else ():
        sagan.recalibrate(standing_statistics, truncation)
    return sagans


def _parse(argv):
    try:
        return FLAGS(argv)
    except flags.Error as error:
        text = " ".join(str(error).split())
        text = re.sub(
            r"^flag --(\w+)=(.*?): it must be (.*)", r"--\1 must be \3. Received: \2", text
        )
        sys.exit(f"{os.path.basename(argv[0])}: error: {text}")


def _leave(name, interruption):
    number = getattr(interruption, "signal", None)
    if number is None:
        sys.exit(f"{name}: interrupted")
    print(interruption)
    print("To go on, give the same command again")
    if "TF_CONFIG" not in os.environ:
        print(f"  {shlex.join([sys.executable, *sys.argv])}")
    sys.exit(128 + number)


@contextlib.contextmanager
def _silent_stderr():
    """For TensorFlow's import, which reports missing GPU drivers before it reads its log level."""
    sys.stderr.flush()
    saved = os.dup(2)
    with open(os.devnull, "w") as devnull:
        os.dup2(devnull.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def _close_progress_bars():
    """Leaves the line of a bar that an error has interrupted."""
    if "tqdm" in sys.modules:
        for bar in list(getattr(sys.modules["tqdm"].tqdm, "_instances", ())):
            bar.close()


def _is_ours_or_grave(record):
    # TensorFlow and TFDS narrate, and warn of their own use of what they deprecated.
    return f"{os.sep}tensorflow" not in record.pathname or record.levelno >= logging.ERROR


def _with_flags(text):
    """The library names its arguments; those that are flags here get their dashes."""
    return re.sub(
        r"`(\w+)`", lambda match: f"--{match[1]}" if match[1] in FLAGS else match[0], text
    )


def _one_line(error):
    text = str(error).strip() or type(error).__name__
    # What was raised while TensorFlow read the data or traced the step is further down.
    ours = re.search(r"^\s*(?:ValueError|OSError): (.+)$", text, re.MULTILINE)
    # TensorFlow names its own function first.
    return ours[1] if ours else re.sub(r"^\{\{.*?\}\}\s*", "", text.splitlines()[0])
