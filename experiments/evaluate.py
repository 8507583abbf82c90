r"""Scores a trained model against its data set: FID, KID, Inception score, precision, recall.

With the features of a classifier that is trained on the data set at once and kept, nothing is
fetched:

  python experiments/evaluate.py --model=sagan_digits_16 --real_vs_real --repeats=3

With those of the Inception graph that published FIDs refer to, on a folder of images:

  python experiments/evaluate.py --model=runs/flowers --dataset=~/flowers --num_images=10000 \
      --features=inception --features_file=inception_v1_2015_12_05.tar.gz --output=scores.json

The data set is the one that the model was trained on, unless --dataset names another, and
--split=test scores against images that the model has not seen; the classifier is that of the split
on which models train. Scores of different features, numbers of images or data cannot be compared;
all settings are in the JSON.
--nearest=FILE draws samples beside the real images that are most like them.
"""

import contextlib
import time

import numpy as np
from absl import flags

from experiments import program, scoring, settings_flags
from sagan_tf import files
from sagan_tf.config import Recipe, RunOptions
from sagan_tf.data.catalog import check_dataset
from sagan_tf.evaluation.protocol import MAX_DEFAULT_IMAGES, Protocol
from sagan_tf.models.model_folder import find_config

FLAGS = flags.FLAGS
flags.adopt_module_key_flags(scoring)  # So that --help shows them.
flags.DEFINE_string("model", None, "Preset, or folder of a model or a run.", required=True)
settings_flags.define(Recipe, "dataset", "split", "skip_corrupt", defaults=False)
settings_flags.define(RunOptions, "data_dir", "download")
_PROTOCOL = (*scoring.DRAWING, "seed")
settings_flags.define(Protocol, *_PROTOCOL)
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
    trained, scored = data_settings(find_config(FLAGS.model).recipe)
    dataset, split, skip_corrupt = scored.dataset, scored.split, scored.skip_corrupt
    check_dataset(dataset)
    protocol = settings_flags.given(Protocol, *_PROTOCOL)
    make_evaluation = scoring.evaluation_maker(skip_corrupt, verbose=True, **protocol)
    (sagan,) = program.load_models(FLAGS.model)

    from sagan_tf import data, evaluation

    options = {"data_dir": FLAGS.data_dir, "download": FLAGS.download}
    source = training_source = data.find_dataset(dataset, split, **options)
    if split != trained.split and FLAGS.features != "inception":
        # A data set that is there to score by has no other split.
        with contextlib.suppress(ValueError):
            training_source = data.find_dataset(dataset, trained.split, **options)
    print(f"{source.name}: {source.describe()}; features of {FLAGS.features}", flush=True)
    changes = {}
    if FLAGS.real_vs_real and FLAGS.num_images is None:
        # As many generated images as in a half of the real ones.
        changes["num_images"] = min(MAX_DEFAULT_IMAGES, len(source) // 2)
    scorer = make_evaluation(source, sagan.generator, training_source, **changes)
    first = scorer.protocol.seed
    seeds = range(first, first + FLAGS.repeats)
    scores = [scorer.score(sagan, seed) for seed in seeds]
    report = scoring.report(sagan, scorer, scores, seeds)
    columns = {"generated": report["generated"]}
    if FLAGS.real_vs_real:
        columns["real, halves"] = evaluation.summarize([scorer.score_real(seed) for seed in seeds])
    by = scoring.described(scorer.features)
    print(f"\n{FLAGS.model} against {dataset} ({split}), by {by}\n")
    print(evaluation.format_table(columns))

    if output:
        about = {"model": FLAGS.model, "dataset": dataset, "split": split}
        about["skip_corrupt"] = skip_corrupt
        report["real_vs_real"] = columns.get("real, halves")
        report["seconds"] = round(time.monotonic() - began, 1)
        files.write_json(output, {**about, **report})
        print(output)
    if nearest:
        with files.replacing(nearest) as new:
            nearest_picture(sagan, scorer).save(new, "PNG")
        print(nearest)


def data_settings(recipe):
    """Two recipes that name data: that of training, and that of scoring as the flags say."""
    if recipe is None and FLAGS.dataset is None:
        raise ValueError(f"{FLAGS.model} does not say what it was trained on: pass --dataset")
    if recipe is None or FLAGS.dataset not in (None, recipe.dataset):
        recipe = Recipe()  # Its split is train, and it skips nothing.
    chosen = settings_flags.given(Recipe, "dataset", "split", "skip_corrupt")
    return recipe, recipe.replace(**chosen)


def nearest_picture(sagan, scorer):
    """Samples, each followed by the real images that are most like it."""
    from sagan_tf import visualization

    protocol, num_classes = scorer.protocol, sagan.generator.num_classes
    labels = None if num_classes is None else np.arange(_ROWS) % num_classes
    images = sagan.generate(
        labels, _ROWS, protocol.truncation, seed=protocol.seed, use_ema=protocol.ema
    )
    neighbors = min(_NEIGHBORS, protocol.num_real_images)
    rows = np.concatenate([images[:, None], scorer.nearest_real(images, neighbors)], axis=1)
    return visualization.sample_grid(
        rows.reshape(-1, *images.shape[1:]),
        column_labels=["sample", "nearest", *range(2, neighbors + 1)],
    )


if __name__ == "__main__":
    program.run(main)
