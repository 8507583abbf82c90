"""The progress bar, on a model that really trains."""

from sagan_tf.training import ProgressBar
from tests.training.small import fit


def test_progress_bar_shows_rate_losses_and_gates(sagan, capsys):
    fit(sagan, 3, ProgressBar(steps=3, images_per_step=4))
    shown = capsys.readouterr().err
    for text in ("3/3", "img/s=", "D loss=", "G loss=", "G gate 8=", "D gate 8="):
        assert text in shown
