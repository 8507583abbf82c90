"""When a callback acts that acts now and then, and the one that shows what goes on."""

import math

import pytest

from sagan_tf.training import Periodic, ProgressBar
from tests.tiny import fit, replay


class Spy(Periodic):
    """Notes when it acts."""

    def __init__(self, every):
        super().__init__()
        self.every = every
        self.acted = []

    def on_train_batch_end(self, batch, logs=None):
        if self.is_due(self.every):
            self.acted.append(self.model.step)
        self.seen = self.model.step


@pytest.mark.parametrize(
    ("every", "start", "seen", "expected"),
    [
        (1, 0, range(1, 11), list(range(1, 11))),
        (3, 0, range(1, 11), [3, 6, 9, 10]),
        (5, 0, range(1, 11), [5, 10]),
        (99, 0, range(1, 10), []),
        (3, 0, [2, 4, 6, 8, 10], [4, 6, 10]),
        (2, 0, [4, 8, 10], [4, 8, 10]),
        (3, 0, [7, 8, 9, 10], [7, 9, 10]),
        # From a checkpoint on: at the same steps as without the interruption.
        (3, 4, range(5, 11), [6, 9, 10]),
        (3, 6, range(7, 11), [9, 10]),
        (3, 5, [8, 10], [8, 10]),
    ],
)
def test_when_it_acts(sagan, every, start, seen, expected):
    spy = Spy(every)
    replay(spy, sagan, start, seen)
    assert spy.acted == expected


def test_it_begins_anew_with_each_training(sagan):
    spy = Spy(4)
    replay(spy, sagan, 0, range(1, 7))
    replay(spy, sagan, 2, range(3, 9))
    assert spy.acted == [4, 4, 8]


def test_its_end_is_that_of_keras(sagan):
    spy = Spy(3)
    fit(sagan, 4, spy)
    assert (spy.end, spy.acted) == (4, [3, 4])
    spy.set_params({"epochs": 2, "steps": None})
    spy.on_train_begin()
    assert spy.end == math.inf


def test_progress_bar_shows_rate_losses_and_gates(sagan, capsys):
    fit(sagan, 3, ProgressBar(images_per_step=4))
    shown = capsys.readouterr().err
    for text in ("3/3", "img/s=", "D loss=", "G loss=", "G gate 8=", "D gate 8="):
        assert text in shown
