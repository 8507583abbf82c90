"""One tiny model with everything, one with as little as possible, both exported once."""

import pytest
import tensorflow as tf

from sagan_tf.export import export_saved_model
from tests.tiny import tiny


@pytest.fixture(scope="session")
def sagan():
    return tiny()


@pytest.fixture(scope="session")
def path(sagan, tmp_path_factory):
    return export_saved_model(sagan, tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="session")
def model(path):
    return tf.saved_model.load(str(path))


@pytest.fixture(scope="session")
def plain_sagan():
    """It has neither classes nor attention."""
    return tiny(None, attention_resolutions=())


@pytest.fixture(scope="session")
def plain_path(plain_sagan, tmp_path_factory):
    return export_saved_model(plain_sagan, tmp_path_factory.mktemp("plain"))
