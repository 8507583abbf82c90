import pytest

from sagan_tf import training
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


class Time:
    """In place of the module `time`."""

    now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setattr(training.clock, "time", clock := Time())
    return clock
