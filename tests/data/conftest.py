"""A TFDS folder that holds the digits."""

import pytest

from sagan_tf.data.digits import prepared_digits


@pytest.fixture(scope="session")
def digits_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("digits")
    prepared_digits(folder)
    return folder
