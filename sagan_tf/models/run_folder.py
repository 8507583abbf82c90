"""The `config.json` of a run, and whether another configuration may go on with it."""

import contextlib
import dataclasses
import math
import pathlib

from absl import logging

from sagan_tf.models.model_folder import (
    CHECKPOINTS,
    CONFIG_FILE,
    DamagedError,
    checkpoint_paths,
    find_model,
    read_config,
    weights_digest,
)

_KNOWN = {"step", "seed", "weights"}
# What says how long a run goes on.
_EXTENSIBLE = {"steps", "max_minutes"}


def check_run(directory, config, extend=False):
    """Refuses a folder that holds a run of another configuration; it changes nothing.

    Args:
        directory: Folder of a run, or none yet.
        config: The `Config` of the run that is to begin or to go on in it. Before its data set has
            been opened (`dataset_size` is `None`), what that decides is not compared.
        extend: bool, whether `config` may have more steps or minutes than the run in the folder,
            unless its learning rates depend on them. Defaults to `False`.

    Raises:
        ValueError: if the configurations differ; the message shows where.
    """
    directory = pathlib.Path(directory)
    if not (directory / CONFIG_FILE).exists():
        return
    found, state = _read_run(directory)
    if found.recipe is None or state["weights"] is not None:
        raise ValueError(f"{directory} holds a model that is no run: choose another directory")
    if unknown := state.keys() - _KNOWN:
        # It would be lost: the file is written anew.
        raise ValueError(
            f"{directory} holds a run of another version, whose {CONFIG_FILE} has "
            f"{', '.join(sorted(unknown))}: choose another directory"
        )
    ours, theirs = config.recipe, found.recipe
    if ours.dataset_size is None:
        known = {name: getattr(theirs, name) for name in ("dataset", "dataset_size")}
        config = config.override(**known, num_classes=found.model.num_classes)
        names = config.class_names or found.class_names
        config = dataclasses.replace(config, class_names=names)
    elif theirs.dataset_digest is not None and ours.dataset_digest == theirs.dataset_digest:
        # The same images may lie elsewhere.
        config = config.override(dataset=theirs.dataset)
    config = config.override(dataset_digest=theirs.dataset_digest)
    difference = config.model.differences(found.model) | config.recipe.differences(theirs)
    digests = {ours.dataset_digest, theirs.dataset_digest}
    if len(digests) == 2 and None not in digests:
        sizes = f"{theirs.dataset_size} there, {ours.dataset_size} here"
        difference["dataset_size"] = f"other images, {sizes}"
    if config.class_names != found.class_names:
        names = [", ".join(each.class_names or ("unknown",)) for each in (found, config)]
        difference["class_names"] = f"classes {names[0]} there, {names[1]} here"
    if config.recipe.learning_rate_schedule == "constant":
        for name in difference.keys() & _EXTENSIBLE:
            there, here = (getattr(each, name) or math.inf for each in (theirs, config.recipe))
            if here > there and extend:
                del difference[name]
            elif here > there:
                difference[name] += ", which `extend` allows"
    if difference:
        raise ValueError(
            f"{directory} holds a run of another configuration ({'; '.join(difference.values())}): "
            "choose another directory"
        )


def with_origin(directory, config):
    """A `Config` that tells the digest of the weights that a run begins with.

    A run that goes on does not ask for them: they may have changed since, or be gone.

    Raises:
        ValueError: if a run that begins does not find them.
    """
    if config.recipe.init_from is None:
        return config
    with contextlib.suppress(DamagedError):
        found, _ = _read_run(pathlib.Path(directory))
        if found.recipe and found.recipe.init_digest:
            return config.override(init_digest=found.recipe.init_digest)
    return config.override(init_digest=weights_digest(find_model(config.recipe.init_from)))


def recorded_config(directory):
    """The `Config` of the run in a folder; `None` if there is no run."""
    if not (directory / CONFIG_FILE).exists():
        return None
    config, _ = _read_run(directory)
    return config if config.recipe else None


def _read_run(directory):
    """As `read_config`; if the file of a run is damaged, its newest checkpoint knows the same."""
    try:
        return read_config(directory)
    except DamagedError as error:
        for path in reversed(checkpoint_paths(directory / CHECKPOINTS)):
            with contextlib.suppress(DamagedError):
                config, state = read_config(path)
                logging.warning("%s, and is written anew after that of %s", error, path)
                return config, {"step": 0, "seed": state["seed"], "weights": None}
        raise
