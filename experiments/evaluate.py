r"""Scores a model or images against a data set: FID, KID, Inception score, precision, recall.

With the features of a classifier that is trained on the data set at once and kept, nothing is
fetched:

  python experiments/evaluate.py --model=sagan_digits_16 --real_vs_real --repeats=3

With those of the Inception graph that published FIDs refer to, on a folder of images:

  python experiments/evaluate.py --model=runs/flowers --dataset=~/flowers --num_images=10000 \
      --features=inception --features_file=inception_v1_2015_12_05.tar.gz --output=scores.json

Images of any origin, in a folder of their own or in a folder per class:

  python experiments/evaluate.py --images=generated/ --dataset=~/flowers

Against a mean and a covariance of real features that somebody has published, without the images:

  python experiments/evaluate.py --model=runs/cifar10 --statistics=cifar10.npz --num_images=50000 \
      --features=inception --features_file=inception_v1_2015_12_05.tar.gz

The data set is the one that the model was trained on, unless --dataset names another. A model that
was trained on a slice, such as train[:90%], is scored by the images that it has not seen;
--split=test names others. The classifier is trained on the split on which the model was. Scores of
different features, numbers of images or data cannot be compared; all settings are in the JSON.
--nearest=FILE draws samples beside the real images that are most like them.
"""

import contextlib
import io
import pathlib
import time

import numpy as np
from absl import flags
from PIL import Image, UnidentifiedImageError

from experiments import own_images, program, published_statistics, scoring, settings_flags
from sagan_tf import files
from sagan_tf.config import ModelConfig, Recipe, RunOptions
from sagan_tf.data import ImageFolder, Relabeled, folder_names
from sagan_tf.data.catalog import check_dataset, means_folder
from sagan_tf.data.decoding import FORMATS
from sagan_tf.data.image_reader import ImageReader
from sagan_tf.evaluation.protocol import MAX_DEFAULT_IMAGES, Protocol
from sagan_tf.images import from_uint8
from sagan_tf.models.architecture import ARCHITECTURES, architecture
from sagan_tf.models.model_folder import find_config

FLAGS = flags.FLAGS
flags.adopt_module_key_flags(scoring)  # So that --help shows them.
flags.DEFINE_string("model", None, "Preset, or folder of a model or a run.")
flags.DEFINE_string(
    "images",
    None,
    "Folder or zip archive of images to score, in place of a model. Folders in it are classes if "
    "the data set has classes of these names. They are compared at --image_size, by default the "
    "largest that a model can have and that is not above theirs.",
)
flags.DEFINE_string(
    "statistics",
    None,
    "File (.npz) of a mean, mu, and a covariance, sigma, of Inception's features of real images, "
    "which stands in place of a data set. It is for the FID alone.",
)
_SHAPE = ("image_size", "channels")
settings_flags.define(ModelConfig, *_SHAPE, defaults=False)
_DATA = ("dataset", "split", "skip_corrupt", "fit")
settings_flags.define(Recipe, *_DATA, defaults=False)
settings_flags.define(RunOptions, "data_dir", "download")
settings_flags.define(Protocol, *scoring.DRAWING, "seed")
flags.DEFINE_integer(
    "repeats", 1, "Number of seeds, for a mean and a deviation of each score.", lower_bound=1
)
flags.DEFINE_bool(
    "real_vs_real",
    False,
    "Whether to score one half of the real images against the other too, which is the floor; "
    "--num_images is half of the real ones then.",
)
flags.DEFINE_string("output", None, "JSON file to write.")
flags.DEFINE_string("nearest", None, "PNG file to write, of samples and their nearest real images.")

_ROWS, _NEIGHBORS = 10, 7


