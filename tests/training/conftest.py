import pytest

from tests.tiny import compiled


@pytest.fixture(scope="module")
def sagan():
    return compiled()


@pytest.fixture(scope="module")
def saved():
    return compiled("adam")


@pytest.fixture(scope="module")
def restored():
    return compiled("adam")
