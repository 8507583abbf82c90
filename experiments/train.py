r"""Trains a SAGAN on a data set, with pictures and curves on the way.

On a laptop, in a few minutes:

  python experiments/train.py --preset=sagan_digits_16 --model_dir=runs/digits

On a folder of images, one folder per class, with a smaller network:

  python experiments/train.py --preset=sagan_imagenet_64 --model_dir=runs/flowers \
      --dataset=~/flowers --set=base_channels=32 --set=flip=True --steps=50000

Any other setting of the preset changes with --set=KEY=VALUE; a wrong key lists the valid ones.
"""

from absl import flags

from experiments import program

FLAGS = flags.FLAGS
flags.DEFINE_string("preset", "sagan_digits_16", "Named preset that everything else changes.")
flags.DEFINE_string("model_dir", None, "Folder of the run.", required=True)
flags.DEFINE_string(
    "dataset", None, "digits, a TFDS name such as cifar10, or a folder of images, one per class."
)
flags.DEFINE_string("data_dir", None, "Where TFDS keeps its data sets.")
flags.DEFINE_string("split", "train", "Split of the data set.")
flags.DEFINE_bool("download", False, "Fetch a TFDS data set that is not there.")
flags.DEFINE_bool("skip_corrupt", False, "Replace images that cannot be read, and count them.")
flags.DEFINE_integer("steps", None, "Generator updates.")
flags.DEFINE_integer("batch_size", None, "Real images per discriminator update.")
flags.DEFINE_integer("seed", None, "Seed of everything random.")
flags.DEFINE_enum("precision", None, ["float32", "mixed_bfloat16"], "Of the computation.")
flags.DEFINE_string("loss", None, "hinge, wasserstein, non_saturating or least_squares.")
flags.DEFINE_multi_string("set", [], "KEY=VALUE, a setting to change. May be repeated.")
flags.DEFINE_integer("log_every", 50, "Steps between two records of the metrics.", lower_bound=1)
flags.DEFINE_integer("sample_every", 500, "Steps between two sample grids.", lower_bound=1)


def main():
    from sagan_tf.models import preset

    config = preset(FLAGS.preset)
    named = ("dataset", "steps", "batch_size", "seed", "precision", "loss")
    changes = {name: FLAGS[name].value for name in named if FLAGS[name].value is not None}
    config = config.override(**changes).override_text(FLAGS.set)

    import keras

    from sagan_tf import SAGAN, data, training

    source = data.open_source(
        config.training.dataset,
        split=FLAGS.split,
        data_dir=FLAGS.data_dir,
        download=FLAGS.download,
    )
    classes_chosen = any(text.startswith("num_classes=") for text in FLAGS.set)
    other_data = config.training.dataset != preset(FLAGS.preset).training.dataset
    if other_data and not classes_chosen and source.num_classes:
        config = config.override(num_classes=source.num_classes)

    recipe = config.training
    keras.config.set_dtype_policy(recipe.precision)
    keras.utils.set_random_seed(recipe.seed)
    images_per_step = recipe.batch_size * recipe.discriminator_steps
    dataset = data.load(
        source,
        config.model.image_size,
        images_per_step,
        channels=config.model.channels,
        num_classes=config.model.num_classes,
        flip=recipe.flip,
        seed=recipe.seed,
        skip_corrupt=FLAGS.skip_corrupt,
    )
    sagan = SAGAN.from_model_config(
        config.model, discriminator_steps=recipe.discriminator_steps, seed=recipe.seed
    )
    betas = {"beta_1": recipe.beta_1, "beta_2": recipe.beta_2}
    sagan.compile(
        keras.optimizers.Adam(recipe.generator_learning_rate, **betas),
        keras.optimizers.Adam(recipe.discriminator_learning_rate, **betas),
        loss=recipe.loss,
        penalty=recipe.penalty,
        penalty_weight=recipe.penalty_weight,
    )

    directory = training.open_run(FLAGS.model_dir, config)
    print(f"{len(source)} images of {recipe.dataset}; settings in {directory / 'config.json'}")
    sagan.fit(
        dataset,
        steps_per_epoch=recipe.steps,
        shuffle=False,
        verbose=0,
        callbacks=[
            training.ProgressBar(recipe.steps, images_per_step),
            training.MetricsLogger(directory, FLAGS.log_every, images_per_step, recipe.steps),
            training.SampleWriter(directory, FLAGS.sample_every, recipe.steps),
        ],
    )
    for name, path in training.write_results(sagan, directory).items():
        print(f"{name + ':':12} {path}")
    print(f"{'metrics:':12} {directory / 'metrics.jsonl'}, tensorboard --logdir {directory}")


if __name__ == "__main__":
    program.run(main)