def main():
    began = time.monotonic()
    output, nearest = program.output_path("output"), program.output_path("nearest")
    if (FLAGS.model is None) == (FLAGS.images is None):
        raise ValueError("What is to be scored is --model=NAME, or else --images=DIR")
    refuse_idle_flags()
    images = None if FLAGS.images is None else opened_images()
    if FLAGS.statistics is not None:
        shape = None if images is None else shape_of(images)
        report = published_statistics.score(FLAGS.statistics, images, shape)
        if output:
            files.write_json(output, {"model": FLAGS.model, "images": FLAGS.images, **report})
            print(output)
        return
    recipe = find_config(FLAGS.model).recipe if images is None else None
    trained, scored = data_settings(recipe)
    dataset, split, skip_corrupt = scored.dataset, scored.split, scored.skip_corrupt
    check_dataset(dataset, split)
    protocol = scoring.drawing_of(recipe, "seed")
    make_evaluation = scoring.evaluation_maker(skip_corrupt, scored.fit, verbose=True, **protocol)
    if images is None:
        (sagan,) = program.load_models(FLAGS.model)
        model = sagan.generator
    else:
        sagan, shape = None, shape_of(images)
        program.start_backend()

    from sagan_tf import data, evaluation

    options = {"data_dir": FLAGS.data_dir, "download": FLAGS.download}
    held_out = None if FLAGS.split else data.find_held_out(dataset, split, **options)
    source, split = held_out or (data.find_dataset(dataset, split, **options), split)
    training_source = source
    if held_out or (split != trained.split and FLAGS.features in scoring.TRAINED_FEATURES):
        # A data set that is there to score by has no other split.
        with contextlib.suppress(ValueError):
            training_source = data.find_dataset(dataset, trained.split, **options)
    if held_out:
        if trained.dataset_digest not in (None, training_source.digest()):
            raise ValueError(
                f"{source.name} has other images now than {FLAGS.model} was trained on, and "
                f"{split} may hold some of those: choose what to score against by --split"
            )
        print(f"Scores are against {split}, as the model was trained on {trained.split}")
    print(f"{source.name}: {source.describe()}; features of {FLAGS.features}", flush=True)
    changes = {}
    if images is not None:
        images, num_classes = with_classes_of(source, images)
        model = ModelConfig(**shape, num_classes=num_classes, attention_resolutions=())
        size, colors = model.image_size, "gray" if model.channels == 1 else "color"
        print(f"{images.name}: {images.describe()}, at {size}x{size} in {colors}")
    half = len(source) // 2
    if FLAGS.real_vs_real and (FLAGS.num_images or 0) > half:
        raise ValueError(
            f"--num_images must be at most {half}, a half of the real images, with --real_vs_real: "
            f"scores of other numbers cannot be compared. Received: {FLAGS.num_images}"
        )
    if FLAGS.num_images is None and (images is not None or FLAGS.real_vs_real):
        # As many generated images as in a half of the real ones.
        real = half if FLAGS.real_vs_real else len(source)
        changes["num_images"] = min(MAX_DEFAULT_IMAGES, real, len(source if sagan else images))
    scorer = make_evaluation(source, model, training_source, **changes)
    first = scorer.protocol.seed
    seeds = range(first, first + FLAGS.repeats)
    score, subject = (scorer.score, sagan) if sagan else (scorer.score_images, images)
    scores = [score(subject, seed) for seed in seeds]
    report = scoring.report(sagan, scorer, scores, seeds)
    columns = {"generated": report["generated"]}
    if FLAGS.real_vs_real:
        columns["real, halves"] = evaluation.summarize([scorer.score_real(seed) for seed in seeds])
    by = scoring.described(scorer.features)
    print(f"\n{FLAGS.model or FLAGS.images} against {dataset} ({split}), by {by}\n")
    print(evaluation.format_table(columns))

    if output:
        about = {"model": FLAGS.model, "dataset": dataset, "split": split}
        if images is not None:
            about |= {"images": FLAGS.images, "images_digest": images.digest()}
        about |= {"skip_corrupt": skip_corrupt, "fit": scored.fit}
        report["real_vs_real"] = columns.get("real, halves")
        report["seconds"] = round(time.monotonic() - began, 1)
        files.write_json(output, {**about, **report})
        print(output)
    if nearest:
        with files.replacing(nearest) as new:
            samples = some_samples(sagan, scorer) if sagan else some_images(images, scorer)
            nearest_picture(samples, scorer).save(new, "PNG")
        print(nearest)


def data_settings(recipe):
    """Two recipes that name data: that of training, and that of scoring as the flags say."""
    if FLAGS.images and FLAGS.dataset is None:
        raise ValueError("--images needs --dataset=NAME or --statistics=FILE to compare them with")
    if recipe is None and FLAGS.dataset is None:
        raise ValueError(f"{FLAGS.model} does not say what it was trained on: pass --dataset")
    if recipe is None or not names_data_of(recipe):
        # Its split is train, and it skips nothing. Images are fitted as those of training were.
        recipe = Recipe(fit=recipe.fit if recipe else "crop")
    chosen = settings_flags.given(Recipe, *_DATA)
    return recipe, recipe.replace(**chosen)


