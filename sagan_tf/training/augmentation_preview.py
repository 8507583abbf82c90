"""A picture of what the discriminator sees of real images."""

import numpy as np

from sagan_tf.config import RunOptions
from sagan_tf.losses.augmentation import NUMBERS, augment
from sagan_tf.training.train import for_dataset, load_images
from sagan_tf.visualization import sample_grid

COLUMNS, AUGMENTED_ROWS = 10, 3


def augmentation_preview(config, options=None, adapt_classes=False):
    """Draws the first ten images of a run in a row, and three times augmented below.

    They are cropped, resized and perhaps flipped as in training. With adaptive augmentation they
    are those of probability 1, which training may never reach. Without augmentation there is one
    row.

    Args:
        config: A `Config` with a recipe, whose seed decides the order of the images and how they
            are augmented.
        options: A `RunOptions`, of which `data_dir` and `download` are used. Defaults to `None`,
            that of `RunOptions()`.
        adapt_classes: See `train`.

    Returns:
        An RGB `PIL.Image.Image`.

    Raises:
        ValueError: if a setting does not fit the data set.
    """
    config, source = for_dataset(config, options or RunOptions(), adapt_classes)
    policy = config.recipe.augmentation
    images, _ = next(load_images(config, source, COLUMNS).as_numpy_iterator())
    random, rows = np.random.default_rng(config.recipe.seed), [images]
    for _ in range(AUGMENTED_ROWS if policy else 0):
        numbers = random.random((COLUMNS, len(policy), NUMBERS), "float32")
        rows.append(np.asarray(augment(images, numbers, policy)))
    return sample_grid(np.concatenate(rows), columns=COLUMNS)
