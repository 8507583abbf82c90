"""Runs a program, and copies a folder before each change that Python makes to the files in it.

`snapshots.py FOLDER PROGRAM [FLAGS]`: FOLDER.snapshots/0001 is what a SIGKILL before the first
change would have left on the disk, and so on.
"""

import os
import pathlib
import runpy
import shutil
import sys

CHANGES = ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.truncate", "os.symlink")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


def main():
    folder, program, *flags = sys.argv[1:]
    snapshots = pathlib.Path(f"{folder}.snapshots")
    snapshots.mkdir()
    copying = False

    def hook(event, arguments):
        nonlocal copying
        if copying or event not in CHANGES or isinstance(arguments[0], int):
            return
        if event == "open" and not (arguments[2] or 0) & WRITING:
            return
        # What removes a tree names files within an open folder.
        descriptor = arguments[-1] if event in ("os.remove", "os.rmdir") else -1
        base = os.readlink(f"/proc/self/fd/{descriptor}") if descriptor >= 0 else ""
        if not os.path.join(base, os.fsdecode(arguments[0])).startswith(f"{folder}/"):
            return
        copying = True
        number = len(os.listdir(snapshots)) + 1
        shutil.copytree(folder, snapshots / f"{number:04d}", symlinks=True)
        copying = False

    sys.addaudithook(hook)
    sys.argv = [program, *flags]
    runpy.run_path(program, run_name="__main__")


main()
