"""Training as the program does it, from a configuration to a folder of results."""

import dataclasses
import pathlib

import keras

from sagan_tf import data
from sagan_tf.cluster import replica_batch_size
from sagan_tf.config import RunOptions
from sagan_tf.models import SAGAN, make_optimizers, transfer_weights
from sagan_tf.models.architecture import check_frozen
from sagan_tf.models.model_folder import checkpoint_name, find_model, read_config, weights_digest
from sagan_tf.models.run_folder import with_origin
from sagan_tf.training.checkpoints import Checkpoints
from sagan_tf.training.clock import Clock
from sagan_tf.training.forecast import Forecast
from sagan_tf.training.interruption import Interrupted, Interruption
from sagan_tf.training.progress_bar import ProgressBar
from sagan_tf.training.recorder import Recorder
from sagan_tf.training.run import check_run, close_run, open_run, open_scores, write_results
from sagan_tf.training.strategy import describe_strategy, draws, is_chief, make_strategy
from sagan_tf.training.timed_decay import TimedDecay
from sagan_tf.training.trainer import Trainer


def train(config, directory, options=None, make_evaluation=None, adapt_classes=False, source=None):
    """Trains a model from the last checkpoint of a run to the last step.

    It prints what it does. `SIGINT`, `SIGTERM` and `SIGHUP` save a checkpoint and end it; the same
    call goes on. With several devices, call it before anything else that runs TensorFlow.

    Args:
        config: A `Config` with a recipe.
        directory: Folder of the run, with `config.json`, `metrics.jsonl`, `tensorboard`,
            `samples`, `checkpoints` and at the end `preset`, `samples.png`, `attention.png` and
            `curves.png`. With `options.monitor` these are of the best checkpoint.
        options: A `RunOptions`. Defaults to `None`, that of `RunOptions()`.
        make_evaluation: Function of the `data.Source` by which to score, a `ModelConfig`, and the
            `data.Source` of training, that returns what `Recorder` takes as `evaluation`; it is
            called if `options.evaluate_every` is not 0. Defaults to `None`.
        adapt_classes: bool, whether the model gets as many classes as the data set has. Defaults
            to `False`, as many as `config` says.
        source: A `data.Source`, such as `data.Arrays`, in place of the data set that the recipe
            names. Defaults to `None`.

    Returns:
        The trained `SAGAN`; with `options.monitor` as it was at the best checkpoint.

    Raises:
        ValueError: if a setting does not fit the data set, the devices or the run in the folder.
        FloatingPointError: if a metric becomes NaN or infinite.
        OSError: if a file cannot be read or written.
        Interrupted: if a signal came, once all is saved.
    """
    options = options or RunOptions()
    if options.evaluate_every and make_evaluation is None:
        raise ValueError("`options.evaluate_every` needs `make_evaluation`, by which to score")
    directory = pathlib.Path(directory).expanduser()
    strategy = make_strategy(options.strategy, options.tpu)
    config, source = for_dataset(config, options, adapt_classes, source)
    replica_batch_size(
        config.recipe.batch_size, strategy.num_replicas_in_sync, config.recipe.accumulation_steps
    )
    config = with_origin(directory, config)
    check_run(directory, config, options.extend)
    # Outside of the scope: the network that scores is not replicated.
    evaluation = scored_split = None
    if options.evaluate_every:
        scored, scored_split = scored_dataset(config, options, source)
        if scored is not source and is_chief():
            print(f"Scores are against {scored_split}: {scored.describe()}")
        evaluation = make_evaluation(scored, config.model, source)
    with strategy.scope():
        return _train(config, source, directory, options, strategy, evaluation, scored_split)


def for_dataset(config, options, adapt_classes=False, source=None):
    """Opens the data set of a recipe, and fills in what the run has to know of it.

    Args:
        config: A `Config` with a recipe.
        options: A `RunOptions`, of which `data_dir` and `download` are used.
        adapt_classes: See `train`.
        source: See `train`.

    Returns:
        `(config, source)`: a `Config` with the number and the digest of the images and the names
        of the classes, and the `data.Source`.

    Raises:
        ValueError: if there is no such data set, its classes are not those of the model, or it has
            no image of a class that is generated.
    """
    recipe = config.recipe
    if source is None:
        source = _find(recipe.dataset, recipe.split, options)
    elif (recipe.split, options.evaluate_split) == ("train", None):
        config = config.override(dataset=source.name)
    else:
        raise ValueError("`split` and `evaluate_split` are of a data set that is known by its name")
    config = config.override(dataset_size=len(source), dataset_digest=source.digest())
    known, wanted = source.num_classes, config.model.num_classes
    if adapt_classes:
        if known is None:
            raise ValueError(
                f"{source.name} does not say how many classes it has: pass `num_classes`, or none"
            )
        config = config.override(num_classes=known or None)
    elif wanted is not None and known not in (None, wanted):
        raise ValueError(f"{source.name} has {known} classes. Received: num_classes={wanted}")
    # Without a real image of a class, whatever is generated of it passes.
    empty = source.empty_classes if config.model.num_classes else ()
    if empty and recipe.label_distribution == "uniform":
        shown = ", ".join(empty[:10]) + (", ..." if len(empty) > 10 else "")
        raise ValueError(
            f"{source.name} has no image of {shown} in `split`={recipe.split}, but images of it "
            "would be generated: take a larger part, or `label_distribution`=data"
        )
    if known == config.model.num_classes:
        config = dataclasses.replace(config, class_names=source.class_names)
    return config, source


