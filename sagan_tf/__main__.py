"""`python -m sagan_tf train ...` runs the programs of experiments/, installed or in a checkout."""

import pathlib
import runpy
import sys

from sagan_tf.settings import unknown_name

PROGRAMS = (
    "train",
    "fit",
    "launch_local",
    "sample",
    "evaluate",
    "examine",
    "ablate",
    "check_scores",
    "export",
    "explore",
    "import_weights",
)


def main():
    """Runs the program that the first argument names, with the others as its flags."""
    name, *flags = sys.argv[1:] or ("--help",)
    if name not in PROGRAMS:
        if name not in ("-h", "--help"):
            sys.exit(f"error: {unknown_name('program', name, PROGRAMS)}")
        print(f"usage: python -m sagan_tf {{{','.join(PROGRAMS)}}} [--help] [flags]")
        return
    package = pathlib.Path(__file__).resolve().parent
    # A wheel holds experiments inside the package, a checkout beside it.
    root = package.parent if (package.parent / "experiments").is_dir() else package / "programs"
    sys.path.insert(0, str(root))
    sys.argv = [f"{name}.py", *flags]
    runpy.run_module(f"experiments.{name}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
