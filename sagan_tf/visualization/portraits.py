"""Pictures of what a model draws."""

from sagan_tf.visualization.attention_overlay import attention_overlay
from sagan_tf.visualization.sample_grid import sample_grid

COLUMNS, ROWS = 10, 6
MAX_HEADINGS = 16


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
        labels: Sequence of ints, as in `SAGAN.generate`. Defaults to the first classes in turn.
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
    labels = _first_classes(sagan, num_images) if labels is None else list(labels)
    images, maps = sagan.generate(labels, num_images, seed=seed, return_attention=True, **options)
    return attention_overlay(images, maps[names[-1]])


def _first_classes(sagan, count):
    """At most `count` labels, `None` for an unconditional model."""
    num_classes = sagan.generator.num_classes
    return None if num_classes is None else list(range(min(num_classes, count)))
