"""The model folder: `config.json` and `model.weights.h5`.

A preset is a model folder. A checkpoint is one whose weights hold both optimizers as well. The
folder of a run has a `config.json` without weights, and its checkpoints in `checkpoints`.
"""

import contextlib
import io
import itertools
import pathlib
import shutil
import tempfile

from absl import logging

from sagan_tf import files
from sagan_tf.config import Config
from sagan_tf.models.architecture import discriminator_plan, generator_plan
from sagan_tf.models.presets import PRESETS
from sagan_tf.settings import unknown_name

CONFIG_FILE, WEIGHTS_FILE, CHECKPOINTS = "config.json", "model.weights.h5", "checkpoints"
_PREFIX, _PRESET = "step_", "preset:"


def _is_count(value):
    return type(value) is int and 0 <= value < 2**63


def _is_file(value):
    return value is None or (
        isinstance(value, dict)
        and value.keys() == {"bytes", "sha256"}
        and _is_count(value["bytes"])
        and isinstance(value["sha256"], str)
    )


_STATE = {"step": _is_count, "seed": _is_count, "weights": _is_file}


class DamagedError(ValueError):
    """A model folder is not as it was written."""


def bundled_path(path):
    """Where the package keeps a file or folder of `saved_models`, or `None` if it has none."""
    package = pathlib.Path(__file__).resolve().parents[1]
    # A wheel holds saved_models inside the package, a checkout beside it.
    for root in (package, package.parent):
        found = root / "saved_models" / path
        if found.exists():
            return found
    return None


def find_model(name_or_path):
    """The model folder that a user means.

    Args:
        name_or_path: Name of a preset, which may stand after `preset:`; path of a model folder; or
            path of a run, which stands for its preset if it is finished or has no checkpoints, and
            otherwise for the newest of its checkpoints that is not damaged.

    Returns:
        Path of a folder that holds weights, whose digest has not been checked.

    Raises:
        ValueError: if there is no such preset, model or checkpoint, or it is the name of a preset
            and of another folder.
    """
    name = str(name_or_path).removeprefix(_PRESET)
    folder = pathlib.Path(name).expanduser()
    if name in PRESETS:
        bundled = bundled_path(name)
        if name == str(name_or_path) and folder.exists() and not _same(folder, bundled):
            raise ValueError(
                f"{name} is a preset, and a folder here: say {_PRESET}{name} or ./{name}"
            )
        if bundled is None:
            raise ValueError(
                f"Preset {name} has no trained weights: train it, or pass load_weights=False for "
                "random ones"
            )
        return bundled
    if (folder / CHECKPOINTS).is_dir():
        return _finished_preset(folder) or _newest_checkpoint(folder)
    if not (folder / CONFIG_FILE).is_file():
        if not folder.exists() and folder.name == name:
            raise unknown_name("model", name, PRESETS)
        raise ValueError(
            f"No model at {folder}: expected the name of a preset ({', '.join(PRESETS)}), or a "
            f"folder with a {CONFIG_FILE} in it"
        )
    if read_config(folder)[1]["weights"] is None:
        if not (folder / "preset" / CONFIG_FILE).is_file():
            raise ValueError(f"The run in {folder} has no checkpoint yet")
        return folder / "preset"
    return folder


def find_config(name_or_path):
    """The `Config` of the model that a user means; see `find_model`."""
    while True:
        folder = find_model(name_or_path)
        try:
            return read_config(folder)[0]
        except DamagedError:
            # A run that is going on removes its older checkpoints.
            if folder.exists():
                raise


def _same(folder, other):
    return other is not None and folder.samefile(other)


def checkpoint_paths(directory):
    """List of the checkpoints' folders in a folder, oldest first."""
    found = []
    for path in directory.glob(f"{_PREFIX}*"):
        if (name := path.name.removeprefix(_PREFIX)).isdecimal():
            step = int(name)
            with contextlib.suppress(DamagedError):
                step = read_config(path)[1]["step"]
            found.append((step, path))
    return [path for _, path in sorted(found)]


def checkpoint_name(step):
    """Name of the folder of the checkpoint of a step."""
    return f"{_PREFIX}{step:07d}"


def _finished_preset(run):
    """The preset of a run whose `config.json` says at which step it ended, or `None`."""
    with contextlib.suppress(DamagedError):
        if read_config(run)[1]["step"] and (run / "preset" / CONFIG_FILE).is_file():
            return run / "preset"


def _newest_checkpoint(run):
    paths, before = checkpoint_paths(run / CHECKPOINTS), None
    # While the run is going on, checkpoints come and go.
    while paths != before:
        for path in reversed(paths):
            try:
                check_weights(path)
                return path
            except DamagedError as error:
                if path.exists():
                    logging.warning("A damaged checkpoint is passed over: %s", error)
        paths, before = checkpoint_paths(run / CHECKPOINTS), paths
    if paths:
        raise ValueError(f"All checkpoints in {run / CHECKPOINTS} are damaged")
    raise ValueError(f"The run in {run} has no checkpoint yet")


