r"""Trains a SAGAN on a data set, with pictures and curves on the way.

On a laptop, in a few minutes:

  python experiments/train.py --preset=sagan_digits_16 --model_dir=runs/digits

On a folder of images, one folder per class, with a smaller network:

  python experiments/train.py --preset=sagan_imagenet_64 --model_dir=runs/flowers \
      --dataset=~/flowers --set=base_channels=32 --set=flip=True --steps=50000

Any other setting of the preset changes with --set=KEY=VALUE; a wrong key lists the valid ones.

^C or a SIGTERM saves a checkpoint and leaves. Whatever ended a run, the same command goes on with
it; on one CPU it ends with the same weights, bit for bit, as if nothing had happened.

On all GPUs of this host, or on several hosts (see README.md, "Scaling out"):

  python experiments/train.py --strategy=mirrored --preset=sagan_imagenet_128 --model_dir=runs/in \
      --dataset=imagenet2012 --batch_size=256
"""

import os
import pathlib
import shlex
import signal
import sys

from absl import flags

from experiments import program, scoring

FLAGS = flags.FLAGS
flags.adopt_module_key_flags(scoring)  # So that --help shows them.
flags.DEFINE_string("preset", "sagan_digits_16", "Named preset that everything else changes.")
flags.DEFINE_string("model_dir", None, "Folder of the run.", required=True)
flags.DEFINE_string(
    "dataset", None, "digits, a TFDS name such as cifar10, or a folder of images, one per class."
)
flags.DEFINE_string("data_dir", None, "Where TFDS keeps its data sets.")
flags.DEFINE_string("split", None, "Split of the data set, or a slice of one: train[:90%].")
flags.DEFINE_bool("skip_corrupt", None, "Replace images that cannot be read, and count them.")
flags.DEFINE_integer("steps", None, "Generator updates.")
flags.DEFINE_bool("extend", False, "Let a run go on to more --steps than it was begun with.")
flags.DEFINE_integer(
    "batch_size", None, "Real images per discriminator update, on all devices together."
)
flags.DEFINE_integer(
    "accumulation_steps", None, "Slices into which an update divides its batch, to save memory."
)
flags.DEFINE_integer("seed", None, "Seed of everything random.")
flags.DEFINE_enum("precision", None, ["float32", "mixed_bfloat16"], "Of the computation.")
flags.DEFINE_string("loss", None, "hinge, wasserstein, non_saturating or least_squares.")
flags.DEFINE_multi_string("set", [], "KEY=VALUE, a setting to change. May be repeated.")
flags.DEFINE_integer("log_every", 50, "Steps between two records of the metrics.", lower_bound=1)
flags.DEFINE_integer("sample_every", 500, "Steps between two sample grids.", lower_bound=1)
flags.DEFINE_integer("checkpoint_every", 500, "Steps between two checkpoints.", lower_bound=1)
flags.DEFINE_integer("evaluate_every", 0, "Steps between two evaluations; 0: none.", lower_bound=0)
flags.DEFINE_integer("keep", 3, "How many of the newest checkpoints to keep.", lower_bound=1)
flags.DEFINE_string(
    "monitor", None, "Metric, such as fid, by which the best checkpoint is kept as well."
)
flags.DEFINE_enum("mode", "min", ["min", "max"], "Which value of --monitor is best.")
flags.DEFINE_enum(
    "strategy",
    "auto",
    ["auto", "none", "mirrored", "multiworker", "tpu"],
    "Over which devices to train. auto: the TPU if --tpu names one, the hosts of TF_CONFIG, all "
    "GPUs of this host, or one device.",
)
flags.DEFINE_string("tpu", None, "Name or address of a TPU; local on the TPU's own host.")
flags.DEFINE_integer("steps_per_loop", 1, "Steps per call of TensorFlow.", lower_bound=1)


def main():
    from sagan_tf import training

    if "://" in FLAGS.model_dir:
        raise ValueError(
            f"--model_dir must be a folder of this machine. Received: {FLAGS.model_dir}"
        )
    check_scoring_flags()
    strategy = training.make_strategy(FLAGS.strategy, FLAGS.tpu)
    config, source = configure()
    recipe = config.training
    replicas = strategy.num_replicas_in_sync
    training.replica_batch_size(recipe.batch_size, replicas, recipe.accumulation_steps)
    training.check_run(run_directory(), config, FLAGS.extend)
    # Outside of the scope: the features' network is not replicated.
    evaluation = None
    if FLAGS.evaluate_every:
        evaluation = scoring.make_evaluation(source, config.model, config.training.skip_corrupt)
    with strategy.scope():
        train(config, source, strategy, evaluation)


def check_scoring_flags():
    """Refuses flags that would do nothing because nothing is scored."""
    from sagan_tf.evaluation import FIGURES

    idle = scoring.given_flags()
    if FLAGS.monitor in (*sum(FIGURES.values(), ()), "recognised"):
        idle.append(f"--monitor={FLAGS.monitor}")
    if idle and not FLAGS.evaluate_every:
        raise ValueError(f"{', '.join(idle)}: nothing is scored without --evaluate_every=STEPS")


