r"""Scores digits: are they what was asked for, and as varied as the real ones?

  python experiments/score_digits.py --model=sagan_digits_16

Draws as many images as there are real digits, with their labels, and takes both through the same
reduction from 16x16 to 8x8 pixels (means of 2x2). `recognised` is the share of images that a
support vector machine, trained on half of the real digits, takes for what they were asked to be;
precision, recall, density and coverage are those of Naeem et al. (2020, arXiv 2002.09797) on the
pixels, with 5 neighbours. The last line gives two halves of the real digits to the same yardstick.
"""

import json

from absl import flags

from experiments import program

FLAGS = flags.FLAGS
flags.DEFINE_string("model", None, "Preset's name or folder, or that of a run.", required=True)
flags.DEFINE_integer("seed", 0, "Of the latents.")
flags.DEFINE_float("truncation", 1.0, "In (0, 1].")
flags.DEFINE_bool("ema", True, "Use the averaged weights.")


def main():
    from sagan_tf import training

    sagan = training.load_model(FLAGS.model)
    real, labels = real_digits()
    fake = sagan.generate(labels, seed=FLAGS.seed, truncation=FLAGS.truncation, use_ema=FLAGS.ema)
    print(json.dumps({"images": "generated", **score(real, labels, reduced(fake))}))
    first, second = halves(len(real))
    floor = score(real, labels, real[second], real_subset=first)
    print(json.dumps({"images": "real half against half", **floor}))


def real_digits():
    """The real digits, `(1797, 64)` after the reduction, and their labels."""
    import numpy as np

    from sagan_tf import data

    dataset = data.load("digits", 16, 1797, channels=1, shuffle=False, repeat=False)
    images, labels = next(dataset.as_numpy_iterator())
    return reduced(images), np.asarray(labels)


def reduced(images):
    """Images `(n, 16, 16, 1)` in [-1, 1] as `(n, 64)` means of 2x2 pixels, from 0 to 16."""
    pixels = (images[..., 0].astype("float64") + 1.0) * 8.0
    return pixels.reshape(-1, 8, 2, 8, 2).mean(axis=(2, 4)).reshape(-1, 64)


def halves(count):
    """Indices of two random halves, always the same."""
    import numpy as np

    order = np.random.default_rng(0).permutation(count)
    return order[: count // 2], order[count // 2 :]


def score(real, labels, fake, real_subset=None):
    """The figures for `fake`, whose labels are those of the real images that it stands for."""
    import numpy as np
    from sklearn.metrics import pairwise_distances
    from sklearn.svm import SVC

    first, second = halves(len(real))
    classifier = SVC(gamma=0.001, C=10.0).fit(real[first], labels[first])
    asked = labels if real_subset is None else labels[second]
    reference = real if real_subset is None else real[real_subset]

    def radii(points, neighbours=5):
        # The nearest point to each is itself.
        return np.partition(pairwise_distances(points), neighbours, axis=1)[:, neighbours]

    between = pairwise_distances(reference, fake)
    in_real_ball = between < radii(reference)[:, None]
    in_fake_ball = between < radii(fake)[None, :]
    figures = {
        "recognised": np.mean(classifier.predict(fake) == asked),
        "precision": in_real_ball.any(axis=0).mean(),
        "recall": in_fake_ball.any(axis=1).mean(),
        "density": in_real_ball.sum(axis=0).mean() / 5,
        "coverage": in_real_ball.any(axis=1).mean(),
    }
    return {name: round(float(value), 4) for name, value in figures.items()}


if __name__ == "__main__":
    program.run(main)
