import pytest

from experiments import program


@pytest.fixture
def at_once(monkeypatch):
    """What is wrong must be said before TensorFlow is started."""

    def start_tensorflow():
        raise AssertionError("too late")

    monkeypatch.setattr(program, "start_tensorflow", start_tensorflow)
