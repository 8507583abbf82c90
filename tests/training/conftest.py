import pytest

from tests.training.small import make


@pytest.fixture(scope="module")
def sagan():
    return make()


@pytest.fixture(scope="module")
def saved():
    return make("adam")


@pytest.fixture(scope="module")
def restored():
    return make("adam")
