"""Trained models, wherever they are kept."""

import pathlib

from sagan_tf.models import SAGAN, make_optimizers
from sagan_tf.training.checkpoints import Checkpoints
from sagan_tf.training.run_directory import read_config


def load_model(name_or_path):
    """The model of a preset, or of a run that may still be going on.

    Args:
        name_or_path: What `SAGAN.from_preset` takes; or the folder of a run, for its newest
            checkpoint; or the folder of a checkpoint in it.

    Returns:
        A `SAGAN`.

    Raises:
        ValueError: if there is no such preset, run or checkpoint, or its files are damaged.
    """
    path = pathlib.Path(name_or_path)
    checkpoint = path if path.parent.name == "checkpoints" else None
    run = path.parent.parent if checkpoint else path
    if not (run / "checkpoints").is_dir():
        return SAGAN.from_preset(name_or_path)
    config = read_config(run)
    recipe = config.training
    sagan = SAGAN.from_model_config(
        config.model, discriminator_steps=recipe.discriminator_steps, seed=recipe.seed
    )
    sagan.compile(*make_optimizers(recipe))
    if Checkpoints(run / "checkpoints", sagan).restore(checkpoint) is None:
        raise ValueError(f"The run in {run} has no checkpoint yet")
    return sagan
