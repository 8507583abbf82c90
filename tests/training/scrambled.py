"""Checkpoints of models whose variables are scrambled: training would only take longer."""

import numpy as np

from tests.training.small import variables

DATA, INDEX, MANIFEST = "state.data-00000-of-00001", "state.index", "manifest.json"


def scramble(sagan, step):
    """Gives all that training changes values that only this step has."""
    random = np.random.default_rng(step)
    for optimizer in (sagan.generator_optimizer, sagan.discriminator_optimizer):
        for variable in optimizer.variables:
            variable.assign(random.uniform(0, 1, variable.shape).astype(variable.dtype))
        optimizer.iterations.assign(step)
    for network in (sagan.generator, sagan.discriminator, sagan.ema_generator):
        network.set_weights([random.normal(size=weight.shape) for weight in network.weights])
    for metric in sagan.metrics:
        metric.reset_state()
        metric.update_state(random.normal(size=3))


def save(checkpoints, step, metrics=None):
    scramble(checkpoints.sagan, step)
    checkpoints.save(metrics)
    return variables(checkpoints.sagan)


def steps_in(directory):
    """The steps of the checkpoints in a folder, which must hold nothing else."""
    names = sorted(path.name for path in directory.iterdir())
    assert all(name.startswith("step_") for name in names), names
    return [int(name.removeprefix("step_")) for name in names]


def truncate(path):
    with (path / DATA).open("r+b") as file:
        file.truncate(1000)
