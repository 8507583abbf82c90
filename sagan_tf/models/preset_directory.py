"""Folders that hold the configuration and the weights of a SAGAN."""

import json
import pathlib
import tempfile

from sagan_tf.models.presets import PRESETS

CONFIG_FILE = "config.json"
_NETWORKS = ("generator", "discriminator", "ema_generator")


def shipped(path):
    """Where the package keeps a file or folder of `saved_models`, or `None` if it has none."""
    package = pathlib.Path(__file__).resolve().parents[1]
    # A wheel holds saved_models inside the package, a checkout beside it.
    for root in (package, package.parent):
        found = root / "saved_models" / path
        if found.exists():
            return found
    return None


def weights_directory(name):
    """Where the package keeps the trained weights of a named preset, or `None` without."""
    config = shipped(f"{name}/{CONFIG_FILE}")
    return config and config.parent


def write_preset(sagan, directory):
    """Writes `config.json` and a `.weights.h5` file for each network of a `SAGAN`."""
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    config = {
        "generator": _arguments(sagan.generator),
        "discriminator": _arguments(sagan.discriminator),
        "sagan": {
            "ema_decay": sagan.ema_decay,
            "discriminator_steps": sagan.discriminator_steps,
            "seed": sagan.seed,
        },
    }
    # Everything is written aside first: a full disk must not cost the preset that was there.
    with tempfile.TemporaryDirectory(dir=directory, prefix=".writing-") as aside:
        aside = pathlib.Path(aside)
        for name in _NETWORKS:
            getattr(sagan, name).save_weights(aside / f"{name}.weights.h5")
        text = json.dumps(config, indent=2) + "\n"
        (aside / CONFIG_FILE).write_text(text, encoding="utf-8")
        for path in aside.iterdir():
            path.replace(directory / path.name)


def read_config(directory):
    """The `config.json` of a preset.

    Returns:
        Dict of the arguments of `"generator"`, `"discriminator"` and `"sagan"`.

    Raises:
        ValueError: if the folder is missing, holds no preset, or its configuration cannot be read.
    """
    path = pathlib.Path(directory) / CONFIG_FILE
    if not path.is_file():
        raise ValueError(
            f"No preset at {directory}: expected the name of one ({', '.join(PRESETS)}) or a "
            f"folder written by save_preset, with a {CONFIG_FILE} in it"
        )
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from error
    expected = {"generator", "discriminator", "sagan"}
    if not isinstance(config, dict) or set(config) != expected:
        raise ValueError(f"{path} must have the keys {', '.join(sorted(expected))}")
    return config


def read_weights(sagan, directory):
    """Loads all weights; a ValueError names the file that does not fit or cannot be read."""
    for name in _NETWORKS:
        path = pathlib.Path(directory) / f"{name}.weights.h5"
        try:
            getattr(sagan, name).load_weights(path)
        except (OSError, ValueError, KeyError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ValueError(f"Cannot load weights from {path}: {reason}") from error


def _arguments(network):
    """The constructor's arguments that a preset keeps: not the name, nor the precision."""
    config = network.get_config()
    return {key: config[key] for key in config if key not in ("name", "trainable", "dtype")}
