r"""Asks of a trained model whether its images are of use, and whether it copies.

With a model that was trained on a slice, such as --split='train[:90%]', the rest is held out:

  python experiments/examine.py --model=runs/flowers

Of another one, --held_out names images that it has not seen:

  python experiments/examine.py --model=runs/cifar10 --held_out=test --output=answers.json

Of use: the accuracy, on the held-out images, of a classifier that is trained on generated ones
(GAN-train), beside those of one trained on as many real ones and of one trained on both. Copies:
how well the discriminator's logits tell images of training from held-out ones, as the area under
the ROC curve; 0.5 says that it knows none by heart. evaluate.py --nearest=FILE shows the images of
training that are most like some samples.
"""

import numpy as np
from absl import flags

from experiments import program, settings_flags
from sagan_tf import files
from sagan_tf.config import Recipe, RunOptions
from sagan_tf.data.catalog import check_dataset
from sagan_tf.data.slices import have_common_images, held_out_split
from sagan_tf.evaluation.protocol import MAX_DEFAULT_IMAGES, Protocol
from sagan_tf.labels import check_class_names
from sagan_tf.models.model_folder import find_config

FLAGS = flags.FLAGS
flags.DEFINE_string("model", None, "Preset, or folder of a model or a run.", required=True)
flags.DEFINE_string(
    "held_out",
    None,
    "Split of images that the model was not trained on. By default it is what the slice of its "
    "training leaves over.",
)
flags.DEFINE_integer(
    "num_images",
    MAX_DEFAULT_IMAGES,
    "Largest number of images of training, and of held-out images, to use.",
    lower_bound=20,
)
settings_flags.define_choice(
    "architecture",
    "plain",
    ["plain", "residual"],
    "Network of the classifiers, see docs/scores.md.",
)
settings_flags.define(Recipe, "dataset", "split", "skip_corrupt", defaults=False)
settings_flags.define(RunOptions, "data_dir", "download")
settings_flags.define(Protocol, "truncation", "ema", "standing_statistics", "seed")
flags.DEFINE_string("output", None, "JSON file to write.")


def main():
    output = program.output_path("output")
    recipe = find_config(FLAGS.model).recipe
    if recipe is None and FLAGS.dataset is None:
        raise ValueError(f"{FLAGS.model} does not say what it was trained on: pass --dataset")
    chosen = settings_flags.given(Recipe, "dataset", "split", "skip_corrupt")
    recipe = (recipe or Recipe()).replace(**chosen)
    held_out = FLAGS.held_out or held_out_split(recipe.split)
    if held_out is None:
        raise ValueError(
            f"{FLAGS.model} was trained on all of {recipe.dataset} ({recipe.split}): name images "
            "that it has not seen by --held_out=SPLIT"
        )
    if held_out == recipe.split:
        raise ValueError(f"--held_out must be another split than {recipe.split}")
    for split in (recipe.split, held_out):
        check_dataset(recipe.dataset, split)
    settings = settings_flags.given(Protocol, "ema", "standing_statistics", "truncation")
    (sagan,) = program.load_models(FLAGS.model, **settings)

    from sagan_tf.evaluation import gan_train, membership

    check_images(recipe, held_out)
    seen, unseen = (arrays(recipe, split, sagan) for split in (recipe.split, held_out))
    report = {"model": FLAGS.model, "dataset": recipe.dataset, "split": recipe.split}
    report |= {"held_out": held_out, "architecture": FLAGS.architecture, "seed": FLAGS.seed}
    print(f"{len(seen[0])} images of {recipe.split}, {len(unseen[0])} held out: {held_out}\n")
    report["membership"] = found = membership(sagan.discriminator, seen, unseen)
    print(
        f"The discriminator tells images of training from held-out ones with an area under the "
        f"ROC curve of {found['auc']:.3f} ± {found['standard_error']:.3f} (0.5: not at all).\n"
    )
    if sagan.generator.num_classes is None:
        print("The model has no classes: a classifier cannot learn from its images.")
    else:
        report["gan_train"] = found = gan_train(
            sagan,
            seen,
            unseen,
            FLAGS.architecture,
            FLAGS.seed,
            use_ema=FLAGS.ema,
            truncation=FLAGS.truncation,
        )
        print("Held-out images that a classifier recognizes, by the images it was trained on:\n")
        print(table(found, sagan.class_names))
    if output:
        files.write_json(output, report)
        print(output)


def check_images(recipe, held_out):
    """Raises a ValueError unless the images of a recipe are there, and others are held out."""
    from sagan_tf import data

    where = {"data_dir": FLAGS.data_dir, "download": FLAGS.download}
    seen = data.find_dataset(recipe.dataset, recipe.split, **where)
    # With --split one says what the model has seen.
    known = None if FLAGS["split"].present else recipe.dataset_digest
    if known and seen.digest() != known:
        raise ValueError(
            f"{seen.name} ({recipe.split}) has other images than {FLAGS.model} was trained on: "
            "name theirs by --dataset, or say by --split that it was trained on these"
        )

    def size_of(split):
        return len(data.find_dataset(recipe.dataset, split, **where))

    if have_common_images(recipe.split, held_out, size_of):
        raise ValueError(
            f"--held_out={held_out} has images of {recipe.split}, on which the model was trained"
        )


def arrays(recipe, split, sagan):
    """Images of a split as the model was trained on them, and their labels, evenly chosen."""
    from sagan_tf import data
    from sagan_tf.data.image_reader import ImageReader

    where = {"data_dir": FLAGS.data_dir, "download": FLAGS.download}
    source = data.find_dataset(recipe.dataset, split, **where)
    if sagan.generator.num_classes is not None:
        check_class_names(sagan.class_names, source.class_names, source.name)
    number = min(FLAGS.num_images, len(source))
    chosen = np.linspace(0, len(source) - 1, number).round().astype(int)
    generator = sagan.generator
    shape = generator.image_size, generator.channels, generator.num_classes
    subset = data.Subset(source, chosen)
    return ImageReader(subset, *shape, recipe.skip_corrupt, recipe.fit).read_all()


def table(found, class_names):
    """Accuracies as lines of text, one for each class and one for all."""
    names = class_names or [str(label) for label in range(len(found["real"]["classes"]))]
    width = max(map(len, ("of all", *names)))
    lines = [" " * width + "".join(f"  {name:>9}" for name in found)]
    rows = [("of all", [each["accuracy"] for each in found.values()])]
    rows += zip(names, zip(*(each["classes"] for each in found.values()), strict=True), strict=True)
    for name, values in rows:
        cells = ("" if value is None else f"{value:.1%}" for value in values)
        lines.append(f"{name:{width}}" + "".join(f"  {cell:>9}" for cell in cells))
    return "\n".join(lines)


if __name__ == "__main__":
    program.run(main)
