"""The folder of a training run."""

import pathlib

from absl import logging

from sagan_tf import files
from sagan_tf.models.model_folder import CHECKPOINTS, write_config
from sagan_tf.models.run_folder import check_run
from sagan_tf.training.strategy import is_chief
from sagan_tf.visualization import attention_picture, class_grid, training_curves

_SCORES = "evaluation.json"
_locks: dict = {}


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
    for folder in (directory, directory / "samples", directory / CHECKPOINTS):
        files.remove_abandoned(folder)
    write_config(directory, config, config.recipe.seed)
    return directory


def close_run(directory, config, step):
    """Records that a run ended at a step. Until it goes on, its folder stands for its preset."""
    if is_chief():
        write_config(directory, config, config.recipe.seed, step)


def open_scores(directory, settings):
    """Records the settings by which a run is scored, or refuses if it was scored by others.

    Scores by different settings in one `metrics.jsonl` would be taken for progress, and for the
    best checkpoint. Only the chief writes.

    Args:
        directory: Folder that `open_run` has returned.
        settings: Dict, ready for JSON.

    Raises:
        ValueError: if the settings differ, the message shows where, or the file is broken.
    """
    path = pathlib.Path(directory) / _SCORES
    if path.exists():
        difference = files.settings_differences(path, settings)
        if difference:
            raise ValueError(
                f"{directory} is scored by other settings ({'; '.join(difference)}): go on with "
                "those, or choose another directory"
            )
    elif is_chief():
        files.write_json(path, settings)


def write_results(sagan, directory):
    """Writes what a run leaves behind; on several workers only the chief writes.

    Args:
        sagan: The trained `SAGAN`.
        directory: The run's folder, with its `metrics.jsonl`.

    Returns:
        Dict from what it is to its path: preset, samples, attention (if the generator attends)
        and curves (if there are records).
    """
    directory = pathlib.Path(directory)
    paths = {"preset": directory / "preset"}
    if is_chief():
        sagan.save_preset(paths["preset"])
    pictures = {"samples": class_grid(sagan)}
    if sagan.generator.gates:
        pictures["attention"] = attention_picture(sagan)
    records = files.read_json_lines(directory / "metrics.jsonl")
    if records:
        pictures["curves"] = training_curves(records)
    for name, picture in pictures.items():
        paths[name] = directory / f"{name}.png"
        if is_chief():
            files.write_picture(paths[name], picture)
    return paths


def _lock(directory):
    if directory.resolve() in _locks:
        return
    try:
        # Kept open, and so locked, until the process ends.
        _locks[directory.resolve()] = files.lock(directory / ".lock")
    except BlockingIOError as error:
        raise OSError(f"Another process is training in {directory}") from error
    except OSError as error:
        logging.warning("%s is not locked, as its file system has no locks: %s", directory, error)
