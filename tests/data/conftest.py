"""Data sets on disk: the digits, TinyPets, folders of images."""

import functools

import numpy as np
import pytest

from sagan_tf.data.digits import prepared_digits
from tests.data.samples import TinyPets, encoded


@pytest.fixture(scope="session")
def digits_dir(tmp_path_factory):
    """A TFDS folder that holds the digits."""
    folder = tmp_path_factory.mktemp("digits")
    prepared_digits(folder)
    return folder


@pytest.fixture(scope="session")
def pets_dir(tmp_path_factory):
    """A function of a config and a file format: a TFDS folder with `tiny_pets`."""

    @functools.cache
    def prepare(config="labels", file_format="array_record"):
        folder = tmp_path_factory.mktemp("pets")
        TinyPets(config=config, data_dir=folder, file_format=file_format).download_and_prepare()
        return folder

    return prepare


@pytest.fixture
def make_folder(tmp_path):
    """A function that fills `tmp_path` with the given image files."""

    def make(*names):
        for number, name in enumerate(names):
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            is_png = path.suffix.lower() == ".png"
            pixels = np.full((5, 7, 3), number, np.uint8)
            path.write_bytes(encoded(pixels, "PNG" if is_png else "JPEG"))
        return tmp_path

    return make
