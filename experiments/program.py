"""What all programs share: errors of the user end in one line, not in a traceback."""

import os
import sys

from absl import app, flags, logging


def run(main):
    """Parses the flags and calls `main()`; exits with 1 and one line when the input is at fault."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.set_verbosity(logging.INFO)
    app.run(lambda argv: _guarded(main, argv))


def _guarded(main, argv):
    name = os.path.basename(argv[0])
    if len(argv) > 1:
        sys.exit(f"{name}: error: unexpected argument {argv[1]!r}: flags start with --")
    try:
        main()
    except (ValueError, TypeError, OSError, FloatingPointError) as error:
        sys.exit(f"{name}: error: {_one_line(error)}")
    except KeyboardInterrupt:
        sys.exit(f"{name}: interrupted")
    except Exception as error:
        # TensorFlow wraps what a data pipeline raised; its message starts with ours.
        if type(error).__module__.startswith("tensorflow."):
            sys.exit(f"{name}: error: {_one_line(error)}")
        raise


def _one_line(error):
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0]


def require(flag, value):
    """`value`, or the error that says that `--flag` is missing."""
    if value is None:
        raise flags.IllegalFlagValueError(f"--{flag} is required")
    return value
