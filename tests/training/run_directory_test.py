import json

import keras
import pytest

from sagan_tf import SAGAN, Discriminator, Generator
from sagan_tf.config import Config, ModelConfig, TrainingConfig
from sagan_tf.training import attention_picture, open_run, write_results


def make(**kwargs):
    keras.utils.set_random_seed(0)
    return SAGAN(
        Generator(16, 1, 3, base_channels=4, latent_dim=8, **kwargs),
        Discriminator(16, 1, 3, base_channels=4, **kwargs),
    )


def test_open_run_writes_the_resolved_configuration(tmp_path):
    config = Config(ModelConfig(attention_resolutions=(8,)), TrainingConfig(steps=3), "here")
    directory = open_run(tmp_path / "a" / "run", config)
    written = json.loads((directory / "config.json").read_text())
    assert written["training"]["steps"] == 3
    assert written["model"]["attention_resolutions"] == [8]
    assert written["source"] == "here"


def test_the_same_configuration_starts_anew(tmp_path):
    config = Config(ModelConfig(), TrainingConfig())
    open_run(tmp_path, config)
    (tmp_path / "metrics.jsonl").write_text("old\n")
    open_run(tmp_path, config)
    assert not (tmp_path / "metrics.jsonl").exists()


def test_another_configuration_is_refused_with_the_difference(tmp_path):
    open_run(tmp_path, Config(ModelConfig(), TrainingConfig()))
    (tmp_path / "metrics.jsonl").write_text("precious\n")
    other = Config(ModelConfig(base_channels=8), TrainingConfig(steps=5))
    with pytest.raises(ValueError, match="base_channels=64 there, 8 here; steps=100000 there, 5"):
        open_run(tmp_path, other)
    assert (tmp_path / "metrics.jsonl").read_text() == "precious\n"


def test_a_broken_configuration_is_named(tmp_path):
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"config\.json is not valid JSON"):
        open_run(tmp_path, Config(ModelConfig(), TrainingConfig()))


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
