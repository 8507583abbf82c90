"""What a model folder keeps: of presets, checkpoints and runs."""

import json

import keras
import numpy as np
import pytest

from sagan_tf import SAGAN, Discriminator, Generator
from sagan_tf.config import Config, ModelConfig, Recipe
from sagan_tf.models import find_model, make_optimizers, preset, read_config
from sagan_tf.models.model_folder import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    checkpoint_name,
    save_weights,
    write_config,
    write_model,
)
from tests.tiny import contents, tiny

CONFIG = Config(
    ModelConfig(16, 1, 3, 4, 8, attention_resolutions=(8,), ema_decay=0.5, discriminator_steps=2),
    Recipe(seed=5, learning_rate_schedule="linear"),
    "a test",
    ("zero", "one", "two"),
)


def assert_equal_weights(ours, theirs):
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def set_all(sagan, value):
    for weight in sagan.weights:
        weight.assign(keras.ops.full(weight.shape, value, weight.dtype))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run with checkpoints at the steps 1 and 2."""
    directory = tmp_path_factory.mktemp("runs") / "run"
    write_config(directory, CONFIG, seed=5)
    sagan = SAGAN.from_settings(CONFIG)
    sagan.compile(*make_optimizers(CONFIG))
    for step in (1, 2):
        sagan.generator_optimizer.iterations.assign(step)
        set_all(sagan, step)
        path = directory / "checkpoints" / checkpoint_name(step)
        path.mkdir(parents=True)
        write_model(sagan, path, optimizers=True, metrics={"fid": 0.5})
    return directory


def test_a_preset_s_round_trip(tmp_path):
    sagan = tiny(ema_decay=0.5, discriminator_steps=2, seed=7)
    sagan.class_names, sagan.reference = ("a", "b", "c"), "a test"
    directory = tmp_path / "a" / "b"
    sagan.save_preset(directory)
    (directory / "README.md").write_text("mine")
    loaded = SAGAN.from_preset(directory)
    assert (loaded.ema_decay, loaded.discriminator_steps, loaded.seed) == (0.5, 2, 7)
    assert (loaded.class_names, loaded.reference) == (("a", "b", "c"), "a test")
    assert loaded.recipe is None
    assert_equal_weights(loaded, sagan)
    untrained = SAGAN.from_preset(directory, load_weights=False)
    assert not np.array_equal(untrained.get_weights()[0], sagan.get_weights()[0])
    # Saved again, after other weights: only its own files are replaced.
    set_all(loaded, 2.0)
    loaded.save_preset(directory)
    assert_equal_weights(SAGAN.from_preset(directory), loaded)
    names = sorted(path.name for path in directory.iterdir())
    assert names == ["README.md", CONFIG_FILE, WEIGHTS_FILE]


def test_a_preset_that_cannot_be_written_leaves_what_was_there(tmp_path, monkeypatch):
    sagan = tiny()
    sagan.save_preset(tmp_path)
    before = contents(tmp_path)

    def full(*args):
        raise OSError("No space left on device")

    for name in ("_fingerprint", "save_weights"):
        with monkeypatch.context() as patch:
            patch.setattr(f"sagan_tf.models.model_folder.{name}", full)
            set_all(sagan, 3.0)
            with pytest.raises(OSError, match="No space"):
                sagan.save_preset(tmp_path)
        assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("where", "step"), [("", 2), ("checkpoints/step_0000002", 2), ("checkpoints/step_0000001", 1)]
)
def test_a_run_and_its_checkpoints_load_for_sampling(run, where, step):
    sagan = SAGAN.from_preset(run / where)
    assert sagan.config == CONFIG
    assert sagan.seed == 5
    for weight in sagan.weights:
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(weight), step)
    config, state = read_config(find_model(run / where))
    assert (config, state["step"], state["metrics"]) == (CONFIG, step, {"fid": 0.5})


def test_the_configuration_of_a_run_and_a_model_without_weights(run):
    assert read_config(run)[0] == CONFIG
    assert SAGAN.from_preset(run, load_weights=False).config == CONFIG


def test_a_named_preset_has_its_settings_and_its_weights():
    sagan = SAGAN.from_preset("sagan_digits_16")
    assert sagan.config.model == preset("sagan_digits_16").model
    # The weights were trained for longer than `make demo` does.
    recipe = preset("sagan_digits_16").recipe.replace(dataset_size=1797, steps=6000)
    assert sagan.config.recipe == recipe
    assert sagan.class_names == tuple("0123456789")


def test_paths_may_be_short(run, monkeypatch):
    monkeypatch.chdir(run)
    assert find_model(".").name == "step_0000002"
    monkeypatch.chdir(run / "checkpoints")
    assert read_config(find_model("step_0000001"))[1]["step"] == 1
    monkeypatch.setenv("HOME", str(run.parent))
    assert find_model(f"~/{run.name}").name == "step_0000002"


def test_what_is_not_there_is_named(run, tmp_path):
    (tmp_path / "empty").mkdir()
    write_config(tmp_path / "fresh", CONFIG, seed=5)
    (tmp_path / "begun" / "checkpoints").mkdir(parents=True)
    for path, message in (
        (tmp_path / "nothing", r"^No model at .*nothing: expected the name of a preset \(sagan_di"),
        (tmp_path / "empty", "^No model at .*empty: .* or a folder with a config.json in it$"),
        (run / "checkpoints" / "step_0000009", "^No model at .*step_0000009"),
        (tmp_path / "fresh", "fresh has no checkpoint yet$"),
        (tmp_path / "begun", "begun has no checkpoint yet$"),
        (
            "sagan_digit_16",
            "^Unknown model: sagan_digit_16. Did you mean sagan_digits_16",
        ),
        ("sagan_imagenet_128", "has no trained weights: .* load_weights=False"),
    ):
        with pytest.raises(ValueError, match=message):
            SAGAN.from_preset(path)


def test_a_name_with_two_meanings_is_an_error(run, tmp_path, monkeypatch):
    bundled = find_model("sagan_digits_16")
    monkeypatch.chdir(bundled.parent)
    assert find_model("sagan_digits_16").samefile(bundled)  # There is one only.
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sagan_digits_16").symlink_to(run)
    with pytest.raises(ValueError, match=r"say preset:sagan_digits_16 or \./sagan_digits_16"):
        find_model("sagan_digits_16")
    assert find_model("preset:sagan_digits_16") == bundled
    assert find_model("./sagan_digits_16").name == "step_0000002"


def test_a_run_without_checkpoints_is_known_by_its_preset(run, tmp_path):
    """As one of experiments/fit.py."""
    write_config(tmp_path, CONFIG, seed=5)
    SAGAN.from_preset(run).save_preset(tmp_path / "preset")
    assert find_model(tmp_path) == tmp_path / "preset"


def test_a_damaged_checkpoint_of_a_run_is_passed_over(run, tmp_path, caplog):
    for step in (1, 2):
        path = tmp_path / "checkpoints" / checkpoint_name(step)
        path.mkdir(parents=True)
        for name in (CONFIG_FILE, WEIGHTS_FILE):
            content = (run / "checkpoints" / path.name / name).read_bytes()
            (path / name).write_bytes(content)
    (path / WEIGHTS_FILE).write_bytes(b"half")
    assert find_model(tmp_path).name == "step_0000001"
    assert "step_0000002/model.weights.h5 is not as it was written" in caplog.text
    (path.parent / checkpoint_name(1) / CONFIG_FILE).unlink()
    with pytest.raises(ValueError, match=f"^All checkpoints in {path.parent} are damaged$"):
        SAGAN.from_preset(tmp_path)


def flip_a_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        (CONFIG_FILE, lambda path: path.unlink(), "^No model at"),
        (CONFIG_FILE, lambda path: path.write_text(path.read_text()[:99]), "is not valid JSON"),
        (CONFIG_FILE, lambda path: path.write_text('{"model": 1}'), "not the configuration of a m"),
        (CONFIG_FILE, lambda path: path.write_text("[]"), "is not the configuration of a model"),
        (WEIGHTS_FILE, lambda path: path.unlink(), "model.weights.h5: No such file"),
        (WEIGHTS_FILE, lambda path: path.write_bytes(b""), "model.weights.h5 is not as it was w"),
        (WEIGHTS_FILE, flip_a_byte, "model.weights.h5 is not as it was written"),
    ],
)
def test_damage_is_named_in_one_line(tmp_path, name, damage, message):
    tiny().save_preset(tmp_path)
    damage(tmp_path / name)
    with pytest.raises(ValueError, match=message) as info:
        SAGAN.from_preset(tmp_path)
    assert str(tmp_path) in str(info.value)
    assert "\n" not in str(info.value)


def test_weights_of_another_architecture_are_named(tmp_path):
    tiny().save_preset(tmp_path)
    content = json.loads((tmp_path / CONFIG_FILE).read_text())
    content["model"]["base_channels"] = 8
    (tmp_path / CONFIG_FILE).write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"^Cannot load weights from .*model.weights.h5: ") as info:
        SAGAN.from_preset(tmp_path)
    assert "\n" not in str(info.value)


def test_keras_reads_the_weights_that_it_would_have_written_itself(tmp_path):
    sagan, other = tiny(), tiny(ema_decay=0.5)
    save_weights(sagan, tmp_path / "ours.weights.h5")
    set_all(other, 0.0)
    other.load_weights(tmp_path / "ours.weights.h5")
    assert_equal_weights(other, sagan)


@pytest.mark.parametrize(
    ("generator", "discriminator", "settings"),
    [
        ({}, {}, {}),
        ({"base_channels": 4}, {"base_channels": 8}, {"discriminator_base_channels": 8}),
        (
            {"attention_resolutions": ()},
            {},
            {"attention_resolutions": (), "discriminator_attention_resolutions": (8,)},
        ),
        (
            {},
            {"attention_resolutions": ()},
            {"attention_resolutions": None, "discriminator_attention_resolutions": ()},
        ),
        ({}, {"attention_resolutions": (8,)}, {}),
        ({"spectral_norm": False}, {}, {"discriminator_spectral_norm": True}),
        ({}, {"spectral_norm": False}, {"discriminator_spectral_norm": False}),
        (*[{"attention_layer": "residual"}] * 2, {"attention_layer": "residual"}),
    ],
)
def test_networks_may_differ(tmp_path, generator, discriminator, settings):
    common = {"image_size": 16, "channels": 1, "num_classes": None, "base_channels": 4}
    sagan = SAGAN(Generator(**common | generator), Discriminator(**common | discriminator))
    model = sagan.config.model
    for name, value in settings.items():
        assert getattr(model, name) == value, name
    if not settings:
        assert model == ModelConfig(16, 1, None, 4)
    sagan.save_preset(tmp_path)
    loaded = SAGAN.from_preset(tmp_path)
    assert loaded.config == sagan.config
    assert_equal_weights(loaded, sagan)
    for network in ("generator", "discriminator"):
        assert list(getattr(loaded, network).gates) == list(getattr(sagan, network).gates)


def test_a_configuration_without_the_attention_layer_is_that_of_an_attending_model(tmp_path):
    """Such files were written before there was a choice."""
    sagan = tiny()
    sagan.save_preset(tmp_path)
    content = json.loads((tmp_path / CONFIG_FILE).read_text())
    assert content["model"].pop("attention_layer") == "self_attention"
    (tmp_path / CONFIG_FILE).write_text(json.dumps(content))
    loaded = SAGAN.from_preset(tmp_path)
    assert loaded.config == sagan.config
    assert_equal_weights(loaded, sagan)
