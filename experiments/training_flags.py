"""What the programs that train share: flags of a preset, its settings and options, and checks."""

from absl import flags

from experiments import settings_flags
from sagan_tf.cluster import check_strategy, replica_batch_size, workers
from sagan_tf.config import ModelConfig, Recipe, RunOptions
from sagan_tf.data.catalog import check_dataset
from sagan_tf.models.architecture import check_model
from sagan_tf.models.presets import PRESETS

FLAGS = flags.FLAGS


def define(skip_options=()):
    """Defines the flags; `skip_options` holds names of fields of `RunOptions` that get none."""
    settings_flags.define_choice(
        "preset",
        "sagan_digits_16",
        list(PRESETS),
        "Preset, which decides whatever a flag without a default leaves open.",
    )
    settings_flags.define(ModelConfig, defaults=False)
    settings_flags.define(Recipe, skip=("dataset_size", "dataset_digest"), defaults=False)
    settings_flags.define(RunOptions, skip=skip_options)


def chosen_settings():
    """Dict of the settings of the model and its recipe that were given."""
    return {**settings_flags.given(ModelConfig), **settings_flags.given(Recipe)}


def chosen_config():
    """The `Config`, and whether the model is to get as many classes as the data set has."""
    chosen = chosen_settings()
    preset = PRESETS[FLAGS.preset]
    config = preset.override(**chosen)
    other_data = config.recipe.dataset != preset.recipe.dataset
    return config, other_data and "num_classes" not in chosen


def check(config, options):
    """Raises a ValueError for what can be refused before TensorFlow is started."""
    check_model(config.model)
    check_strategy(options.strategy, options.tpu)
    dataset = config.recipe.dataset
    check_dataset(dataset)
    is_default = FLAGS["preset"].using_default_value and FLAGS.channels is None
    if is_default and dataset != PRESETS[FLAGS.preset].recipe.dataset:
        raise ValueError(
            f"--dataset={dataset} needs a --preset, or --channels=3: the default, {FLAGS.preset}, "
            "draws in grey"
        )
    hosts = 1 if options.strategy == "none" else max(1, len(workers()))
    replica_batch_size(config.recipe.batch_size, hosts, config.recipe.accumulation_steps)
