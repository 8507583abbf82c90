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

import pathlib

from absl import flags

from experiments import program

FLAGS = flags.FLAGS
flags.DEFINE_string("model", None, "Preset's name or folder, or that of a run.", required=True)
flags.DEFINE_string("output", None, "PNG file to write.", required=True)
flags.DEFINE_list(
    "labels",
    None,
    "Classes, which are taken in turn. Default: at random, or all with --interpolate.",
)
flags.DEFINE_integer(
    "num_images", None, "Images (default 64), or rows with --interpolate (8), --attention (5)."
)
flags.DEFINE_float(
    "truncation",
    1.0,
    "Factor of the latents, in (0, 1]: a smaller one makes images less varied, more typical.",
)
flags.DEFINE_integer("seed", None, "Seed: the same one draws the same images.")
flags.DEFINE_bool(
    "interpolate", False, "Whether to draw rows that walk from one latent to another."
)
flags.DEFINE_bool("attention", False, "Whether to draw attention maps over the images.")
flags.DEFINE_bool("ema", True, "Whether to use the averaged weights.")
flags.DEFINE_integer(
    "standing_statistics",
    0,
    "Batches of 64 from which to recompute batch-norm statistics; 0 for those that are saved.",
    lower_bound=0,
)

_WALK = 10


def main():
    if FLAGS.attention and FLAGS.interpolate:
        raise ValueError("--attention and --interpolate exclude each other")
    labels = None
    if FLAGS.labels is not None:
        if not all(label.lstrip("-").isdecimal() for label in FLAGS.labels):
            raise ValueError(
                f"--labels must be ints such as 3,7. Received: {FLAGS['labels'].value}"
            )
        labels = [int(label) for label in FLAGS.labels]

    if not 0 < FLAGS.truncation <= 1:
        raise ValueError(f"--truncation must be in (0, 1]. Received: {FLAGS.truncation}")
    (sagan,) = program.load_models(
        FLAGS.model,
        standing_statistics=FLAGS.standing_statistics,
        truncation=FLAGS.truncation,
    )

    from sagan_tf import models, visualization

    options = {"truncation": FLAGS.truncation, "seed": FLAGS.seed, "use_ema": FLAGS.ema}
    if FLAGS.attention:
        picture = visualization.attention_picture(sagan, labels, FLAGS.num_images or 5, **options)
    elif FLAGS.interpolate:
        rows = FLAGS.num_images or 8
        latents = models.draw_latents(2 * rows, sagan.generator.latent_dim, FLAGS.seed)
        walk = models.interpolate_latents(latents[:rows], latents[rows:], _WALK)
        num_classes = sagan.generator.num_classes
        if labels is None and num_classes is not None:
            labels = range(num_classes)
        if labels:
            # Each row keeps its class.
            labels = [labels[row % len(labels)] for row in range(rows) for _ in range(_WALK)]
        images = sagan.generate(labels, latents=walk.reshape(rows * _WALK, -1), **options)
        picture = visualization.sample_grid(images, columns=_WALK)
    else:
        images = sagan.generate(labels, FLAGS.num_images or 64, **options)
        picture = visualization.sample_grid(images)
    output = pathlib.Path(FLAGS.output).expanduser()
    output.parent.mkdir(parents=True, exist_ok=True)
    picture.save(output)
    print(output)


if __name__ == "__main__":
    program.run(main)
