"""What the programs that score images share: flags, and what they choose."""

import pathlib

from absl import flags

FLAGS = flags.FLAGS
flags.DEFINE_list(
    "metrics", None, "Metrics to compute; all that apply."
)
flags.DEFINE_enum(
    "features",
    "classifier",
    ["classifier", "inception"],
    "What images are compared by: a classifier trained on the data set (at once, and cached), or "
    "the Inception graph of TF-GAN.",
)
flags.DEFINE_string("features_file", None, "Inception's frozen graph.")
flags.DEFINE_string("cache_dir", None, "Where classifiers are kept. Default: ~/.cache/sagan_tf.")
flags.DEFINE_bool("download", False, "Fetch a data set or a graph that is not there.")
flags.DEFINE_integer(
    "num_images", None, "Images to generate. Default: as many as are real, at most 10,000."
)
flags.DEFINE_integer(
    "num_real_images", None, "Real images to compare with. Default: as many as are generated."
)
flags.DEFINE_bool("allow_few_images", False, "Let there be fewer images than features.")


def given_flags():
    """The flags of this file that were given, without `--download`, which is of data sets too."""
    own = FLAGS.get_flags_for_module(__name__)
    return [f"--{flag.name}" for flag in own if flag.present and flag.name != "download"]


def make_evaluation(source, model, skip_corrupt=False, verbose=False, **protocol):
    """An `Evaluation` as the flags ask for.

    Args:
        source: A `sagan_tf.data.Source`.
        model: A `ModelConfig`, or a `Generator`, which has the same attributes.
        skip_corrupt: bool. Defaults to `False`.
        verbose: bool, whether to show progress bars. Defaults to `False`.
        **protocol: Further fields of the `Protocol`, or others than those of the flags.
    """
    from sagan_tf import evaluation

    protocol = evaluation.Protocol(
        **{
            "metrics": FLAGS.metrics and tuple(FLAGS.metrics),
            "num_images": FLAGS.num_images,
            "num_real_images": FLAGS.num_real_images,
            "allow_few_images": FLAGS.allow_few_images,
            **protocol,
        }
    )
    # What is wrong with the flags is said before anything is trained.
    protocol.for_data(source.name, len(source), model.num_classes)
    return evaluation.Evaluation(
        source,
        _make_features(source, model, skip_corrupt),
        protocol,
        model.image_size,
        model.channels,
        model.num_classes,
        skip_corrupt=skip_corrupt,
        verbose=verbose,
    )


def _make_features(source, model, skip_corrupt):
    from sagan_tf import evaluation

    name, file = FLAGS.features, FLAGS.features_file
    if name == "classifier":
        if file is not None:
            raise ValueError("--features_file goes with --features=inception")
        return evaluation.Classifier.trained_on(
            source,
            model.image_size,
            model.channels,
            num_classes=model.num_classes,
            cache_dir=FLAGS.cache_dir,
            skip_corrupt=skip_corrupt,
        )
    if file is None and FLAGS.download:
        file = evaluation.Inception.download(FLAGS.cache_dir)
    if file is None:
        raise ValueError("--features=inception needs --features_file=FILE, or --download")
    return evaluation.Inception(pathlib.Path(file).expanduser())
