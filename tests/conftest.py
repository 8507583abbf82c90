"""Order of the tests, how XLA compiles in them, and data sets on disk."""

import functools
import os
import signal
import sys

import numpy as np
import pytest

_LONG = (
    "backends_test.py",
    "environment_test.py",
    "resume_test.py",
    "trainer_replicas_test.py",
    "workers_test.py",
)

# XLA compiles faster with this, here and in the programs that the tests start.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")

# Whoever begins the tests in the background lets them, and the programs they start, ignore these.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items):
    # Of two processes, the one that got the longest file last would end long after the other.
    items.sort(key=lambda item: item.path.name not in _LONG)


@pytest.fixture(autouse=True)
def float32_after_training():
    """Training sets the policy of the process: the next test begins as a new one does."""
    yield
    keras = sys.modules.get("keras")
    if hasattr(keras, "config"):  # Keras 2, that of tensorflow-addons, has none.
        keras.config.set_dtype_policy("float32")


@pytest.fixture(scope="session")
def pets_dir(tmp_path_factory):
    """A function of a config and a file format: a TFDS folder with `tiny_pets`."""
    from tests.data.samples import TinyPets  # TFDS is slow to import.

    @functools.cache
    def prepare(config="labels", file_format="array_record"):
        folder = tmp_path_factory.mktemp("pets")
        TinyPets(config=config, data_dir=folder, file_format=file_format).download_and_prepare()
        return folder

    return prepare


@pytest.fixture
def make_folder(tmp_path):
    """A function that fills `tmp_path` with the given image files."""
    from PIL import Image

    formats = Image.registered_extensions()

    def make(*names):
        for number, name in enumerate(names):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            image = Image.fromarray(np.full((5, 7, 3), number % 256, np.uint8))
            image.save(path, formats.get(path.suffix.lower(), "JPEG"))
        return tmp_path

    return make
