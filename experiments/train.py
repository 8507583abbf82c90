r"""Trains a SAGAN on a data set, with pictures and curves on the way.

On a laptop, in a few minutes:

  python experiments/train.py --preset=sagan_digits_16 --model_dir=runs/digits

On a folder of images, one folder per class, for half an hour; it chooses the settings and says
which, and your flags win:

  python experiments/train.py --dataset=~/flowers --model_dir=runs/flowers

The same with a preset's settings, and a smaller network:

  python experiments/train.py --preset=sagan_imagenet_64 --model_dir=runs/flowers \
      --dataset=~/flowers --base_channels=32 --flip --steps=50000

With few images, augmented, after a look at what the discriminator will see of them:

  python experiments/train.py --preset=sagan_imagenet_64 --dataset=~/flowers \
      --augmentation=color,translation,cutout --preview=flowers.png
  python experiments/train.py --preset=sagan_imagenet_64 --dataset=~/flowers \
      --augmentation=color,translation,cutout --model_dir=runs/few

^C, SIGTERM and SIGHUP save a checkpoint and leave. Whatever ended a run, the same command goes on
with it; on one CPU it ends with the same weights, bit for bit, as if nothing had happened.

On all GPUs of this host, or on several hosts (see docs/training.md):

  python experiments/train.py --strategy=mirrored --preset=sagan_imagenet_128 --model_dir=runs/in \
      --dataset=imagenet2012 --batch_size=256
"""

from absl import flags

from experiments import own_images, program, scoring, settings_flags, training_flags
from sagan_tf import files
from sagan_tf.config import RunOptions
from sagan_tf.data.catalog import check_dataset
from sagan_tf.models.run_folder import check_run, with_origin

FLAGS = flags.FLAGS
flags.adopt_module_key_flags(scoring)  # So that --help shows them.
flags.DEFINE_string("model_dir", None, "Folder of the run.")
flags.DEFINE_string(
    "preview",
    None,
    "Picture to write, such as x.png, of real images and of what the discriminator sees of them. "
    "Nothing is trained then.",
)
training_flags.define()


def main():
    preview = program.picture_path("preview")
    if preview:
        draw_preview(preview)
    else:
        train_model()


def draw_preview(path):
    if FLAGS.model_dir is not None:
        raise ValueError("--preview and --model_dir exclude each other")
    config, adapt_classes, _ = chosen_config()
    options = RunOptions(**settings_flags.given(RunOptions))
    training_flags.check(config, options)
    check_dataset(config.recipe.dataset, config.recipe.split)
    program.start_backend()

    from sagan_tf import training

    picture = training.augmentation_preview(config, options, adapt_classes)
    files.write_picture(path, picture)
    print(path)


def train_model():
    if FLAGS.model_dir is None:
        raise ValueError("--model_dir is missing. Folder of the run.")
    if "://" in FLAGS.model_dir:
        raise ValueError(
            f"--model_dir must be a folder of this machine. Received: {FLAGS.model_dir}"
        )
    directory = program.output_path("model_dir", folder=True)
    config, adapt_classes, lines = chosen_config(directory)
    options = RunOptions(**settings_flags.given(RunOptions))
    training_flags.check(config, options)
    check_dataset(config.recipe.dataset, config.recipe.split)
    recipe = config.recipe
    make_evaluation = scoring.evaluation_maker(
        recipe.skip_corrupt, recipe.fit, **scoring.drawing_of(recipe)
    )
    if not options.evaluate_every:
        scoring.refuse_idle_flags(options)
    config = with_origin(directory, config)
    check_run(directory, config, options.extend)
    for line in lines:
        print(line, flush=True)
    program.start_backend()

    from sagan_tf.training import train

    train(config, directory, options, make_evaluation, adapt_classes)


def chosen_config(directory=None):
    """As `own_images.chosen_config`, where nothing is to be chosen with an empty list."""
    return own_images.chosen_config(directory) or (*training_flags.chosen_config(directory), [])


if __name__ == "__main__":
    program.run(main)