def run_directory():
    return pathlib.Path(FLAGS.model_dir).expanduser()


def configure():
    """The run's `Config` and its data set, as the flags want them."""
    from sagan_tf import data
    from sagan_tf.models import preset

    config = preset(FLAGS.preset)
    settings = (
        "dataset",
        "split",
        "skip_corrupt",
        "steps",
        "batch_size",
        "accumulation_steps",
        "seed",
        "precision",
        "loss",
    )
    changes = {name: FLAGS[name].value for name in settings if FLAGS[name].value is not None}
    config = config.override(**changes).override_text(FLAGS.set)
    source = data.find_dataset(
        config.training.dataset,
        split=config.training.split,
        data_dir=FLAGS.data_dir,
        download=FLAGS.download,
    )
    classes_chosen = any(text.startswith("num_classes=") for text in FLAGS.set)
    other_data = config.training.dataset != preset(FLAGS.preset).training.dataset
    if other_data and not classes_chosen and source.num_classes:
        config = config.override(num_classes=source.num_classes)
    return config.override(num_images=len(source)), source


def make_model(config):
    """A compiled `SAGAN`."""
    import keras

    from sagan_tf import SAGAN
    from sagan_tf.models import make_optimizers

    recipe = config.training
    keras.config.set_dtype_policy(recipe.precision)
    keras.utils.set_random_seed(recipe.seed)
    sagan = SAGAN.from_model_config(
        config.model, discriminator_steps=recipe.discriminator_steps, seed=recipe.seed
    )
    sagan.compile(
        *make_optimizers(recipe),
        loss=recipe.loss,
        penalty=recipe.penalty,
        penalty_weight=recipe.penalty_weight,
        accumulation_steps=recipe.accumulation_steps,
        global_clipnorm=recipe.global_clipnorm,
    )
    return sagan


def train(config, source, strategy, evaluation=None):
    """Trains from the last checkpoint to the last step, or until a signal comes."""
    from sagan_tf import data, training
    from sagan_tf.evaluation import Evaluator

    recipe = config.training
    directory = run_directory()
    sagan = make_model(config)
    checkpoints = training.Checkpoints(
        directory / "checkpoints", sagan, FLAGS.keep, FLAGS.monitor, FLAGS.mode
    )
    found = checkpoints.restore()
    images_per_step = recipe.batch_size * recipe.discriminator_steps
    dataset = data.load(
        source,
        config.model.image_size,
        images_per_step,
        channels=config.model.channels,
        num_classes=config.model.num_classes,
        flip=recipe.flip,
        seed=recipe.seed,
        start=sagan.step,
        skip_corrupt=recipe.skip_corrupt,
    )
    training.open_run(directory, config, FLAGS.extend)
    if evaluation is not None:
        training.open_scores(directory, evaluation.settings)
    say = print if training.is_chief() else lambda text: None
    say(f"{len(source)} images of {recipe.dataset}; settings in {directory / 'config.json'}")
    say(training.describe(strategy))
    if found:
        say(f"Going on from {found}")

    steps = recipe.steps
    trainer = training.Trainer(sagan, strategy, FLAGS.steps_per_loop)
    log_every, checkpoint_every = FLAGS.log_every, FLAGS.checkpoint_every
    evaluators, figures = [], []
    if evaluation is not None:
        evaluators = [Evaluator(evaluation, FLAGS.evaluate_every, steps)]
        figures = evaluators[0].names
        # What is found is recorded, and so is what it was found of.
        log_every = log_every, FLAGS.evaluate_every
        checkpoint_every = checkpoint_every, FLAGS.evaluate_every
    callbacks = [
        training.Watchdog(FLAGS.log_every, steps, checkpoints),
        training.ProgressBar(steps, images_per_step),
        *evaluators,
        training.MetricsLogger(directory, log_every, images_per_step, steps),
        training.SampleWriter(directory, FLAGS.sample_every, steps),
        training.CheckpointWriter(checkpoints, checkpoint_every, steps, figures),
    ]
    with training.Interruption(sagan) as interruption:
        trainer.fit(dataset, steps, callbacks)
    if sagan.step < steps:
        say(f"Stopped after step {sagan.step} of {steps}; all is in {checkpoints.last}")
        say("To go on, give the same command again")
        if "TF_CONFIG" not in os.environ:
            say(f"  {shlex.join([sys.executable, *sys.argv])}")
        # Another worker may have got the signal.
        sys.exit(128 + (interruption.signal or signal.SIGTERM))
    if training.is_chief():
        for name, path in training.write_results(sagan, directory).items():
            print(f"{name + ':':12} {path}")
        print(f"{'metrics:':12} {directory / 'metrics.jsonl'}, tensorboard --logdir {directory}")


if __name__ == "__main__":
    program.run(main)
