"""`train`, called as from a notebook: what a run leaves, and what it refuses before it begins."""

import numpy as np
import pytest

from sagan_tf import SAGAN
from sagan_tf.config import RunOptions
from sagan_tf.files import read_json_lines
from sagan_tf.models import find_model, preset
from sagan_tf.models.model_folder import read_config
from sagan_tf.training import check_run, for_dataset, open_run, train
from tests.tiny import assert_same, contents, variables

CONFIG = preset("sagan_digits_16").override(
    steps=4, batch_size=8, base_channels=4, latent_dim=8, discriminator_steps=1
)
# Learning rates fall to 0 with the steps, or with the clock, which has time enough.
LINEAR = CONFIG.override(learning_rate_schedule="linear", max_minutes=1e6)
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
    return lambda source, model, training_source: Evaluation(stop_at)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run's folder, and the model that it trained."""
    directory = tmp_path_factory.mktemp("runs") / "run"
    return directory, train(LINEAR, directory, OPTIONS)


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
    checkpoint = SAGAN.from_preset(directory / "checkpoints" / "step_0000004")
    for other in (loaded, checkpoint):
        for ours, theirs in zip(other.get_weights(), sagan.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_linear_rates_end_with_the_steps_where_there_is_time(run):
    directory, sagan = run
    recipe = LINEAR.recipe
    rates = recipe.generator_learning_rate, recipe.discriminator_learning_rate
    for optimizer, rate in zip(sagan.optimizer.both, rates, strict=True):
        # The last of four steps had a quarter of the rate.
        assert float(optimizer.learning_rate) == pytest.approx(rate / 4)
    with pytest.raises(ValueError, match="max_minutes=1000000.0 there, None here"):
        check_run(directory, LINEAR.override(max_minutes=None))


def test_a_run_that_is_stopped_goes_on_bit_for_bit(run, tmp_path, capsys):
    options = OPTIONS.replace(evaluate_every=2)
    with pytest.raises(KeyboardInterrupt, match=r"^Stopped after step 2 of 4 and .*; all .*0002$"):
        train(LINEAR, tmp_path, options, scored(stop_at=2))
    resumed = train(LINEAR, tmp_path, options, scored())
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
        (run[0], LINEAR.override(seed=1), OPTIONS, "seed=0 there, 1 here"),
        (run[0], LINEAR.override(steps=5), OPTIONS, r"\(steps=4 there, 5 here\)"),
        (tmp_path, CONFIG.override(accumulation_steps=3), OPTIONS, "be a multiple of 3$"),
        (tmp_path, CONFIG.override(num_classes=3), OPTIONS, "class"),
        (tmp_path, CONFIG, OPTIONS.replace(evaluate_every=1), "needs `make_evaluation`"),
        (tmp_path, CONFIG, OPTIONS.replace(strategy="mirrored"), "needs GPUs"),
    ):
        with pytest.raises(ValueError, match=message):
            train(config, directory, options)
    assert contents(run[0]) == before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("names", "num_classes", "class_names"),
    [(["cat/0.png", "hen/1.png"], 2, ("cat", "hen")), (["0.png", "1.png"], None, None)],
)
def test_classes_are_those_of_the_data(make_folder, names, num_classes, class_names):
    config = CONFIG.override(dataset=str(make_folder(*names)))
    found, source = for_dataset(config, OPTIONS, adapt_classes=True)
    assert (found.model.num_classes, found.class_names) == (num_classes, class_names)
    recipe = found.recipe
    assert (recipe.dataset_size, recipe.dataset_digest) == (2, source.digest())
    with pytest.raises(ValueError, match=r" has \d classes. Received: num_classes=10$"):
        for_dataset(config, OPTIONS)
    assert for_dataset(config.override(num_classes=None), OPTIONS)[0].model.num_classes is None


def test_numbers_without_names_do_not_say_how_many_classes_there_are(pets_dir):
    options = OPTIONS.replace(data_dir=str(pets_dir("numbers")))
    config = CONFIG.override(dataset="tiny_pets/numbers")
    with pytest.raises(ValueError, match="does not say how many classes it has: pass `num_cla"):
        for_dataset(config, options, adapt_classes=True)
    assert for_dataset(config.override(num_classes=2), options)[0].model.num_classes == 2


def test_a_folder_that_was_moved_is_the_same_data_and_other_images_are_not(make_folder, tmp_path):
    folder = make_folder("pets/cat/0.png", "pets/hen/1.png") / "pets"
    run = tmp_path / "run"

    def check(path):
        opened, _ = for_dataset(CONFIG.override(dataset=str(path)), OPTIONS, adapt_classes=True)
        check_run(run, CONFIG.override(dataset=str(path)))  # Before the data are opened.
        open_run(run, opened)

    check(folder)
    moved = folder.rename(tmp_path / "moved")
    check(f"{moved}/")
    (moved / "hen" / "2.png").write_bytes((moved / "hen" / "1.png").read_bytes())
    with pytest.raises(ValueError, match=r"\(dataset=.*; other images, 2 there, 3 here\)"):
        check(moved)
    (moved / "hen" / "2.png").unlink()
    (moved / "hen").rename(moved / "ape")
    with pytest.raises(ValueError, match="classes cat, hen there, ape, cat here"):
        check(moved)


@pytest.mark.slow
def test_a_run_that_was_out_of_time_goes_on_with_more(tmp_path, capsys):
    config = CONFIG.override(max_minutes=1e-6)
    assert train(config, tmp_path, OPTIONS).step == 1
    assert "Ended after step 1: 1e-06 minutes are over" in capsys.readouterr().out
    for directory in (tmp_path, tmp_path / "preset"):
        assert SAGAN.from_preset(directory).config.recipe.max_minutes == 1e-6
    assert (tmp_path / "samples" / "step_0000001.png").exists()
    # It is at its end: nothing is trained, and the results are written anew.
    assert train(config, tmp_path, OPTIONS).step == 1
    longer = CONFIG.override(max_minutes=None)
    with pytest.raises(ValueError, match="max_minutes=1e-06 there, None here, which `extend` allo"):
        train(longer, tmp_path, OPTIONS)
    assert train(longer, tmp_path, OPTIONS.replace(extend=True)).step == 4


@pytest.mark.slow
def test_results_are_of_the_best_checkpoint(tmp_path, capsys):
    options = OPTIONS.replace(evaluate_every=1, monitor="fid", patience=2, keep=1)
    sagan = train(CONFIG, tmp_path, options, scored())
    # The score is the step, which only grows.
    output = capsys.readouterr().out
    assert "Ended after step 3: fid has not become better for 2 evaluations" in output
    assert "Results are of step 1, the best by fid" in output
    assert sagan.step == read_config(tmp_path / "preset")[1]["step"] == 1
    best, shipped = (tmp_path / each for each in ("checkpoints/step_0000001", "preset"))
    assert SAGAN.from_preset(best).config == SAGAN.from_preset(shipped).config
    ours, theirs = (SAGAN.from_preset(each).get_weights() for each in (best, shipped))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)
    assert [record["step"] for record in read_json_lines(tmp_path / "metrics.jsonl")] == [1, 2, 3]
    assert find_model(tmp_path) == shipped
    # Nothing is trained anew, and the same is shipped.
    assert train(CONFIG, tmp_path, options, scored()).step == 1
    assert find_model(tmp_path) == shipped
    # A run that goes on stands for what it has come to.
    open_run(tmp_path, *for_dataset(CONFIG.override(steps=9), options)[:1], extend=True)
    assert find_model(tmp_path).name == "step_0000003"
