r"""Shows which score notices what: digits that were made worse on purpose, against real ones.

  python experiments/check_scores.py

One half of the real digits is compared with the other half, as it is and after each change; the
scores are those of experiments/evaluate.py. Prints a Markdown table, that of docs/scores.md.
"""

from absl import flags

from experiments import program

FLAGS = flags.FLAGS
flags.DEFINE_string("cache_dir", None, "Folder of classifiers. Default: ~/.cache/sagan_tf.")
flags.DEFINE_integer("seed", 0, "Seed of the halves and of the changes.")


def main():
    program.start_backend()

    from sagan_tf import data, evaluation

    source = data.find_dataset("digits")
    features = evaluation.Classifier.trained_on(source, 16, 1, cache_dir=FLAGS.cache_dir)
    table = rows(source, features, FLAGS.seed)
    columns = [name for name in next(iter(table.values())) if not name.endswith("_std")]
    print("| the other half | " + " | ".join(name.replace("_", " ") for name in columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for name, scores in table.items():
        print(f"| {name} | " + " | ".join(f"{scores[column]:.3f}" for column in columns) + " |")


def rows(source, features, seed=0):
    """Dict from what was done to one half of the digits to its scores against the other."""
    import numpy as np

    from sagan_tf import data, evaluation

    images, labels = next(
        data.load(
            source, 16, len(source), channels=1, shuffle=False, repeat=False
        ).as_numpy_iterator()
    )
    order = np.random.default_rng(seed).permutation(len(images))
    first, second = np.array_split(order, 2)
    metrics = tuple(metric for metric in evaluation.METRICS if metric != "intra_fid")
    protocol = evaluation.Protocol(metrics=metrics, seed=seed)

    def statistics(images, labels):
        return evaluation.statistics_of(images, features, labels, num_classes=10)

    real = statistics(images[first], labels[first])
    return {
        name: evaluation.compare(
            real, statistics(*change(images[second], labels[second])), protocol
        ).values
        for name, change in changes(images[first], labels[first], seed).items()
    }


def changes(real, real_labels, seed=0):
    """Dict from descriptions to functions of images and labels; `real` are for copying."""
    import numpy as np
    from scipy.ndimage import gaussian_filter

    def noise(deviation):
        def change(images, labels):
            noise = np.random.default_rng(seed).normal(0.0, deviation, images.shape)
            return np.clip(images + noise, -1, 1), labels

        return change

    def blur(deviation):
        return lambda images, labels: (
            gaussian_filter(images, (0, deviation, deviation, 0), mode="nearest"),
            labels,
        )

    def only_below(bound):
        return lambda images, labels: (images[labels < bound], labels[labels < bound])

    def repeat(times):
        def change(images, labels):
            few = len(images) // times
            return np.tile(images[:few], (times, 1, 1, 1)), np.tile(labels[:few], times)

        return change

    def shuffle_labels(images, labels):
        return images, np.random.default_rng(seed).permutation(labels)

    return {
        "as it is": lambda images, labels: (images, labels),
        "noise of deviation 0.2": noise(0.2),
        "noise of deviation 0.5": noise(0.5),
        "blur of deviation 1": blur(1.0),
        "blur of deviation 2": blur(2.0),
        "no 5 to 9": only_below(5),
        "a tenth, 10 times": repeat(10),
        "wrong labels": shuffle_labels,
        "copies of the first half": lambda images, labels: (real, real_labels),
    }


if __name__ == "__main__":
    program.run(main)
