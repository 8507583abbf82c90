"""The FID of `evaluate.py` from a mean and a covariance that somebody has published."""

import pathlib

import numpy as np
from absl import flags, logging

from experiments import program, scoring, settings_flags
from sagan_tf import files
from sagan_tf.data.image_reader import ImageReader
from sagan_tf.evaluation.metrics.gaussian import Gaussian
from sagan_tf.evaluation.protocol import MAX_DEFAULT_IMAGES, Protocol
from sagan_tf.models.model_folder import find_config

FLAGS = flags.FLAGS
_BATCH = 64
# What these flags ask for needs the real images, or other labels than random ones.
IDLE = (
    *("dataset", "split", "data_dir", "skip_corrupt", "fit", "labels_from"),
    *("metrics", "num_real_images", "real_vs_real", "nearest"),
)


def score(path, images, shape):
    """Prints the FID of the model of the flags, or of some images, and returns a report.

    Args:
        path: str, path of the `.npz` file of the mean and the covariance.
        images: A `sagan_tf.data.Source` of the images to score; `None` for the model.
        shape: Dict of the images' `image_size` and `channels`; `None` for the model.

    Returns:
        Dict ready for JSON.
    """
    drawing = settings_flags.given(Protocol, "truncation", "ema", "standing_statistics")
    protocol = scoring.chosen_protocol(**drawing, **settings_flags.given(Protocol, "seed"))
    scoring.evaluation_maker()  # It checks the flags of the features.
    if FLAGS.features != "inception":
        raise ValueError("--statistics are of Inception's features: pass --features=inception")
    path = pathlib.Path(path).expanduser()
    gaussian = Gaussian.read(path)
    available = MAX_DEFAULT_IMAGES if images is None else len(images)
    num_images = protocol.num_images or min(MAX_DEFAULT_IMAGES, available)
    if num_images < gaussian.dimension and not protocol.allow_few_images:
        raise ValueError(
            f"{gaussian.dimension} features need as many images. Received: {num_images}. Take "
            "more, or accept a distance that says little with `allow_few_images`"
        )
    sagan = None
    if images is None:
        recipe = find_config(FLAGS.model).recipe
        if recipe and recipe.label_distribution == "data":
            logging.warning(
                "%s was trained with labels as frequent as in its data, which nobody knows here: "
                "they are drawn uniformly",
                FLAGS.model,
            )
        (sagan,) = program.load_models(FLAGS.model, **drawing)
    else:
        program.start_backend()

    from sagan_tf import evaluation

    features = scoring.inception()
    if features.dimension != gaussian.dimension:
        raise ValueError(
            f"{path} is of {gaussian.dimension} features, but there are {features.dimension}"
        )
    seeds = range(protocol.seed, protocol.seed + FLAGS.repeats)
    distances = []
    for seed in seeds:
        statistics = evaluation.FeatureStatistics(features)
        if images is None:
            options = {"truncation": protocol.truncation, "use_ema": protocol.ema, "seed": seed}
            for batch, _ in sagan.generate_batches(num_images=num_images, **options):
                statistics.update(batch)
        else:
            read = ImageReader(images, **shape)
            chosen = np.random.default_rng(seed).permutation(len(images))[:num_images]
            for start in range(0, num_images, _BATCH):
                statistics.update(np.stack([read(i)[0] for i in chosen[start : start + _BATCH]]))
        distances.append(evaluation.frechet_distance(gaussian, statistics.moments))
    fid = evaluation.spread(distances)
    print(f"{FLAGS.model or FLAGS.images} against {path}, by {scoring.described(features)}")
    deviation = "" if fid["std"] is None else f" ± {fid['std']:.4f}"
    print(f"fid  {fid['mean']:.4f}{deviation}  ({num_images:,} images)")
    return {
        "statistics": str(path),
        "statistics_sha256": files.sha256(path),
        **scoring.conditions(sagan, protocol.replace(num_images=num_images), features, seeds),
        "generated": {"num_images": num_images, "scores": {"fid": fid}},
    }
