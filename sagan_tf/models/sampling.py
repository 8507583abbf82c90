"""Latents, labels and images in batches."""

import numpy as np
from keras import ops, tree

_BATCH = 64
# What the feature maps and attention maps of a call may hold: 1 GiB of float32.
_NUMBERS = 2**28


def draw_latents(num_images, latent_dim, seed=None):
    """Draws standard normal latents, float32 `(num_images, latent_dim)`; more continue fewer."""
    return np.random.default_rng(seed).standard_normal((num_images, latent_dim), dtype="float32")


def draw_inputs(generator, num_images, seed=None):
    """Draws latents, and labels uniformly; more continue fewer.

    Args:
        generator: A `Generator`.
        num_images: int.
        seed: int, or `None` for a new one at each call. Defaults to `None`.

    Returns:
        `(latents, labels)`: float32 `(num_images, latent_dim)` and int32 `(num_images,)`; all
        labels are 0 for an unconditional generator, which ignores them.
    """
    # With a stream for each, more images continue both the latents and the labels of fewer.
    latent_seed, label_seed = np.random.SeedSequence(seed).spawn(2)
    latents = draw_latents(num_images, generator.latent_dim, latent_seed)
    random = np.random.default_rng(label_seed)
    return latents, random.integers(generator.num_classes or 1, size=num_images, dtype="int32")


def interpolate_latents(starts, ends, num_steps):
    """Walks along great circles, so that latents keep the norm that the generator knows.

    Args:
        starts: Float array `(n, latent_dim)`, the latents at which the walks begin.
        ends: Float array of the same shape, the latents at which they end.
        num_steps: int, number of points of each walk, both ends included.

    Returns:
        Float32 array `(n, num_steps, latent_dim)`.
    """
    cosines = np.sum(starts * ends, axis=1) / (
        np.linalg.norm(starts, axis=1) * np.linalg.norm(ends, axis=1)
    )
    angles = np.arccos(np.clip(cosines, -1.0, 1.0))[:, None, None]
    times = np.linspace(0.0, 1.0, num_steps)[None, :, None]
    # sin(a t) / sin(a) tends to t where start and end are parallel.
    safe = np.where(np.sin(angles) > 1e-6, angles, 1e-3)
    walk = np.sin((1 - times) * safe) * starts[:, None] + np.sin(times * safe) * ends[:, None]
    return (walk / np.sin(safe)).astype("float32")


def loop_latents(stops, num_steps):
    """Walks from latents to the next and the next, and from the last back to the first.

    Args:
        stops: Float array `(num_stops, n, latent_dim)`.
        num_steps: int, number of points from one stop until before the next.

    Returns:
        Float32 array `(num_stops * num_steps, n, latent_dim)`, of which the first follows on the
        last.
    """
    ends = np.roll(stops, -1, axis=0)
    legs = [
        interpolate_latents(*leg, num_steps + 1)[:, :-1] for leg in zip(stops, ends, strict=True)
    ]
    return np.concatenate(legs, axis=1).swapaxes(0, 1)


def loop_classes(stops, num_classes, num_steps):
    """Mixes of classes that change evenly from stop to stop, and from the last to the first.

    Args:
        stops: Int array `(num_stops, n)` of labels.
        num_classes: int.
        num_steps: int, number of mixes from one stop until before the next.

    Returns:
        Float32 array `(num_stops * num_steps, n, num_classes)`, weights whose sum is 1.
    """
    starts = np.eye(num_classes)[stops]
    steps = np.roll(starts, -1, axis=0) - starts
    times = np.linspace(0.0, 1.0, num_steps, endpoint=False)[:, None, None]
    mixes = starts[:, None] + times * steps[:, None]
    return mixes.reshape(-1, *starts.shape[1:]).astype("float32")


def images_per_call(generator, return_attention=False):
    """How many images a generator may draw at once, at most 64, by the size of what it holds."""
    maps = zip(generator.plan.resolutions, generator.plan.widths, strict=True)
    # About four maps of the largest size are alive at once.
    numbers = 4 * max(resolution**2 * width for resolution, width in maps)
    if return_attention:
        # There are the scores and their softmax, for each query one number per 2x2 pixels.
        attended = [int(name.rpartition("_")[2]) for name in generator.gates]
        numbers += sum(2 * resolution**4 // 4 for resolution in attended)
    return max(1, min(_BATCH, _NUMBERS // numbers))


def run_in_batches(generator, latents, labels, return_attention=False):
    """Calls a generator at inference, a limited number of images at a time.

    It yields the slice of the latents that was taken, and the arrays that came of it.
    """
    size = images_per_call(generator, return_attention)
    dtype = "int32" if np.ndim(labels) == 1 else "float32"  # Weights mix classes.
    for start in range(0, len(latents), size):
        part = slice(start, start + size)
        inputs = latents[part], np.asarray(labels[part], dtype)
        outputs = generator(inputs, training=False, return_attention=return_attention)
        yield part, tree.map_structure(ops.convert_to_numpy, outputs)


def run_generator(generator, latents, labels, return_attention=False):
    """The arrays of `run_in_batches`, joined."""
    # No images still take one through the network, for the shapes: convolutions of an empty batch
    # are broken in TensorFlow.
    count = len(latents)
    if count == 0:
        latents, labels = np.zeros((1, generator.latent_dim), "float32"), np.zeros(1, "int32")
    parts = run_in_batches(generator, latents, labels, return_attention)
    batches = [outputs for _, outputs in parts]
    return tree.map_structure(lambda *parts: np.concatenate(parts)[:count], *batches)
