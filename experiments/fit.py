r"""Trains a SAGAN on the bundled digits with Keras's own `compile` and `fit`.

  python experiments/fit.py --model_dir=runs/fit

Start from it when you have callbacks or a data set of your own. To train in earnest use train.py,
which knows every preset, writes checkpoints, goes on where a run stopped, and scales out.
"""

from absl import flags

from experiments import program, settings_flags
from sagan_tf.config import Recipe
from sagan_tf.models.model_folder import CHECKPOINTS
from sagan_tf.models.presets import PRESETS
from sagan_tf.models.run_folder import check_run

FLAGS = flags.FLAGS
flags.DEFINE_string("model_dir", None, "Folder of the run.", required=True)
settings_flags.define(Recipe, "steps", "batch_size", defaults=False)


def main():
    directory = program.output_path("model_dir", folder=True)
    config = PRESETS["sagan_digits_16"].override(**settings_flags.given(Recipe))
    model, recipe = config.model, config.recipe
    if (directory / CHECKPOINTS).exists():
        raise ValueError(f"{directory} is a run of train.py: choose another --model_dir")
    check_run(directory, config)
    program.start_backend()

    import keras

    from sagan_tf import SAGAN, data, training

    training.open_run(directory, config)
    keras.utils.set_random_seed(recipe.seed)
    # A step splits its images among the discriminator's updates.
    images_per_step = model.discriminator_steps * recipe.batch_size
    dataset = data.load("digits", model.image_size, images_per_step, channels=model.channels)
    sagan = SAGAN.from_settings(config)
    sagan.compile(
        keras.optimizers.Adam(recipe.generator_learning_rate, beta_1=0.0, beta_2=0.9),
        keras.optimizers.Adam(recipe.discriminator_learning_rate, beta_1=0.0, beta_2=0.9),
    )
    sagan.fit(
        dataset,
        steps_per_epoch=recipe.steps,
        shuffle=False,  # The data set is shuffled; Keras would warn.
        verbose=0,
        callbacks=[
            training.ProgressBar(images_per_step),
            training.Recorder(directory, images_per_step),
        ],
    )
    for name, path in training.write_results(sagan, directory).items():
        print(f"{name + ':':12} {path}")
    print(f"{'metrics:':12} {directory / 'metrics.jsonl'}, tensorboard --logdir {directory}")


if __name__ == "__main__":
    program.run(main)
