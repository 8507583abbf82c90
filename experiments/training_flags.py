"""What the programs that train share: flags of a preset, its settings and options, and checks."""

from absl import flags

from experiments import settings_flags
from sagan_tf.cluster import check_strategy, replica_batch_size, workers
from sagan_tf.config import Config, ModelConfig, Recipe, RunOptions
from sagan_tf.data.catalog import check_dataset
from sagan_tf.models.architecture import check_frozen, check_model
from sagan_tf.models.model_folder import find_config
from sagan_tf.models.presets import PRESETS
from sagan_tf.models.run_folder import recorded_config

FLAGS = flags.FLAGS
FILLED_IN = ("dataset_size", "dataset_digest", "init_digest")


def define(skip_options=()):
    """Defines the flags; `skip_options` holds names of fields of `RunOptions` that get none."""
    settings_flags.define_choice(
        "preset",
        "sagan_digits_16",
        list(PRESETS),
        "Preset, which decides each setting whose flag has no default and is not given.",
    )
    settings_flags.define(ModelConfig, defaults=False)
    settings_flags.define(Recipe, skip=FILLED_IN, defaults=False)
    settings_flags.define(RunOptions, skip=skip_options)


def chosen_settings():
    """Dict of the settings of the model and its recipe that were given."""
    return {**settings_flags.given(ModelConfig), **settings_flags.given(Recipe)}


def chosen_config(directory=None):
    """The `Config`, and whether the model is to get as many classes as the data set has.

    A run in the folder `directory` that was begun with the model of --init_from goes on without it:
    that may have been trained for longer since, or be gone.
    """
    chosen = chosen_settings()
    preset = PRESETS[FLAGS.preset]
    if FLAGS.init_from and FLAGS["preset"].using_default_value:
        preset = directory and to_go_on(directory)
        if not preset or preset.recipe.init_from != FLAGS.init_from:
            preset = _of_origin(find_config(FLAGS.init_from))
    config = preset.override(**chosen)
    dataset = config.recipe.dataset
    other_data = dataset != preset.recipe.dataset
    is_default = FLAGS["preset"].using_default_value and FLAGS.channels is None
    if is_default and FLAGS.init_from is None and other_data:
        check_dataset(dataset)
        raise ValueError(
            f"--dataset={dataset} needs a --preset, or --channels=3: the default, {FLAGS.preset}, "
            "draws in gray"
        )
    return config, other_data and "num_classes" not in chosen


def to_go_on(directory):
    """The `Config` of the run in a folder, but for what is filled in; `None` if there is no run."""
    recorded = recorded_config(directory)
    if recorded is None:
        return None
    recipe = recorded.recipe.replace(**dict.fromkeys(FILLED_IN))
    return Config(recorded.model, recipe, recorded.reference)


def _of_origin(origin):
    """The `Config` of the model that training begins with, in place of a preset's."""
    if origin.recipe is None and FLAGS.dataset is None:
        raise ValueError(f"--dataset is missing: {FLAGS.init_from} does not say what it has seen")
    recipe = origin.recipe or Recipe()
    recipe = recipe.replace(**dict.fromkeys(FILLED_IN), freeze_discriminator=0)
    return Config(origin.model, recipe, f"Begun with the weights of {FLAGS.init_from}.")


def check(config, options):
    """Raises a ValueError for what can be refused before TensorFlow is started."""
    if FLAGS["penalty_weight"].present and config.recipe.penalty is None:
        raise ValueError("--penalty_weight does nothing without --penalty")
    check_model(config.model)
    check_frozen(config.model, config.recipe.freeze_discriminator)
    check_strategy(options.strategy, options.tpu)
    check_dataset(config.recipe.dataset)
    hosts = 1 if options.strategy == "none" else max(1, len(workers()))
    replica_batch_size(config.recipe.batch_size, hosts, config.recipe.accumulation_steps)
