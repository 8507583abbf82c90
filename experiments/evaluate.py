r"""Scores a trained model against its data set: FID, KID, Inception score, precision, recall.

By a classifier that is trained on the data set at once and kept, nothing is fetched:

  python experiments/evaluate.py --model=sagan_digits_16 --real_vs_real --repeats=3

By the Inception graph that published FIDs are of, on a folder of images:

  python experiments/evaluate.py --model=runs/flowers --dataset=~/flowers --num_images=10000 \
      --features=inception --features_file=inception_v1_2015_12_05.tar.gz --output=scores.json

Scores of different features, numbers of images or data cannot be compared; all settings are in the
JSON. --nearest=FILE draws samples beside the real images that are most like them.
"""

import dataclasses
import hashlib
import json
import pathlib
import tempfile
import time

from absl import flags

from experiments import program, scoring, settings_flags
from sagan_tf.config import RunOptions
from sagan_tf.evaluation.protocol import MAX_DEFAULT_IMAGES, Protocol
from sagan_tf.models.model_folder import find_model, read_config

FLAGS = flags.FLAGS
flags.adopt_module_key_flags(scoring)  # So that --help shows them.
flags.DEFINE_string("model", None, "Preset's name or folder, or that of a run.", required=True)
flags.DEFINE_string(
    "dataset",
    None,
    "Data set: digits, a TFDS name or a folder of images. Default: the one it was trained on.",
)
flags.DEFINE_string("split", None, "Split of the data set. Default: the one it was trained on.")
flags.DEFINE_bool(
    "skip_corrupt",
    None,
    "Whether to replace images that cannot be read. Default: as it was trained.",
)
settings_flags.define(RunOptions, "data_dir", "download", default=None)
_PROTOCOL = ("labels_from", "truncation", "ema", "standing_statistics", "seed")
settings_flags.define(Protocol, *_PROTOCOL, default=None)
flags.DEFINE_integer("repeats", 1, "Seeds, for mean and deviation.", lower_bound=1)
flags.DEFINE_bool(
    "real_vs_real",
    False,
    "Whether to score one half of the real images against the other too, which is the floor; "
    "--num_images is half of the real ones then.",
)
flags.DEFINE_string("output", None, "JSON file to write.")
flags.DEFINE_string("nearest", None, "PNG file of samples and their nearest real images.")

_ROWS, _NEIGHBORS = 10, 7


def main():
    began = time.monotonic()
    output, nearest = output_path("output"), output_path("nearest")
    folder = find_model(FLAGS.model)
    dataset, split, skip_corrupt = data_settings(read_config(folder)[0].recipe)
    protocol = settings_flags.given(Protocol, *_PROTOCOL)
    make_evaluation = scoring.evaluation_maker(skip_corrupt, verbose=True, **protocol)
    (sagan,) = program.load_models(folder)

    from sagan_tf import data, evaluation

    source = data.find_dataset(
        dataset, split, data_dir=FLAGS.data_dir, download=bool(FLAGS.download)
    )
    print(f"Features of {FLAGS.features} for {source.name}", flush=True)
    if FLAGS.real_vs_real and FLAGS.num_images is None:
        # As many generated images as in a half of the real ones.
        half = min(MAX_DEFAULT_IMAGES, len(source) // 2)
        make_evaluation = scoring.evaluation_maker(
            skip_corrupt, verbose=True, num_images=half, **protocol
        )
    scorer = make_evaluation(source, sagan.generator)
    first = scorer.protocol.seed
    seeds = range(first, first + FLAGS.repeats)
    found = {"generated": [scorer.score(sagan, seed) for seed in seeds]}
    if FLAGS.real_vs_real:
        found["real, halves"] = [scorer.score_real(seed) for seed in seeds]
    columns = {name: evaluation.summarize(scores) for name, scores in found.items()}
    print(f"\n{FLAGS.model} against {dataset} ({split}), by {described(scorer.features)}\n")
    print(evaluation.format_table(columns))

    report = {
        "model": FLAGS.model,
        "weights": digest_of(sagan.ema_generator if scorer.protocol.ema else sagan.generator),
        "dataset": dataset,
        "split": split,
        "skip_corrupt": skip_corrupt,
        "num_available": len(source),
        "features": scorer.features.description,
        "protocol": dataclasses.asdict(scorer.protocol),
        "seeds": list(seeds),
        "generated": columns["generated"],
        "real_vs_real": columns.get("real, halves"),
        **evaluation.provenance(),
        "seconds": round(time.monotonic() - began, 1),
    }
    if output:
        output.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n")
        print(output)
    if nearest:
        nearest_picture(sagan, scorer).save(nearest, "PNG")
        print(nearest)


def output_path(flag):
    """The file that a flag names, or `None`. That it cannot be written is said before the work."""
    if not FLAGS[flag].value:
        return None
    path = pathlib.Path(FLAGS[flag].value).expanduser()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            path.open("ab").close()
        else:
            tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise ValueError(f"--{flag}={path} cannot be written: {error.strerror}") from error
    return path


def data_settings(recipe):
    """Name and split of the real images' data set, and whether to skip broken ones."""
    if recipe is None and FLAGS.dataset is None:
        raise ValueError(f"{FLAGS.model} does not say what it was trained on: pass --dataset")
    dataset = FLAGS.dataset or recipe.dataset
    other = recipe is None or dataset != recipe.dataset
    split = FLAGS.split or ("train" if other else recipe.split)
    skip_corrupt = FLAGS.skip_corrupt
    if skip_corrupt is None:
        skip_corrupt = not other and recipe.skip_corrupt
    return dataset, split, skip_corrupt


def digest_of(generator):
    """16 hexadecimal digits that tell these weights from others."""
    total = hashlib.sha256()
    for weight in generator.get_weights():
        total.update(weight.tobytes())
    return total.hexdigest()[:16]


def described(features):
    """The features in a few words."""
    accuracy = features.description.get("accuracy")
    known = "" if accuracy is None else f", which recognises {accuracy:.1%} of held-out images"
    return f"{features.dimension} features of {features.name} {features.fingerprint}{known}"


def nearest_picture(sagan, scorer):
    """Samples, each followed by the real images that are most like it."""
    import numpy as np

    from sagan_tf import visualization

    labels = None
    if sagan.generator.num_classes is not None:
        labels = np.arange(_ROWS) % sagan.generator.num_classes
    images = sagan.generate(
        labels,
        _ROWS,
        truncation=scorer.protocol.truncation,
        seed=scorer.protocol.seed,
        use_ema=scorer.protocol.ema,
    )
    neighbors = min(_NEIGHBORS, scorer.protocol.num_real_images)
    rows = np.concatenate([images[:, None], scorer.nearest_real(images, neighbors)], axis=1)
    return visualization.sample_grid(
        rows.reshape(-1, *images.shape[1:]),
        column_labels=["sample", "nearest", *range(2, neighbors + 1)],
    )


if __name__ == "__main__":
    program.run(main)
