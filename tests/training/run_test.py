import json
import subprocess
import sys

import pytest

from sagan_tf import SAGAN
from sagan_tf.config import Config, ModelConfig, Recipe
from sagan_tf.training import check_run, open_run, open_scores, write_results
from tests.tiny import contents, tiny


def config_of(steps=9, class_names=None, **changes):
    config = Config(ModelConfig(), Recipe(steps=steps), "here", class_names)
    return config.override(**changes)


def steps_of(directory):
    return json.loads((directory / "config.json").read_text())["recipe"]["steps"]


def test_open_run_writes_the_resolved_configuration(tmp_path):
    config = config_of(3, ("a", "b"), attention_resolutions=(8,), seed=4)
    written = json.loads((open_run(tmp_path / "a" / "run", config) / "config.json").read_text())
    assert written["recipe"]["steps"] == 3
    assert written["model"]["attention_resolutions"] == [8]
    assert (written["reference"], written["class_names"]) == ("here", ["a", "b"])
    assert (written["seed"], written["step"], written["weights"]) == (4, 0, None)


@pytest.mark.parametrize("prepare", [open_run, check_run])
def test_the_same_configuration_goes_on(tmp_path, prepare):
    config = config_of(class_names=("a",), attention_resolutions=(8,))
    open_run(tmp_path, config)
    (tmp_path / "metrics.jsonl").write_text("old\n")
    before = contents(tmp_path)
    prepare(tmp_path, config)
    assert contents(tmp_path) == before


def test_a_folder_that_is_not_yet_there_is_not_made_by_a_check(tmp_path):
    check_run(tmp_path / "run", config_of())
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("prepare", [open_run, check_run])
@pytest.mark.parametrize("extend", [False, True])
@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"base_channels": 8, "steps": 5}, "base_channels=64 there, 8 here; steps=9 there, 5 here"),
        ({"attention_resolutions": ()}, "attention_resolutions=None there, () here"),
        (
            {"seed": 1, "loss": "wasserstein"},
            "loss=hinge there, wasserstein here; seed=0 ",
        ),
        ({"class_names": ("b", "a")}, "classes a, b there, b, a here"),
    ],
)
def test_another_configuration_is_refused(tmp_path, prepare, extend, changes, difference):
    open_run(tmp_path, config_of(class_names=("a", "b")))
    (tmp_path / "metrics.jsonl").write_text("precious\n")
    before = contents(tmp_path)
    with pytest.raises(ValueError, match=".") as info:
        prepare(tmp_path, config_of(**{"class_names": ("a", "b"), **changes}), extend)
    message = str(info.value)
    assert message.startswith(f"{tmp_path} holds a run of another configuration ({difference}")
    assert message.endswith("): choose another directory")
    assert contents(tmp_path) == before


@pytest.mark.parametrize("prepare", [open_run, check_run])
@pytest.mark.parametrize("recipe", [None, Recipe(steps=9)])
def test_a_model_is_not_overwritten_by_a_run(tmp_path, prepare, recipe):
    sagan = tiny()
    sagan.recipe = recipe
    sagan.save_preset(tmp_path)
    config = Config(sagan.config.model, Recipe(steps=9))
    before = contents(tmp_path)
    with pytest.raises(ValueError, match="holds a model that is no run: choose another directory"):
        prepare(tmp_path, config)
    assert contents(tmp_path) == before


def test_more_steps(tmp_path):
    open_run(tmp_path, config_of())
    for prepare in (open_run, check_run):
        with pytest.raises(ValueError, match=r"\(steps=9 there, 10 here, which `extend` allows\)"):
            prepare(tmp_path, config_of(10))
    check_run(tmp_path, config_of(10), extend=True)
    assert steps_of(tmp_path) == 9
    open_run(tmp_path, config_of(10), extend=True)
    assert steps_of(tmp_path) == 10


def test_learning_rates_that_depend_on_the_steps_allow_no_more_of_them(tmp_path):
    linear = {"learning_rate_schedule": "linear"}
    open_run(tmp_path, config_of(**linear))
    with pytest.raises(ValueError, match=r"\(steps=9 there, 10 here\)"):
        open_run(tmp_path, config_of(10, **linear), extend=True)
    assert steps_of(tmp_path) == 9


@pytest.mark.parametrize("text", ["{", "", "[]", '{"model": {}}'])
@pytest.mark.parametrize("prepare", [open_run, check_run])
def test_a_broken_configuration_is_named(tmp_path, prepare, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ValueError, match=f"^{tmp_path}/config.json is not the configuration of a "):
        prepare(tmp_path, config_of())
    assert (tmp_path / "config.json").read_text() == text


def test_scores_of_other_settings_are_refused(tmp_path):
    settings = {"fingerprint": "abc", "metrics": ("fid",), "num_images": 100}
    open_scores(tmp_path, settings)
    before = contents(tmp_path)
    assert json.loads((tmp_path / "evaluation.json").read_text())["metrics"] == ["fid"]
    open_scores(tmp_path, settings)
    with pytest.raises(ValueError, match=".") as info:
        open_scores(tmp_path, settings | {"fingerprint": "def", "num_images": 50})
    assert str(info.value) == (
        f"{tmp_path} is scored by other settings (fingerprint=abc there, def here; num_images=100 "
        "there, 50 here): go on with those, or choose another directory"
    )
    assert contents(tmp_path) == before
    for text, message in (("{", "is not valid JSON"), ("[]", "does not hold the settings")):
        (tmp_path / "evaluation.json").write_text(text)
        with pytest.raises(ValueError, match=message):
            open_scores(tmp_path, settings)


SCRIPT = """
import sys, time
from sagan_tf.config import Config, ModelConfig, Recipe
from sagan_tf.training import open_run
open_run(sys.argv[1], Config(ModelConfig(), Recipe(steps=9), "here"))
print("opened", flush=True)
time.sleep(600)
"""


def test_only_one_process_trains_in_a_folder(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, tmp_path], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout.readline() == "opened\n"
            before = contents(tmp_path)
            for _ in range(2):
                with pytest.raises(OSError, match=".") as info:
                    open_run(tmp_path, config_of())
                assert str(info.value) == f"Another process is training in {tmp_path}"
            assert contents(tmp_path) == before
        finally:
            process.kill()
    open_run(tmp_path, config_of())
    # One process may go on in its own folder.
    open_run(tmp_path, config_of())


@pytest.mark.parametrize("attention", [None, ()])
def test_results(tmp_path, attention):
    record = {"step": 1, "discriminator_loss": 2.0, "generator_loss": 0.0}
    (tmp_path / "metrics.jsonl").write_text(json.dumps(record) + "\n")
    paths = write_results(tiny(attention_resolutions=attention), tmp_path)
    expected = {"preset", "samples", "curves"} | ({"attention"} if attention is None else set())
    assert set(paths) == expected
    assert all(path.exists() for path in paths.values())
    SAGAN.from_preset(paths["preset"])
