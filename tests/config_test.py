import dataclasses
import inspect
import json

import pytest

from sagan_tf import SAGAN, Discriminator, Generator
from sagan_tf.config import Config, ModelConfig, TrainingConfig


@pytest.fixture
def config():
    return Config(ModelConfig(), TrainingConfig())


def test_override_finds_the_part_of_a_key(config):
    changed = config.override(base_channels=8, steps=7)
    assert (changed.model.base_channels, changed.training.steps) == (8, 7)
    assert (config.model.base_channels, config.training.steps) == (64, 100_000)


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("attention_resolutions=(8,16)", "attention_resolutions", (8, 16)),
        ("attention_resolutions=[]", "attention_resolutions", ()),
        ("attention_resolutions=8", "attention_resolutions", (8,)),
        ("num_classes=None", "num_classes", None),
        ("flip=True", "flip", True),
        ("generator_learning_rate=1", "generator_learning_rate", 1.0),
        ("penalty=r1", "penalty", "r1"),
        ("dataset=a=b", "dataset", "a=b"),
    ],
)
def test_override_text_reads_values(config, text, key, value):
    changed = config.override_text([text])
    found = {**dataclasses.asdict(changed.model), **dataclasses.asdict(changed.training)}[key]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("base_chanels=8", "Did you mean base_channels"),
        ("base_channels", "Expected key=value"),
        ("base_channels=many", "`base_channels` must be of type int. Received: 'many'"),
        ("base_channels=True", "`base_channels` must be of type int"),
        ("flip=1", "`flip` must be of type bool"),
        ("attention_resolutions=('a',)", "`attention_resolutions` must be of type"),
        ("steps=0", "`steps` must be at least 1. Received: 0"),
        ("batch_size=-1", "`batch_size` must be at least 1"),
        ("precision=float16", "float32 or mixed_bfloat16. Received: float16"),
        ("generator_learning_rate=0", "`generator_learning_rate` must be positive"),
        ("beta_2=1.0", r"`beta_2` must be in \[0, 1\)"),
    ],
)
def test_errors_are_one_clear_line(config, text, message):
    with pytest.raises(ValueError, match=message) as info:
        config.override_text([text])
    assert "\n" not in str(info.value)


def test_a_value_of_the_wrong_type_is_a_type_error(config):
    with pytest.raises(TypeError, match="`steps` must be of type int. Received: 1.5"):
        config.override(steps=1.5)


def test_to_dict_is_json(config):
    text = json.dumps(config.to_dict())
    assert json.loads(text)["model"]["image_size"] == 128


def test_model_fields_are_arguments_of_the_models_with_the_same_defaults():
    defaults = {
        name: parameter.default
        for model in (SAGAN, Discriminator, Generator)
        for name, parameter in inspect.signature(model).parameters.items()
    }
    for field in dataclasses.fields(ModelConfig):
        assert field.default == defaults[field.name], field.name


def test_keys_are_unique(config):
    assert len(set(config.keys())) == len(config.keys())
