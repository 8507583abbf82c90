"""Pictures of what a model draws."""

import math

import numpy as np

from sagan_tf.labels import check_labels, repeat_labels
from sagan_tf.visualization.attention_overlay import attention_overlay
from sagan_tf.visualization.sample_grid import sample_grid

# Keras is imported by those who draw latents: programs without models make grids too.
COLUMNS, ROWS = 10, 6
MAX_HEADINGS = 16
WALK_COLUMNS = 10
# An animation passes at least four latents, and draws 20 pictures from one to the next.
_STOPS, _STEPS = 4, 20
_IMAGES_AT_ONCE = 64


def class_grid(sagan, seed=0):
    """Draws samples in six rows, with a column for each of the first ten classes.

    Args:
        sagan: A `SAGAN`. If it is unconditional, the columns have no labels.
        seed: int, seed of the latents. Defaults to `0`.

    Returns:
        An RGB `PIL.Image.Image`.
    """
    labels = _first_classes(sagan, COLUMNS)
    columns = len(labels or range(COLUMNS))
    images = sagan.generate(labels, num_images=columns * ROWS, seed=seed)
    return sample_grid(images, columns, column_labels=class_headings(sagan, labels))


def class_headings(sagan, labels):
    """What stands above columns of classes: their names, or their numbers if they have no names.

    It is `None`, for no headings, without labels and for more than 16 columns.
    """
    if labels is None or len(labels) > MAX_HEADINGS:
        return None
    return [sagan.class_names[label] if sagan.class_names else str(label) for label in labels]


def attention_picture(sagan, labels=None, num_images=5, seed=0, **options):
    """Draws samples and what some of their pixels attended to, where attention is finest.

    Args:
        sagan: A `SAGAN` whose generator attends.
        labels: Sequence, as in `SAGAN.generate`. Defaults to the first classes in turn.
        num_images: int, number of samples, each in a row of its own. Defaults to `5`.
        seed: int, seed of the latents. Defaults to `0`.
        **options: `truncation` and `use_ema` of `SAGAN.generate`.

    Returns:
        An RGB `PIL.Image.Image`, as `attention_overlay` draws it. A generator without attention is
        a ValueError.
    """
    names = list(sagan.generator.gates)
    if not names:
        is_residual = sagan.generator.attention_layer == "residual"
        reason = "attention_layer is residual" if is_residual else "attention_resolutions is empty"
        raise ValueError(f"This model has no attention to show: {reason}")
    labels = _first_classes(sagan, num_images) if labels is None else labels
    images, maps = sagan.generate(labels, num_images, seed=seed, return_attention=True, **options)
    return attention_overlay(images, maps[names[-1]])


def walk_picture(sagan, labels=None, num_images=8, seed=None, **options):
    """Draws rows of ten images, each of which walks from one latent to another.

    Args:
        sagan: A `SAGAN`.
        labels: Sequence of ints or names. Each row has the next and keeps it. Defaults to `None`,
            all classes in turn.
        num_images: int, number of rows. Defaults to `8`.
        seed: int, seed of the latents. Defaults to `None`, a new one.
        **options: `truncation` and `use_ema` of `SAGAN.generate`.

    Returns:
        An RGB `PIL.Image.Image`.
    """
    from sagan_tf.models.sampling import draw_latents, interpolate_latents

    latents = draw_latents(2 * num_images, sagan.generator.latent_dim, seed)
    walk = interpolate_latents(latents[:num_images], latents[num_images:], WALK_COLUMNS)
    num_classes = sagan.generator.num_classes
    if labels is not None:
        labels = check_labels(labels, num_classes, sagan.class_names)
        labels = repeat_labels(labels, num_images)
    elif num_classes is not None:
        labels = np.resize(np.arange(num_classes), num_images)
    if labels is not None:
        labels = np.repeat(labels, WALK_COLUMNS)
    images = sagan.generate(labels, latents=walk.reshape(-1, walk.shape[-1]), **options)
    return sample_grid(images, columns=WALK_COLUMNS)


def walk_frames(sagan, labels=None, num_images=9, seed=None, **options):
    """Draws a loop of pictures of images that walk from one latent to another.

    Args:
        sagan: A `SAGAN`.
        labels: Sequence of ints or names. Every image passes through these classes in turn, and
            begins at another than its neighbor. Between two classes their scales and shifts of
            batch norm are mixed. Defaults to `None`: the images have all classes in turn, and keep
            them.
        num_images: int, number of images in each picture. Defaults to `9`.
        seed: int, seed of the latents. Defaults to `None`, a new one.
        **options: `truncation` and `use_ema` of `SAGAN.generate`.

    Yields:
        RGB `PIL.Image.Image`s of the same size, 20 for each latent that is passed, of which there
        are four or a multiple of the number of labels. The first follows on the last.
    """
    from sagan_tf.models.sampling import draw_latents, loop_classes, loop_latents

    generator = sagan.generator
    if labels is not None:
        labels = check_labels(labels, generator.num_classes, sagan.class_names)
        labels = repeat_labels(labels, max(1, len(labels)))  # There must be one.
    turns = 1 if labels is None else len(labels)
    num_stops = turns * math.ceil(_STOPS / turns)
    latents = draw_latents(num_stops * num_images, generator.latent_dim, seed)
    latents = loop_latents(latents.reshape(num_stops, num_images, -1), _STEPS)
    classes = None
    if generator.num_classes is not None:
        # Without labels an image keeps the class that it begins with.
        around = np.arange(generator.num_classes) if labels is None else labels
        stops = [
            np.resize(np.roll(around, 0 if labels is None else -stop), num_images)
            for stop in range(num_stops)
        ]
        classes = loop_classes(np.array(stops), generator.num_classes, _STEPS)
    size = max(1, _IMAGES_AT_ONCE // num_images)
    for start in range(0, len(latents), size):
        points, mixes = (
            None if each is None else each[start : start + size].reshape(-1, each.shape[-1])
            for each in (latents, classes)
        )
        images = sagan.generate(mixes, latents=points, **options)
        yield from map(sample_grid, images.reshape(-1, num_images, *images.shape[1:]))


def _first_classes(sagan, count):
    """At most `count` labels, `None` for an unconditional model."""
    num_classes = sagan.generator.num_classes
    return None if num_classes is None else list(range(min(num_classes, count)))
