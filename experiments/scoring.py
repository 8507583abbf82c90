"""What the programs that score images share: flags, what they choose, and the report."""

import dataclasses
import pathlib

from absl import flags

from experiments import settings_flags
from sagan_tf import files
from sagan_tf.evaluation.features.features import cache_directory
from sagan_tf.evaluation.metrics import METRICS
from sagan_tf.evaluation.protocol import Protocol

FLAGS = flags.FLAGS
# These are trained on the data set; the others are the same for all images.
TRAINED_FEATURES = ("classifier", "residual_classifier")
_BUNDLED_FEATURES = ("cifar10_classifier", "digits_classifier")
settings_flags.define_choice(
    "features",
    "classifier",
    [*TRAINED_FEATURES, *_BUNDLED_FEATURES, "inception"],
    "Network by whose features images are compared: a classifier that is trained on the data set "
    "at once and kept, a deeper one for natural images whose training takes half an hour, one of "
    "the two that come with the package (of CIFAR-10 and of digits) where small images are too few "
    "to train one, or the Inception graph of TF-GAN.",
)
flags.DEFINE_string("features_file", None, "File or archive of Inception's frozen graph.")
flags.DEFINE_string(
    "cache_dir",
    None,
    "Folder in which classifiers and features of real images are kept. It is ~/.cache/sagan_tf by "
    "default.",
)
_FIELDS = ("metrics", "num_images", "num_real_images", "allow_few_images")
# How a trained model draws; programs that score one have flags for these fields too.
DRAWING = ("labels_from", "truncation", "ema", "standing_statistics")
_OWN = ("features", "features_file", "cache_dir", *_FIELDS)
settings_flags.define(Protocol, *_FIELDS)


def refuse_idle_flags(options):
    """Raises a ValueError for flags that would do nothing because nothing is scored."""
    idle = [f"--{name}" for name in _OWN if FLAGS[name].present]
    if options.evaluate_split is not None:
        idle.append("--evaluate_split")
    if any(options.monitor in metric.scores for metric in METRICS.values()):
        idle.append(f"--monitor={options.monitor}")
    if idle:
        raise ValueError(f"{', '.join(idle)}: nothing is scored without --evaluate_every=STEPS")


def chosen_protocol(**protocol):
    """The `Protocol` of the flags and of further fields."""
    return Protocol(**settings_flags.given(Protocol, *_FIELDS), **protocol)


def drawing_of(recipe, *names):
    """Dict of fields of the `Protocol` by the flags: those of `DRAWING`, and `names`.

    Labels are distributed as in training where no flag says otherwise.
    """
    trained = {} if recipe is None else {"labels_from": recipe.label_distribution}
    return trained | settings_flags.given(Protocol, *DRAWING, *names)


def evaluation_maker(skip_corrupt=False, fit="crop", verbose=False, **protocol):
    """Checks the flags, and returns a function that makes the `Evaluation` that they ask for.

    `skip_corrupt` and `fit` say how images are read, see `sagan_tf.data.load`, and `protocol` are
    further fields of the `Protocol`. The function takes a `sagan_tf.data.Source`,
    a `ModelConfig` or a `Generator`, which has the same attributes, the `Source` on which a
    classifier is trained, and changes of the protocol.
    """
    protocol = chosen_protocol(**protocol)
    file = FLAGS.features_file and pathlib.Path(FLAGS.features_file).expanduser()
    if FLAGS.features != "inception":
        if file:
            raise ValueError("--features_file goes with --features=inception")
    elif not file and not FLAGS.download:
        raise ValueError("--features=inception needs --features_file=FILE, or --download")
    elif file and not file.exists():
        raise ValueError(f"--features_file={file} does not exist")

    def make(source, model, training_source, **changes):
        from sagan_tf import evaluation

        wanted = protocol.replace(**changes)
        # What does not fit is said before anything is trained.
        wanted.for_data(source.name, len(source), model.num_classes)
        size, classes = (model.image_size, model.channels), model.num_classes
        options = {"skip_corrupt": skip_corrupt, "fit": fit}
        if FLAGS.features == "inception":
            features = inception()
        elif FLAGS.features in _BUNDLED_FEATURES:
            features = evaluation.Classifier.bundled(FLAGS.features)
        else:
            features = evaluation.Classifier.trained_on(
                training_source,
                *size,
                num_classes=classes,
                cache_dir=FLAGS.cache_dir,
                architecture="residual" if FLAGS.features == "residual_classifier" else None,
                **options,
            )
        attends = model.attention_layer == "self_attention"
        attention = model.attention_resolutions if attends else ()
        options |= {"verbose": verbose, "cache_dir": cache_directory(FLAGS.cache_dir)}
        made = evaluation.Evaluation(source, features, wanted, *size, classes, attention, **options)
        for metric, reason in made.left_out.items():
            if "monitor" in FLAGS and FLAGS.monitor in METRICS[metric].scores:
                raise ValueError(f"--monitor={FLAGS.monitor} is left out here: {reason}")
        return made

    return make


def inception():
    """The `Inception` of --features_file, or that of the cache, which is fetched if need be."""
    from sagan_tf import evaluation

    return evaluation.Inception(
        FLAGS.features_file or evaluation.Inception.download(FLAGS.cache_dir)
    )


def described(features):
    """The features in a few words."""
    accuracy = features.description.get("accuracy") if features.predicts_labels else None
    known = "" if accuracy is None else f", which recognizes {accuracy:.1%} of held-out images"
    return f"{features.dimension} features of {features.name} {features.fingerprint}{known}"


def report(sagan, scorer, scores, seeds):
    """What was scored, by what and under which protocol, and the scores of some seeds.

    Args:
        sagan: The `SAGAN` that was scored, `None` for images of another origin.
        scorer: The `Evaluation` by which it was.
        scores: List of `Scores`, one per seed.
        seeds: Iterable of ints, seeds of latents and labels.

    Returns:
        Dict ready for JSON.
    """
    from sagan_tf import evaluation

    return {
        "num_available": len(scorer.source),
        "image_size": scorer.image_size,
        "channels": scorer.channels,
        **conditions(sagan, scorer.protocol, scorer.features, seeds),
        "generated": evaluation.summarize(scores),
    }


def conditions(sagan, protocol, features, seeds):
    """Dict, ready for JSON, of what scores depend on beside the data; see `report`."""
    from sagan_tf import evaluation

    weights = None
    if sagan is not None:
        generator = sagan.ema_generator if protocol.ema else sagan.generator
        weights = files.digest(*generator.get_weights())[:16]
    return {
        # It tells these weights from others.
        "weights": weights,
        "features": features.description,
        "protocol": dataclasses.asdict(protocol),
        "seeds": list(seeds),
        **evaluation.provenance(),
    }