def scored_dataset(config, options, source):
    """The `data.Source` by which a run is scored, and its split.

    It is that of `options.evaluate_split`. Without one, the images are those that a slice has left
    over, or those of training, the `source`, if none is left.
    """
    dataset, split = config.recipe.dataset, config.recipe.split
    if options.evaluate_split is not None:
        return _find(dataset, options.evaluate_split, options), options.evaluate_split
    where = {"data_dir": options.data_dir, "download": options.download}
    return data.find_held_out(dataset, split, **where) or (source, split)


def load_images(config, source, batch_size, start=0, decoded_dir=None):
    """Batches of a `data.Source` as a configuration wants them, see `data.load`."""
    model, recipe = config.model, config.recipe
    return data.load(
        source,
        model.image_size,
        batch_size,
        channels=model.channels,
        num_classes=model.num_classes,
        flip=recipe.flip,
        seed=recipe.seed,
        start=start,
        skip_corrupt=recipe.skip_corrupt,
        fit=recipe.fit,
        decoded_dir=decoded_dir,
    )


def make_model(config):
    """A compiled `SAGAN` with random weights, as a configuration wants it."""
    recipe = config.recipe
    keras.config.set_dtype_policy(recipe.precision)
    keras.utils.set_random_seed(recipe.seed)
    sagan = SAGAN.from_settings(config)
    check_frozen(config.model, recipe.freeze_discriminator)
    for block in sagan.discriminator.blocks[: recipe.freeze_discriminator]:
        block.trainable = False
    sagan.compile(
        *make_optimizers(config),
        loss=recipe.loss,
        penalty=recipe.penalty,
        penalty_weight=recipe.penalty_weight,
        accumulation_steps=recipe.accumulation_steps,
        global_clipnorm=recipe.global_clipnorm,
        augmentation=recipe.augmentation,
        adaptive_augmentation=recipe.adaptive_augmentation,
        consistency_weight=recipe.consistency_weight,
        label_distribution=recipe.label_distribution,
    )
    return sagan


def begin_with(sagan, recipe):
    """Gives a model the weights that its recipe names; a ValueError if they are others now."""
    folder = find_model(recipe.init_from)
    if weights_digest(folder) != recipe.init_digest:
        raise ValueError(
            f"`init_from`: {recipe.init_from} has other weights than this run was begun with: "
            "choose another directory"
        )
    transfer_weights(SAGAN.from_preset(folder), sagan)


def _find(name, split, options):
    return data.find_dataset(name, split, data_dir=options.data_dir, download=options.download)


def _train(config, source, directory, options, strategy, evaluation, scored_split):
    model, recipe = config.model, config.recipe
    sagan = make_model(config)
    checkpoints = Checkpoints(
        directory / "checkpoints", sagan, options.keep, options.monitor, options.mode
    )
    found = checkpoints.restore()
    if recipe.init_from and not found:
        begin_with(sagan, recipe)
    images_per_step = recipe.batch_size * model.discriminator_steps
    clock = Clock(recipe.max_minutes)
    recorder = Recorder(directory, images_per_step, options, checkpoints, evaluation, clock)
    recorder.check_monitor(sagan)
    dataset = load_images(config, source, images_per_step, sagan.step, options.decoded_dir)
    open_run(directory, config, options.extend)
    if evaluation is not None:
        open_scores(directory, evaluation.settings | {"split": scored_split})
    say = print if is_chief() else lambda text: None
    say(f"{recipe.dataset}: {source.describe()}")
    say(f"Settings are in {directory / 'config.json'}")
    say(describe_strategy(strategy))
    if found:
        say(f"Going on from {found}")
    callbacks = [ProgressBar(images_per_step, clock), Forecast(clock, images_per_step), recorder]
    if recipe.learning_rate_schedule == "linear" and recipe.max_minutes is not None:
        callbacks.append(TimedDecay(clock, recipe))
    with Interruption(sagan) as interruption:
        Trainer(sagan, strategy, options.steps_per_loop).fit(dataset, recipe.steps, callbacks)
    if sagan.step < recorder.end:
        text = f"Stopped after step {sagan.step} of {recipe.steps}"
        if recipe.max_minutes is not None:
            text += f" and {clock.seconds / 60:.1f} of {recipe.max_minutes:g} minutes"
        text += f"; all is in {checkpoints.last}"
        raise Interrupted(text, interruption.signal)
    if recorder.ended_by:
        say(f"Ended after step {sagan.step}: {recorder.ended_by}")
    last_step = sagan.step
    if options.monitor and _go_to_best(sagan, checkpoints, clock):
        say(f"Results are of step {sagan.step}, the best by {options.monitor}")
    if draws():
        for name, path in write_results(sagan, directory).items():
            say(f"{name + ':':12} {path}")
        say(f"{'metrics:':12} {directory / 'metrics.jsonl'}, tensorboard --logdir {directory}")
    close_run(directory, config, last_step)
    return sagan


def _go_to_best(sagan, checkpoints, clock):
    """Brings a model to the best checkpoint, on all workers; returns whether there is one."""
    # The chief has written all checkpoints when it says which.
    best = checkpoints.best if is_chief() else None
    step = int(clock.of_chief(read_config(best)[1]["step"] if best else -1))
    if step not in (-1, sagan.step):
        checkpoints.restore(checkpoints.directory / checkpoint_name(step))
        sagan.recalibrate()
    return step != -1
