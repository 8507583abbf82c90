import subprocess
import sys

import pytest

from sagan_tf.data.until_exit import until_exit

# The traceback of an uncaught exception keeps the frames, and so the iterator, until the
# interpreter is torn down. Without `until_exit` this program hangs about every second time.
PROGRAM = """
from sagan_tf.data import load, pipeline
pipeline.MAX_BYTES_IN_MEMORY = 0

def main():
    images = iter(load({!r}, 512, 8))
    next(images)
    raise ValueError("uncaught")

main()
"""


def test_passes_arguments_and_results_on():
    assert until_exit(divmod, placeholder=(0, 0))(7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        until_exit(divmod, placeholder=(0, 0))(7, 0)


def test_a_program_ends_while_images_are_read(make_folder):
    program = PROGRAM.format(str(make_folder(*(f"cat/{index}.png" for index in range(40)))))
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, timeout=120, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.count("Traceback") == 1
    assert result.stderr.rstrip().endswith("ValueError: uncaught")
