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

from experiments import program, scoring

FLAGS = flags.FLAGS
flags.adopt_module_key_flags(scoring)  # So that --help shows them.
flags.DEFINE_string("model", None, "Preset's name or folder, or that of a run.", required=True)
flags.DEFINE_string(
    "dataset", None, "digits, a TFDS name or a folder of images. Default: what it was trained on."
)
flags.DEFINE_string("data_dir", None, "Where TFDS keeps its data sets.")
flags.DEFINE_string("split", None, "Split of the data set. Default: what it was trained on.")
flags.DEFINE_bool(
    "skip_corrupt", None, "Replace images that cannot be read. Default: as it was trained."
)
flags.DEFINE_enum("labels", "uniform", ["uniform", "data"], "Classes of the generated images.")
flags.DEFINE_float("truncation", 1.0, "In (0, 1]: smaller is less varied and more typical.")
flags.DEFINE_bool("ema", True, "Use the averaged weights.")
flags.DEFINE_integer(
    "standing_statistics", 0, "Batches of which batch norm takes its statistics; 0: of training."
)
flags.DEFINE_integer("seed", 0, "Of latents, labels and choices of real images.")
flags.DEFINE_integer("repeats", 1, "How many seeds, for mean and deviation.", lower_bound=1)
flags.DEFINE_bool(
    "real_vs_real",
    False,
    "Score one half of the real images against the other too, the floor; --num_images is half of "
    "the real ones then.",
)
flags.DEFINE_string("output", None, "JSON file to write.")
flags.DEFINE_string("nearest", None, "PNG file of samples and their nearest real images.")

_ROWS, _NEIGHBORS = 10, 7


def main():
    from sagan_tf import evaluation, training

    began = time.monotonic()
    output, nearest = output_path("output"), output_path("nearest")
    sagan = training.load_model(FLAGS.model)
    source, dataset, split, skip_corrupt = open_data()
    print(f"Features of {FLAGS.features} for {source.name}", flush=True)
    num_images = FLAGS.num_images
    if FLAGS.real_vs_real and num_images is None:
        # So that there are as many generated images as in a half of the real ones.
        num_images = min(evaluation.MAX_DEFAULT_IMAGES, len(source) // 2)
    scorer = scoring.make_evaluation(
        source,
        sagan.generator,
        skip_corrupt,
        verbose=True,
        num_images=num_images,
        labels=FLAGS.labels,
        truncation=FLAGS.truncation,
        use_ema=FLAGS.ema,
        standing_statistics=FLAGS.standing_statistics,
        seed=FLAGS.seed,
    )
    seeds = range(FLAGS.seed, FLAGS.seed + FLAGS.repeats)
    found = {"generated": [scorer.score(sagan, seed) for seed in seeds]}
    if FLAGS.real_vs_real:
        found["real, halves"] = [scorer.score_real(seed) for seed in seeds]
    columns = {name: evaluation.summarize(scores) for name, scores in found.items()}
    print(f"\n{FLAGS.model} against {dataset} ({split}), by {described(scorer.features)}\n")
    print(evaluation.format_table(columns))

    report = {
        "model": FLAGS.model,
        "weights": digest_of(sagan.ema_generator if FLAGS.ema else sagan.generator),
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


def open_data():
    """The real images, their data set and split by name, and whether to skip broken ones."""
    from sagan_tf import data, training

    config = training.find_config(FLAGS.model)
    if config is None and FLAGS.dataset is None:
        raise ValueError(f"{FLAGS.model} does not say what it was trained on: pass --dataset")
    dataset = FLAGS.dataset or config.training.dataset
    other = config is None or dataset != config.training.dataset
    split = FLAGS.split or ("train" if other else config.training.split)
    source = data.find_dataset(dataset, split, data_dir=FLAGS.data_dir, download=FLAGS.download)
    skip_corrupt = FLAGS.skip_corrupt
    if skip_corrupt is None:
        skip_corrupt = not other and config.training.skip_corrupt
    return source, dataset, split, skip_corrupt


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
        labels, _ROWS, truncation=FLAGS.truncation, seed=FLAGS.seed, use_ema=FLAGS.ema
    )
    neighbors = min(_NEIGHBORS, scorer.protocol.num_real_images)
    rows = np.concatenate([images[:, None], scorer.nearest_real(images, neighbors)], axis=1)
    return visualization.sample_grid(
        rows.reshape(-1, *images.shape[1:]),
        column_labels=["sample", "nearest", *range(2, neighbors + 1)],
    )


if __name__ == "__main__":
    program.run(main)
