import dataclasses
import inspect
import json

import pytest

from sagan_tf import SAGAN, Discriminator, Generator
from sagan_tf.config import Config, ModelConfig, Recipe, RunOptions

CONFIG = Config(ModelConfig(), Recipe(), "here", ("a", "b"))


def test_override_finds_the_part_of_a_name():
    changed = CONFIG.override(base_channels=8, steps=7)
    assert (changed.model.base_channels, changed.recipe.steps) == (8, 7)
    assert (CONFIG.model.base_channels, CONFIG.recipe.steps) == (64, 100_000)
    assert (changed.reference, changed.class_names) == ("here", ("a", "b"))


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("attention_resolutions", (8, 16), (8, 16)),
        ("attention_resolutions", [], ()),
        ("attention_resolutions", 8, (8,)),
        ("attention_resolutions", None, None),
        ("num_classes", None, None),
        ("flip", True, True),
        ("discriminator_spectral_norm", False, False),
        ("generator_learning_rate", 1, 1.0),
        ("penalty", "r1", "r1"),
        ("augmentation", "color", ("color",)),
        ("augmentation", ["cutout", "color"], ("cutout", "color")),
        ("dataset", "a=b", "a=b"),
    ],
)
def test_values_that_are_taken(name, given, value):
    changed = CONFIG.override(**{name: given})
    found = {**dataclasses.asdict(changed.model), **dataclasses.asdict(changed.recipe)}[name]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("base_chanels", 8, ValueError, "^Unknown setting: base_chanels. Did you mean base_channe"),
        ("base_channels", "many", TypeError, "`base_channels` must be of type int. Received: 'man"),
        ("base_channels", True, TypeError, "`base_channels` must be of type int. Received: True"),
        ("flip", 1, TypeError, "`flip` must be of type bool. Received: 1"),
        ("attention_resolutions", ("a",), TypeError, "`attention_resolutions` must be of type "),
        ("steps", 1.5, TypeError, "`steps` must be of type int. Received: 1.5"),
        ("steps", None, TypeError, "`steps` must be of type int. Received: None"),
        ("steps", 0, ValueError, "^`steps` must be at least 1. Received: 0$"),
        ("num_classes", 0, ValueError, "^`num_classes` must be at least 1 or None. Received: 0$"),
        ("precision", "float16", ValueError, "^Unknown precision: float16. Did you mean float32"),
        ("generator_learning_rate", 0.0, ValueError, "_rate` must be more than 0. Received: 0.0$"),
        ("beta_2", 1.0, ValueError, r"^`beta_2` must be in \[0, 1\). Received: 1.0$"),
        ("beta_1", -0.1, ValueError, r"^`beta_1` must be in \[0, 1\). Received: -0.1$"),
        ("seed", 2**31, ValueError, r"`seed` must be in \[0, 2147483648\)"),
        ("generator_learning_rate", float("nan"), ValueError, "must be more than 0. Received: nan"),
        (
            "generator_learning_rate",
            float("inf"),
            ValueError,
            "must be finite. Received: inf",
        ),
        ("penalty_weight", float("nan"), ValueError, "must be at least 0. Received: nan"),
        ("augmentation", ("color", "cut"), ValueError, "^Unknown augmentation: cut. Did you mean "),
        ("augmentation", None, TypeError, "`augmentation` must be of type .* Received: None"),
        ("adaptive_augmentation", True, ValueError, r"needs `augmentation`. Received: \(\)$"),
    ],
)
def test_errors_are_one_clear_line(name, value, error, message):
    with pytest.raises(error, match=message) as info:
        CONFIG.override(**{name: value})
    assert "\n" not in str(info.value)


def test_adaptive_augmentation_needs_logits_with_a_sign():
    adaptive = {"augmentation": ("color",), "adaptive_augmentation": True}
    assert CONFIG.override(loss="non_saturating", **adaptive).recipe.adaptive_augmentation
    for loss in ("wasserstein", "least_squares"):
        with pytest.raises(ValueError, match=f"`loss` hinge or non_saturating. Received: {loss}$"):
            CONFIG.override(loss=loss, **adaptive)


def test_json_and_back():
    config = CONFIG.override(attention_resolutions=(8,), num_classes=None, dataset_size=7)
    for each in (config, dataclasses.replace(CONFIG, recipe=None, class_names=None)):
        assert Config.from_dict(json.loads(json.dumps(each.to_dict()))) == each
    for change in (
        {"model": {"base_chanels": 8}},
        {"recipe": {"steps": 0}},
        {"model": []},
        {"class_names": "abc"},
        {"reference": 0},
    ):
        with pytest.raises((TypeError, ValueError)):
            Config.from_dict({**CONFIG.to_dict(), **change})
    with pytest.raises(KeyError):
        Config.from_dict({"model": {}})


def test_differences_say_where():
    other = CONFIG.recipe.replace(steps=9, flip=True)
    assert CONFIG.recipe.differences(CONFIG.recipe) == {}
    assert other.differences(CONFIG.recipe) == {
        "steps": "steps=100000 there, 9 here",
        "flip": "flip=False there, True here",
    }


def test_model_fields_are_arguments_of_the_models_with_the_same_defaults():
    defaults = {
        name: parameter.default
        for model in (SAGAN, Discriminator, Generator)
        for name, parameter in inspect.signature(model).parameters.items()
    }
    for field in dataclasses.fields(ModelConfig):
        name = field.name.removeprefix("discriminator_").removeprefix("generator_")
        if field.name == name or field.name == "discriminator_steps":
            assert field.default == defaults[field.name], field.name
        else:
            assert field.default is None
            assert name in defaults, name


def test_names_are_unique_and_every_setting_has_a_help_text():
    fields = [
        each for part in (ModelConfig, Recipe, RunOptions) for each in dataclasses.fields(part)
    ]
    assert len({field.name for field in fields}) == len(fields)
    for field in fields:
        assert field.metadata["help"].endswith("."), field.name


@pytest.mark.parametrize(
    ("options", "best"),
    [
        ({"monitor": "recall"}, "max"),
        ({"monitor": "recall", "mode": "min"}, "min"),
        ({"monitor": "fid"}, "min"),
        ({"monitor": "generator_loss"}, "min"),
        ({"monitor": "diversity", "mode": "max"}, "max"),
    ],
)
def test_which_value_is_best_follows_from_the_score(options, best):
    assert RunOptions(**options).best == best
    with pytest.raises(ValueError, match="`monitor`: diversity is best near 1"):
        RunOptions(monitor="diversity")
