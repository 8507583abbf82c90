r"""Draws images from a trained model, with no data set at hand.

A grid of threes and sevens:

  python experiments/sample.py --model=sagan_digits_16 --labels=3,7 --num_images=40 --output=x.png

From one image to another, and what the generator attends to:

  python experiments/sample.py --model=runs/digits/preset --interpolate --output=walk.png
  python experiments/sample.py --model=runs/digits/preset --attention --output=attention.png

A run that is still training, at its newest checkpoint or at a certain one:

  python experiments/sample.py --model=runs/digits --output=now.png
  python experiments/sample.py --model=runs/digits/checkpoints/step_0000500 --output=then.png
"""

from absl import flags

from experiments import program, settings_flags
from sagan_tf import files
from sagan_tf.evaluation.protocol import Protocol
from sagan_tf.labels import check_labels
from sagan_tf.models.model_folder import find_config

FLAGS = flags.FLAGS
flags.DEFINE_string("model", None, "Preset, or folder of a model or a run.", required=True)
flags.DEFINE_string("output", None, "Picture to write, such as x.png.", required=True)
flags.DEFINE_list(
    "labels",
    None,
    "Classes, by name or number, such as cat,dog or 3,7, which are taken in turn. Without it they "
    "are drawn at random; with --interpolate each row has the next.",
)
flags.DEFINE_integer(
    "num_images",
    None,
    "How many images there are (64 by default), or rows with --interpolate (8) or --attention (5).",
    lower_bound=1,
)
flags.DEFINE_integer(
    "seed", None, "Seed: the same one draws the same images. Without it they are new each time.", 0
)
flags.DEFINE_bool(
    "interpolate", False, "Whether to draw rows that walk from one latent to another."
)
flags.DEFINE_bool("attention", False, "Whether to draw attention maps over the images.")
settings_flags.define(Protocol, "truncation", "ema", "standing_statistics")

_WALK = 10


def main():
    if FLAGS.attention and FLAGS.interpolate:
        raise ValueError("--attention and --interpolate exclude each other")
    labels = FLAGS.labels
    output = program.picture_path("output")
    settings = settings_flags.given(Protocol, "ema", "standing_statistics", "truncation")
    config = find_config(FLAGS.model)
    if labels is not None:
        labels = check_labels(labels, config.model.num_classes, config.class_names).tolist()
    (sagan,) = program.load_models(FLAGS.model, **settings)

    from sagan_tf import models, visualization

    options = {"truncation": FLAGS.truncation, "seed": FLAGS.seed, "use_ema": FLAGS.ema}
    if FLAGS.attention:
        picture = visualization.attention_picture(sagan, labels, FLAGS.num_images or 5, **options)
    elif FLAGS.interpolate:
        rows, num_classes = FLAGS.num_images or 8, sagan.generator.num_classes
        latents = models.draw_latents(2 * rows, sagan.generator.latent_dim, FLAGS.seed)
        walk = models.interpolate_latents(latents[:rows], latents[rows:], _WALK)
        if labels is None and num_classes is not None:
            labels = range(num_classes)
        if labels:
            # Each row keeps its class.
            labels = [labels[row % len(labels)] for row in range(rows) for _ in range(_WALK)]
        images = sagan.generate(labels, latents=walk.reshape(rows * _WALK, -1), **options)
        picture = visualization.sample_grid(images, columns=_WALK)
    else:
        images = sagan.generate(labels, FLAGS.num_images or 64, **options)
        headings = visualization.class_headings(sagan, labels)
        picture = visualization.sample_grid(images, column_labels=headings)
    files.write_picture(output, picture)
    print(output)


if __name__ == "__main__":
    program.run(main)
