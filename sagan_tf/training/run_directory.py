"""The folder of a training run."""

import fcntl
import json
import pathlib

from absl import logging

from sagan_tf.config import Config, ModelConfig, TrainingConfig
from sagan_tf.files import read_json_lines
from sagan_tf.training.strategy import is_chief
from sagan_tf.visualization import attention_picture, class_grid, training_curves

_CONFIG = "config.json"
_SCORES = "evaluation.json"
_locks: dict = {}


def check_run(directory, config, extend=False):
    """Refuses a folder that holds a run of another configuration; changes nothing.

    Args:
        directory: Folder of a run, or none yet.
        config: The `Config` of the run that is to begin or to go on in it.
        extend: bool, whether `config` may have more steps than the run in the folder, unless its
            learning rates depend on their number. Defaults to `False`.

    Raises:
        ValueError: if the configurations differ; the message shows where.
    """
    path = pathlib.Path(directory) / _CONFIG
    if not path.exists():
        return
    difference = _difference(_read(path), config.to_dict(), extend)
    if difference:
        raise ValueError(
            f"{directory} holds a run of another configuration ({'; '.join(difference)}): "
            "choose another --model_dir"
        )


def open_run(directory, config, extend=False):
    """Creates the folder of a run, locks it and writes the run's resolved configuration.

    The lock lasts as long as the process: two runs in one folder would overwrite each other's
    files. On several workers only the chief writes and locks.

    Args:
        directory: Folder of the run. It may exist, and hold a run of the same configuration.
        config: The run's `Config`.
        extend: See `check_run`.

    Returns:
        The folder as a `pathlib.Path`.

    Raises:
        ValueError: as `check_run`.
        OSError: if the folder cannot be written, or another process trains in it.
    """
    directory = pathlib.Path(directory)
    if not is_chief():
        return directory
    check_run(directory, config, extend)
    directory.mkdir(parents=True, exist_ok=True)
    _lock(directory)
    _write(directory / _CONFIG, config.to_dict())
    return directory


def open_scores(directory, settings):
    """Writes what the scores of a run depend on into its folder, or refuses where others are there.

    Figures of different settings in one `metrics.jsonl` would be taken for progress, and for the
    best checkpoint. Only the chief writes.

    Args:
        directory: Folder that `open_run` has returned.
        settings: Dict, ready for JSON.

    Raises:
        ValueError: if the settings differ, the message shows where, or the file is broken.
    """
    path = pathlib.Path(directory) / _SCORES
    if path.exists():
        found, wanted = _read_json(path), json.loads(json.dumps(settings))
        if not isinstance(found, dict):
            raise ValueError(f"{path} does not hold the settings of scores: remove it")
        difference = [
            f"{key}={found.get(key)} there, {here} here"
            for key, here in wanted.items()
            if found.get(key) != here
        ]
        if difference:
            raise ValueError(
                f"{directory} is scored by other settings ({'; '.join(difference)}): go on with "
                "those, or choose another --model_dir"
            )
    elif is_chief():
        _write(path, settings)


def _write(path, content):
    aside = path.with_name(f"{path.name}.writing")
    aside.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    aside.replace(path)


def _lock(directory):
    if directory.resolve() in _locks:
        return
    file = (directory / ".lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise OSError(f"Another process is training in {directory}") from error
    except OSError as error:
        logging.warning("No lock on %s, on a file system without: %s", directory, error)
    # Kept open, and so locked, until the process ends.
    _locks[directory.resolve()] = file


def read_config(directory):
    """The `Config` of the run in a folder.

    Raises:
        ValueError: if there is none, or it cannot be understood.
    """
    path = pathlib.Path(directory) / _CONFIG
    if not path.exists():
        raise ValueError(f"{directory} is not the folder of a run: it has no {_CONFIG}")
    found = _read(path)
    try:
        return Config(ModelConfig(), TrainingConfig(), found["source"]).override(
            **found["model"], **found["training"]
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not the configuration of a run: {error}") from error


def _read_json(path):
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from error


def _read(path):
    config = _read_json(path)
    parts = ("model", "training")
    if not isinstance(config, dict) or not all(
        isinstance(config.get(part), dict) for part in parts
    ):
        raise ValueError(f"{path} is not the configuration of a run")
    return config


def _difference(found, wanted, extend):
    """Texts `"key=value there, value here"`, one for each key that differs."""
    constant = wanted["training"]["learning_rate_schedule"] == "constant"
    difference = []
    for part in ("model", "training"):
        for key, here in json.loads(json.dumps(wanted[part])).items():
            there = found[part].get(key)
            longer = key == "steps" and constant and type(there) is int and here > there
            if there == here or (longer and extend):
                continue
            hint = ", which --extend allows" if longer else ""
            difference.append(f"{key}={there} there, {here} here{hint}")
    return difference


def write_results(sagan, directory):
    """Writes what a run leaves behind.

    Args:
        sagan: The trained `SAGAN`.
        directory: The run's folder, with its `metrics.jsonl`.

    Returns:
        Dict from what it is to its path: preset, samples, attention (if the generator attends)
        and curves (if there are records).
    """
    directory = pathlib.Path(directory)
    paths = {"preset": directory / "preset"}
    sagan.save_preset(paths["preset"])
    pictures = {"samples": class_grid(sagan)}
    if sagan.generator.gates:
        pictures["attention"] = attention_picture(sagan)
    records = read_json_lines(directory / "metrics.jsonl")
    if records:
        pictures["curves"] = training_curves(records)
    for name, picture in pictures.items():
        paths[name] = directory / f"{name}.png"
        picture.save(paths[name])
    return paths