def names_data_of(recipe):
    """Whether --dataset names the images of a recipe, wherever they lie now."""
    names = FLAGS.dataset, recipe.dataset
    if names[0] in (None, names[1]):
        return True
    check_dataset(names[0])
    if not means_folder(names[0]):
        return False
    with contextlib.suppress(OSError, RuntimeError):
        first, second = (pathlib.Path(name).expanduser().resolve() for name in names)
        if first == second:
            return True
    # A folder without this split holds other images.
    with contextlib.suppress(ValueError):
        return ImageFolder(names[0], recipe.split).digest() == recipe.dataset_digest
    return False


def refuse_idle_flags():
    """Raises a ValueError for flags that would do nothing."""
    idle = dict.fromkeys(_SHAPE, "--model, which has a size and channels of its own")
    if FLAGS.images is not None:
        idle = dict.fromkeys(scoring.DRAWING, "--images, for which nothing is drawn")
    if FLAGS.statistics is not None:
        idle |= dict.fromkeys(published_statistics.IDLE, "--statistics, which is for the FID alone")
    for name, reason in idle.items():
        if FLAGS[name].present:
            raise ValueError(f"--{name} does nothing with {reason}")


def opened_images():
    """The `ImageFolder` of --images, which holds enough of them."""
    images = ImageFolder(FLAGS.images)
    if FLAGS.num_images is not None and FLAGS.num_images > len(images):
        raise ValueError(
            f"{images.name} has {len(images)} images, fewer than --num_images={FLAGS.num_images}"
        )
    return images


def shape_of(images):
    """Dict of the size and channels at which to compare images.

    They are those of the flags; or the size is that of the first image, and there is one channel if
    images from all over are gray.
    """
    encoded, _, name = images.read(0)
    try:
        first = Image.open(io.BytesIO(encoded), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise ValueError(f"Cannot decode {name}: not an image") from error
    with first:
        fitting = [size for size in ARCHITECTURES if size <= min(first.size)]
    if not fitting and FLAGS.image_size is None:
        raise ValueError(
            f"{images.name} holds images of {first.width}x{first.height} pixels, which are too "
            f"small: pass --image_size={min(ARCHITECTURES)} to enlarge them"
        )
    channels = 1 if own_images.look_at(images).is_gray else 3
    found = {"image_size": max(fitting, default=None), "channels": channels}
    found |= settings_flags.given(ModelConfig, *_SHAPE)
    architecture(found["image_size"])  # checks it
    return found


def with_classes_of(source, images):
    """Images whose labels are those of a data set, and the number of its classes.

    The number is `None` if either has no classes, or no folder of the images has the name of one.
    """
    names = list(source.class_names or ())
    # A class that can name no folder has another one.
    labels = {name: label for label, name in enumerate(folder_names(names))}
    labels |= {name: label for label, name in enumerate(names)}
    unknown = [name for name in images.class_names if name not in labels]
    if len(unknown) == len(images.class_names):
        return images, None
    if unknown:
        raise ValueError(
            f"{images.name} has folders that are no classes of {source.name}: "
            f"{', '.join(unknown[:10])}. Rename them, or move all images into one folder"
        )
    return Relabeled(images, [labels[name] for name in images.class_names], names), len(names)


def some_images(images, scorer):
    """At most ten images from all over a source, float32 `(10, height, width, channels)`."""
    size, classes = (scorer.image_size, scorer.channels), scorer.num_classes
    read = ImageReader(images, *size, classes, scorer.skip_corrupt, scorer.fit)
    indices = np.linspace(0, len(images) - 1, min(_ROWS, len(images)))
    return from_uint8(np.stack([read(index)[0] for index in indices]))


def some_samples(sagan, scorer):
    """Ten images of the first classes, float32 `(10, height, width, channels)`.

    It is the last that is done with the model: its batch-norm statistics become those scored.
    """
    protocol, num_classes = scorer.protocol, sagan.generator.num_classes
    labels = None if num_classes is None else np.arange(_ROWS) % num_classes
    if protocol.standing_statistics:
        sagan.recalibrate(protocol.standing_statistics, protocol.truncation, protocol.seed)
    return sagan.generate(
        labels, _ROWS, protocol.truncation, seed=protocol.seed, use_ema=protocol.ema
    )


def nearest_picture(images, scorer):
    """Images, each followed by the real ones that are most like it."""
    from sagan_tf import visualization

    neighbors = min(_NEIGHBORS, scorer.protocol.num_real_images)
    rows = np.concatenate([images[:, None], scorer.nearest_real(images, neighbors)], axis=1)
    return visualization.sample_grid(
        rows.reshape(-1, *images.shape[1:]),
        column_labels=["sample", "nearest", *range(2, neighbors + 1)],
    )


if __name__ == "__main__":
    program.run(main)