def read_config(directory):
    """Reads the `config.json` of a model folder.

    Returns:
        `(config, state)`: a `Config`, and a dict of what else is known: `step`, `seed`, `weights`
        (digest and size of the file, `None` in the folder of a run), and what the writer added.

    Raises:
        DamagedError: if the file is missing, or is no such configuration.
    """
    path = pathlib.Path(directory) / CONFIG_FILE
    try:
        content = files.read_json(path)
        config = Config.from_dict(content)
        state = {name: content[name] for name in content if not hasattr(config, name)}
        for name, is_valid in _STATE.items():
            if not is_valid(state[name]):
                raise ValueError(f"{name}={state[name]!r}"[:80])
    except OSError as error:
        raise DamagedError(f"{path}: {error.strerror}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = files.one_line(error)
        raise DamagedError(f"{path} is not the configuration of a model: {reason}") from error
    return config, state


def check_weights(directory):
    """Reads a model folder's configuration, and compares its weights with their digest.

    Returns:
        As `read_config`.

    Raises:
        DamagedError: as `read_config`, or if the weights are missing or not as they were written.
    """
    config, state = read_config(directory)
    path = pathlib.Path(directory) / WEIGHTS_FILE
    try:
        intact = _fingerprint(path) == state["weights"]
    except OSError as error:
        raise DamagedError(f"{path}: {error.strerror}") from error
    least = _least_bytes(config.model)
    if state["weights"] and least > state["weights"]["bytes"]:
        # It is said before memory is asked for.
        raise DamagedError(f"{path} is too small for the model of {CONFIG_FILE}")
    if not intact:
        # Whoever was killed while replacing a preset has left the new configuration beside it.
        for aside in pathlib.Path(directory).glob(f"{files.ASIDE}*"):
            with contextlib.suppress(DamagedError):
                config, state = read_config(aside)
                if _fingerprint(path) == state["weights"]:
                    return config, state
        raise DamagedError(f"{path} is not as it was written")
    return config, state


def weights_digest(directory):
    """16 hexadecimal digits by which the weights of a model folder are known; see above."""
    return check_weights(directory)[1]["weights"]["sha256"][:16]


def _least_bytes(model):
    """How many bytes the weights of a `ModelConfig` take at least: these are not all kernels."""
    generator = generator_plan(model).widths
    discriminator = discriminator_plan(model.of_discriminator()).widths
    kernels = [16 * model.latent_dim * generator[0]]
    for widths in (generator, (model.channels, *discriminator)):
        kernels += [9 * before * after for before, after in itertools.pairwise(widths)]
    tables = (model.num_classes or 0) * (2 * generator[0] + discriminator[-1])
    return 2 * (sum(kernels) + tables)


def write_config(directory, config, seed, step=0, weights=None, **state):
    """Writes a `config.json`; the other arguments are those that `read_config` returns."""
    content = {**config.to_dict(), "step": step, "seed": seed, **state, "weights": weights}
    files.write_json(pathlib.Path(directory) / CONFIG_FILE, content)


def write_model(sagan, directory, optimizers=False, **state):
    """Writes the two files of a model folder into a folder.

    Args:
        sagan: A `SAGAN`.
        directory: Folder, which exists.
        optimizers: bool, whether the weights hold those of the optimizers. Defaults to `False`.
        **state: What else `config.json` is to hold, ready for JSON.
    """
    path = pathlib.Path(directory) / WEIGHTS_FILE
    save_weights(sagan if optimizers else sagan.without_optimizers(), path)
    write_config(directory, sagan.config, sagan.seed, sagan.step, _fingerprint(path), **state)


def save_weights(model, path):
    """Writes the weights of a Keras model as `Model.save_weights` does; a full disk is an OSError.

    The file is composed in memory: HDF5 itself ends the process by a segmentation fault when it
    cannot write (measured with HDF5 1.14.6).
    """
    memory = _NamedMemory()
    model.save_weights(memory)
    pathlib.Path(path).write_bytes(memory.getbuffer())


class _NamedMemory(io.BytesIO):
    """A file in memory, with the name that Keras asks of a file of weights."""

    def __str__(self):
        return WEIGHTS_FILE


def write_preset(sagan, directory):
    """Writes a model folder in the place of the one in `directory`; other files there stay."""
    directory = pathlib.Path(directory).expanduser()
    directory.mkdir(parents=True, exist_ok=True)
    abandoned = list(directory.glob(f"{files.ASIDE}*"))
    # Everything is written aside first: a full disk must not cost the model that was there. The
    # configuration comes last: until then `check_weights` finds it here.
    temporary = tempfile.TemporaryDirectory(dir=directory, prefix=files.ASIDE)
    with temporary as aside, files.naming(directory, aside):
        write_model(sagan, aside)
        files.flush(pathlib.Path(aside, WEIGHTS_FILE))
        for name in (WEIGHTS_FILE, CONFIG_FILE):
            pathlib.Path(aside, name).replace(directory / name)
        files.flush(directory)
    for folder in abandoned:
        shutil.rmtree(folder, ignore_errors=True)


def read_weights(sagan, directory):
    """Loads the weights of a model folder; a ValueError says what does not fit."""
    import h5py  # It is slow to import, and what is asked of a folder is answered before.

    from sagan_tf.models.hdf5 import check_plain

    path = pathlib.Path(directory) / WEIGHTS_FILE
    try:
        with h5py.File(path) as file:
            check_plain(file)
        sagan.load_weights(path)
    except Exception as error:  # Keras and HDF5 have many errors for what does not fit.
        reason = files.one_line(error)
        raise ValueError(f"Cannot load weights from {path}: {reason}") from error


def _fingerprint(path):
    return {"bytes": path.stat().st_size, "sha256": files.sha256(path)}
