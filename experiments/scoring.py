"""What the programs that score images share: flags, and what they choose."""

import pathlib

from absl import flags

from experiments import settings_flags
from sagan_tf.evaluation.metrics import METRICS
from sagan_tf.evaluation.protocol import Protocol

FLAGS = flags.FLAGS
flags.DEFINE_enum(
    "features",
    "classifier",
    ["classifier", "inception"],
    "Network by whose features images are compared: a classifier trained on the data set (at "
    "once, and cached), or the Inception graph of TF-GAN.",
)
flags.DEFINE_string("features_file", None, "File or archive of Inception's frozen graph.")
flags.DEFINE_string("cache_dir", None, "Folder of trained classifiers. Default: ~/.cache/sagan_tf.")
_FIELDS = ("metrics", "num_images", "num_real_images", "allow_few_images")
_OWN = ("features", "features_file", "cache_dir", *_FIELDS)
settings_flags.define(Protocol, *_FIELDS, default=None)


def refuse_idle_flags(monitor):
    """Raises a ValueError for flags that would do nothing because nothing is scored."""
    idle = [f"--{name}" for name in _OWN if FLAGS[name].present]
    if any(monitor in metric.scores for metric in METRICS.values()):
        idle.append(f"--monitor={monitor}")
    if idle:
        raise ValueError(f"{', '.join(idle)}: nothing is scored without --evaluate_every=STEPS")


def evaluation_maker(skip_corrupt=False, verbose=False, **protocol):
    """Checks the flags, and returns a function that makes the `Evaluation` that they ask for.

    Args:
        skip_corrupt: bool. Defaults to `False`.
        verbose: bool, whether to show progress bars. Defaults to `False`.
        **protocol: Further fields of the `Protocol`.

    Returns:
        Function of a `sagan_tf.data.Source` and a `ModelConfig`, or a `Generator`, which has the
        same attributes.
    """
    protocol = Protocol(**{**settings_flags.given(Protocol, *_FIELDS), **protocol})
    name, file = FLAGS.features, FLAGS.features_file
    if name == "classifier" and file is not None:
        raise ValueError("--features_file goes with --features=inception")
    if name == "inception" and file is None and not FLAGS.download:
        raise ValueError("--features=inception needs --features_file=FILE, or --download")

    def make(source, model):
        from sagan_tf import evaluation

        # What does not fit is said before anything is trained.
        protocol.for_data(source.name, len(source), model.num_classes)
        size = model.image_size, model.channels
        if name == "classifier":
            features = evaluation.Classifier.trained_on(
                source,
                *size,
                num_classes=model.num_classes,
                cache_dir=FLAGS.cache_dir,
                skip_corrupt=skip_corrupt,
            )
        else:
            path = file or evaluation.Inception.download(FLAGS.cache_dir)
            features = evaluation.Inception(pathlib.Path(path).expanduser())
        return evaluation.Evaluation(
            source,
            features,
            protocol,
            *size,
            model.num_classes,
            model.attention_resolutions,
            skip_corrupt=skip_corrupt,
            verbose=verbose,
        )

    return make
