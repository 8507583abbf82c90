"""What all programs share: quiet libraries, and errors of the user in one line."""

import contextlib
import logging
import os
import re
import sys

from absl import app
from absl import logging as absl_logging


def run(main):
    """Parses the flags and calls `main()`; exits with 1 and one line when the input is at fault."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    app.run(lambda argv: _guarded(main, argv))


def _guarded(main, argv):
    name = os.path.basename(argv[0])
    if len(argv) > 1:
        sys.exit(f"{name}: error: unexpected argument {argv[1]!r}: flags start with --")
    absl_logging.get_absl_handler().addFilter(_is_ours_or_grave)
    try:
        with _silent_stderr():
            import tensorflow  # noqa: F401
        main()
    except KeyboardInterrupt:
        sys.exit(f"{name}: interrupted")
    except Exception as error:
        # TensorFlow wraps what a data pipeline raised.
        ours = isinstance(error, (ValueError, OSError, FloatingPointError))
        if not ours and not type(error).__module__.startswith("tensorflow."):
            raise
        _close_progress_bars()
        sys.exit(f"{name}: error: {_one_line(error)}")


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


def _one_line(error):
    text = str(error).strip() or type(error).__name__
    # What was raised while TensorFlow read the data or traced the step is further down.
    ours = re.search(r"^\s*(?:ValueError|OSError): (.+)$", text, re.MULTILINE)
    # TensorFlow names its own function first.
    return ours[1] if ours else re.sub(r"^\{\{.*?\}\}\s*", "", text.splitlines()[0])
