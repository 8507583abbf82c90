"""`train`, called as from a notebook: what a run leaves, and what it refuses before it begins."""

import json

import numpy as np
import pytest

from sagan_tf import SAGAN
from sagan_tf.config import RunOptions
from sagan_tf.files import read_json_lines
from sagan_tf.models import preset
from sagan_tf.training import train
from tests.tiny import assert_same, contents, variables

CONFIG = preset("sagan_digits_16").override(
    steps=4, batch_size=8, base_channels=4, latent_dim=8, discriminator_steps=1
)
OPTIONS = RunOptions(log_every=1, checkpoint_every=1, sample_every=4)


class Evaluation:
    """Stops at a step, as a signal would."""

    score_names = ("fid",)

    def __init__(self, stop_at):
        self.settings = {"num_images": 5}
        self.stop_at = stop_at

    def flat_scores(self, sagan):
        sagan.stop_training = sagan.step == self.stop_at
        return {"fid": float(sagan.step)}


def scored(stop_at=None):
    return lambda source, model: Evaluation(stop_at)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run's folder, and the model that it trained."""
    directory = tmp_path_factory.mktemp("runs") / "run"
    return directory, train(CONFIG, directory, OPTIONS)


def test_what_a_run_leaves(run, capsys):
    directory, sagan = run
    names = {path.name for path in directory.iterdir()}
    assert names == {
        *("config.json", "metrics.jsonl", "tensorboard", "samples", "checkpoints", "preset"),
        *("samples.png", "attention.png", "curves.png", ".lock"),
    }
    loaded = SAGAN.from_preset(directory / "preset")
    assert loaded.config == sagan.config
    assert loaded.config.recipe.dataset_size == 1797
    assert loaded.class_names == tuple("0123456789")
    # The preset, the last checkpoint and the model that is returned are the same.
    for other in (loaded, SAGAN.from_preset(directory)):
        for ours, theirs in zip(other.get_weights(), sagan.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_a_run_that_is_stopped_goes_on_bit_for_bit(run, tmp_path, capsys):
    options = OPTIONS.replace(evaluate_every=2)
    with pytest.raises(KeyboardInterrupt, match=r"^Stopped after step 2 of 4; all .*0002$"):
        train(CONFIG, tmp_path, options, scored(stop_at=2))
    resumed = train(CONFIG, tmp_path, options, scored())
    assert f"Going on from {tmp_path / 'checkpoints' / 'step_0000002'}" in capsys.readouterr().out
    assert_same(variables(resumed), variables(run[1]))
    timing = {"seconds", "images_per_second", "fid"}
    ours, theirs = (
        [{key: line[key] for key in line.keys() - timing} for line in read_json_lines(path)]
        for path in (tmp_path / "metrics.jsonl", run[0] / "metrics.jsonl")
    )
    assert ours == theirs


def test_what_does_not_fit_is_said_before_anything_is_written(run, tmp_path):
    before = contents(run[0])
    for directory, config, options, message in (
        (run[0], CONFIG.override(seed=1), OPTIONS, "seed=0 there, 1 here"),
        (run[0], CONFIG.override(steps=5), OPTIONS, "which `extend` allows"),
        (tmp_path, CONFIG.override(accumulation_steps=3), OPTIONS, "be a multiple of 3$"),
        (tmp_path, CONFIG.override(num_classes=3), OPTIONS, "class"),
        (tmp_path, CONFIG, OPTIONS.replace(evaluate_every=1), "needs `make_evaluation`"),
        (tmp_path, CONFIG, OPTIONS.replace(strategy="mirrored"), "needs GPUs"),
    ):
        with pytest.raises(ValueError, match=message):
            train(config, directory, options)
    assert contents(run[0]) == before
    assert list(tmp_path.iterdir()) == []


def test_classes_of_other_data(tmp_path):
    config = CONFIG.override(num_classes=3, steps=1)
    assert train(config, tmp_path, OPTIONS, adapt_classes=True).generator.num_classes == 10
    assert json.loads((tmp_path / "config.json").read_text())["model"]["num_classes"] == 10
