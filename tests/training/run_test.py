import json
import subprocess
import sys

import keras
import pytest

from sagan_tf import SAGAN, Discriminator, Generator
from sagan_tf.config import Config, ModelConfig, TrainingConfig
from sagan_tf.training import attention_picture, check_run, open_run, open_scores, write_results


def make(**kwargs):
    keras.utils.set_random_seed(0)
    return SAGAN(
        Generator(16, 1, 3, base_channels=4, latent_dim=8, **kwargs),
        Discriminator(16, 1, 3, base_channels=4, **kwargs),
    )


def contents(directory):
    return {path: path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def steps_of(directory):
    return json.loads((directory / "config.json").read_text())["training"]["steps"]


def test_open_run_writes_the_resolved_configuration(tmp_path):
    config = Config(ModelConfig(attention_resolutions=(8,)), TrainingConfig(steps=3), "here")
    directory = open_run(tmp_path / "a" / "run", config)
    written = json.loads((directory / "config.json").read_text())
    assert written["training"]["steps"] == 3
    assert written["model"]["attention_resolutions"] == [8]
    assert written["source"] == "here"


@pytest.mark.parametrize("prepare", [open_run, check_run])
def test_the_same_configuration_goes_on(tmp_path, prepare):
    config = Config(ModelConfig(attention_resolutions=(8,)), TrainingConfig(), "here")
    open_run(tmp_path, config)
    (tmp_path / "metrics.jsonl").write_text("old\n")
    before = contents(tmp_path)
    prepare(tmp_path, config)
    assert contents(tmp_path) == before


def test_a_folder_that_is_not_yet_there_is_not_made_by_a_check(tmp_path):
    check_run(tmp_path / "run", Config(ModelConfig(), TrainingConfig()))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("prepare", [open_run, check_run])
@pytest.mark.parametrize("extend", [False, True])
@pytest.mark.parametrize(
    ("model", "training", "difference"),
    [
        ({"base_channels": 8}, {}, "base_channels=64 there, 8 here"),
        (
            {"base_channels": 8},
            {"steps": 5},
            "base_channels=64 there, 8 here; steps=9 there, 5 here",
        ),
        ({"attention_resolutions": ()}, {}, "attention_resolutions=None there, [] here"),
        (
            {},
            {"seed": 1, "loss": "wasserstein"},
            "loss=hinge there, wasserstein here; seed=0 there, 1 here",
        ),
        ({}, {"steps": 8}, "steps=9 there, 8 here"),
    ],
)
def test_another_configuration_is_refused(tmp_path, prepare, extend, model, training, difference):
    open_run(tmp_path, Config(ModelConfig(), TrainingConfig(steps=9)))
    (tmp_path / "metrics.jsonl").write_text("precious\n")
    before = contents(tmp_path)
    other = Config(ModelConfig(**model), TrainingConfig(**{"steps": 9, **training}))
    with pytest.raises(ValueError, match=".") as info:
        prepare(tmp_path, other, extend)
    assert str(info.value) == (
        f"{tmp_path} holds a run of another configuration ({difference}): "
        "choose another --model_dir"
    )
    assert contents(tmp_path) == before


def test_more_steps(tmp_path):
    open_run(tmp_path, Config(ModelConfig(), TrainingConfig(steps=9)))
    longer = Config(ModelConfig(), TrainingConfig(steps=10))
    for prepare in (open_run, check_run):
        with pytest.raises(ValueError, match=r"\(steps=9 there, 10 here, which --extend allows\)"):
            prepare(tmp_path, longer)
    check_run(tmp_path, longer, extend=True)
    assert steps_of(tmp_path) == 9
    open_run(tmp_path, longer, extend=True)
    assert steps_of(tmp_path) == 10


def test_learning_rates_that_depend_on_the_steps_allow_no_more_of_them(tmp_path):
    linear = {"learning_rate_schedule": "linear"}
    open_run(tmp_path, Config(ModelConfig(), TrainingConfig(steps=9, **linear)))
    with pytest.raises(ValueError, match=r"\(steps=9 there, 10 here\)"):
        open_run(tmp_path, Config(ModelConfig(), TrainingConfig(steps=10, **linear)), extend=True)
    assert steps_of(tmp_path) == 9


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not valid JSON: Expecting property name"),
        ("", "is not valid JSON: Expecting value"),
        ("[]", "is not the configuration of a run"),
    ],
)
@pytest.mark.parametrize("prepare", [open_run, check_run])
def test_a_broken_configuration_is_named(tmp_path, prepare, text, message):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ValueError, match=".") as info:
        prepare(tmp_path, Config(ModelConfig(), TrainingConfig()))
    assert str(info.value).startswith(f"{tmp_path / 'config.json'} {message}")
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
        "there, 50 here): go on with those, or choose another --model_dir"
    )
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("text", "message"), [("{", "is not valid JSON"), ("[]", "does not hold the settings")]
)
def test_broken_settings_of_scores_are_named(tmp_path, text, message):
    (tmp_path / "evaluation.json").write_text(text)
    with pytest.raises(ValueError, match=message):
        open_scores(tmp_path, {"num_images": 100})


SCRIPT = """
import sys, time
from sagan_tf.config import Config, ModelConfig, TrainingConfig
from sagan_tf.training import open_run
open_run(sys.argv[1], Config(ModelConfig(), TrainingConfig()))
print("opened", flush=True)
time.sleep(600)
"""


def test_only_one_process_trains_in_a_folder(tmp_path):
    config = Config(ModelConfig(), TrainingConfig())
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, tmp_path], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout.readline() == "opened\n"
            before = contents(tmp_path)
            for _ in range(2):
                with pytest.raises(OSError, match=".") as info:
                    open_run(tmp_path, config)
                assert str(info.value) == f"Another process is training in {tmp_path}"
            assert contents(tmp_path) == before
        finally:
            process.kill()
    open_run(tmp_path, config)
    # One process may go on in its own folder.
    open_run(tmp_path, config)


@pytest.mark.parametrize("attention", [None, ()])
def test_results(tmp_path, attention):
    record = {"step": 1, "discriminator_loss": 2.0, "generator_loss": 0.0}
    (tmp_path / "metrics.jsonl").write_text(json.dumps(record) + "\n")
    paths = write_results(make(attention_resolutions=attention), tmp_path)
    expected = {"preset", "samples", "curves"} | ({"attention"} if attention is None else set())
    assert set(paths) == expected
    assert all(path.exists() for path in paths.values())
    SAGAN.from_preset(paths["preset"])


def test_a_model_without_attention_has_none_to_show():
    with pytest.raises(ValueError, match="no attention to show"):
        attention_picture(make(attention_resolutions=()))
