"""Flags from settings: each field gets one, and its text becomes its value or an error."""

import dataclasses

import pytest
from absl import flags

from experiments import program, settings_flags
from sagan_tf.config import ModelConfig, Recipe, RunOptions
from sagan_tf.evaluation import Protocol


@pytest.fixture
def parse(monkeypatch):
    """Function of a settings class and flags, which returns the settings that were given."""

    def parse(settings_class, *arguments, required=False, **options):
        own = flags.FlagValues()
        flags.DEFINE_string("model", None, "Folder.", required=required, flag_values=own)
        monkeypatch.setattr(settings_flags, "FLAGS", own)
        monkeypatch.setattr(program, "FLAGS", own)
        settings_flags.define(settings_class, **options)
        program.parse(["p.py", *filter(None, arguments)])
        return settings_flags.given(settings_class)

    return parse


@pytest.mark.parametrize("settings_class", [ModelConfig, Recipe, RunOptions, Protocol])
def test_each_field_has_a_flag_that_takes_its_default(parse, settings_class):
    settings = settings_class()
    arguments = [
        f"--{name}={value}".replace(" ", "") for name, value in dataclasses.asdict(settings).items()
    ]
    assert parse(settings_class, *arguments) == dataclasses.asdict(settings)
    assert parse(settings_class) == {}
    fields = dataclasses.fields(settings_class)
    for field in fields:
        assert settings_flags.FLAGS[field.name].value == field.default
        assert settings_flags.FLAGS[field.name].help.startswith(field.metadata["help"])
    parse(settings_class, skip=[fields[0].name], defaults=False)
    assert fields[0].name not in settings_flags.FLAGS
    assert settings_flags.FLAGS[fields[-1].name].value is None


@pytest.mark.parametrize(
    ("settings_class", "argument", "name", "value"),
    [
        (ModelConfig, "--num_classes=None", "num_classes", None),
        (ModelConfig, "--attention_resolutions=8, 16", "attention_resolutions", (8, 16)),
        (ModelConfig, "--attention_resolutions=()", "attention_resolutions", ()),
        (ModelConfig, "--attention_resolutions=none", "attention_resolutions", None),
        (ModelConfig, "--nospectral_norm", "spectral_norm", False),
        (ModelConfig, "--discriminator_spectral_norm=false", "discriminator_spectral_norm", False),
        (ModelConfig, "--ema_decay=0", "ema_decay", 0.0),
        (Recipe, "--global_clipnorm=1e-1", "global_clipnorm", 0.1),
        (Recipe, "--penalty=r1", "penalty", "r1"),
        (Recipe, "--penalty=none", "penalty", None),
        (Recipe, "--dataset=none", "dataset", "none"),
        (Recipe, "--augmentation=color, cutout", "augmentation", ("color", "cutout")),
        (Protocol, "--metrics=fid,kid", "metrics", ("fid", "kid")),
    ],
)
def test_values(parse, settings_class, argument, name, value):
    given = parse(settings_class, argument)
    assert given == {name: value}
    assert type(given[name]) is type(value)
    assert getattr(settings_class(**given), name) == value


@pytest.mark.parametrize(
    ("argument", "name", "values"),
    [
        ("base_channels=4,8", "base_channels", {"4": 4, "8": 8}),
        ("attention_resolutions=(),(16,)", "attention_resolutions", {"()": (), "(16,)": (16,)}),
        (
            "attention_resolutions=8,(8, 16),none",
            "attention_resolutions",
            {"(8,)": (8,), "(8,16)": (8, 16), "none": None},
        ),
        ("flip=true,0", "flip", {"true": True, "false": False}),
        (
            "generator_learning_rate=1e-4, 0.00001",
            "generator_learning_rate",
            {"0.0001": 1e-4, "1e-05": 1e-5},
        ),
        ("penalty=none,r1", "penalty", {"none": None, "r1": "r1"}),
        (
            "augmentation=(),color,(color, cutout)",
            "augmentation",
            {"()": (), "(color,)": ("color",), "(color,cutout)": ("color", "cutout")},
        ),
    ],
)
def test_values_of_a_variation(monkeypatch, argument, name, values):
    own = flags.FlagValues()
    monkeypatch.setattr(settings_flags, "FLAGS", own)
    settings_flags.define_variation("vary", ModelConfig, Recipe)
    own(["p.py", f"--vary={argument}"])
    found, known = own.vary
    assert (found, list(known.items())) == (name, list(values.items()))
    # Each text is read as the value again.
    own(["p.py", f"--vary={name}={','.join(known)}"])
    assert own.vary == (name, values)


@pytest.mark.parametrize(
    ("settings_class", "argument", "message"),
    [
        (ModelConfig, "--base_channels=0", "--base_channels must be at least 1. Received: 0"),
        (ModelConfig, "--base_channels=a", "--base_channels must be an integer. Received: a"),
        (ModelConfig, "--num_classes=0", "--num_classes must be at least 1 or none. Received: 0"),
        (ModelConfig, "--channels=2", "--channels must be 1 or 3. Received: 2"),
        (ModelConfig, "--attention_resolutions=8,a", "must be integers such as 8,16, or () for"),
        (ModelConfig, "--discriminator_spectral_norm=3", "must be true or false. Received: 3"),
        (Recipe, "--penalty_weight=x", "--penalty_weight must be a number. Received: x"),
        (Recipe, "--beta_1=nan", "--beta_1 must be in [0, 1). Received: nan"),
        (Recipe, "--loss=hing", ": Unknown loss: hing. Did you mean hinge? Valid: hinge, least"),
        (Recipe, "--penalty=r2", ": Unknown penalty: r2. Valid: gradient_penalty, r1"),
        (Recipe, "--augmentation=color,cut", ": Unknown augmentation: cut. Did you mean cutout"),
        (Recipe, "--stepz=3", "Unknown command line flag 'stepz'. Did you mean: steps ?"),
        (Recipe, "", "--model is missing. Folder."),
    ],
)
def test_errors(parse, settings_class, argument, message):
    with pytest.raises(SystemExit) as info:
        parse(settings_class, argument, required=True)
    assert info.value.code.startswith("p.py: error: ") and message in info.value.code
