"""Attention in numbers."""

import math

import keras
import numpy as np
from keras import ops

from sagan_tf.models.sampling import images_per_call


def attention_distance(maps):
    """How far from each query its attention goes, on the average.

    Args:
        maps: Float array of shape `(num_images, queries, keys)` whose rows sum to 1; queries and
            keys are square grids over the same image, in row-major order.

    Returns:
        float64 array `(num_images, queries)`: the mean over the keys, weighted by the map, of the
        distance between the centers of query and key, as a share of the image's side.

    Raises:
        ValueError: if the shape is another one.

    Reference:
        [Dosovitskiy et al., 2021](https://arxiv.org/abs/2010.11929), appendix D.7.
    """
    maps = _check(maps)
    return np.einsum("nqk,qk->nq", maps, _distances(*maps.shape[1:]))


def attention_entropy(maps):
    """The entropy of each query's attention, in bits; `log2(keys)` where it is even.

    Arguments, shape of the result and errors are those of `attention_distance`.
    """
    maps = _check(maps)
    logarithms = np.log2(maps, where=maps > 0, out=np.zeros_like(maps))
    return -np.sum(maps * logarithms, axis=-1)


def attention_numbers(generator, latents, labels):
    """What a generator's attention does, in numbers.

    Args:
        generator: A `Generator`. It is not changed.
        latents: Float array `(num_images, latent_dim)`.
        labels: Int array `(num_images,)`.

    Returns:
        Dict from `"attention_<resolution>"` to a dict of floats: `gate`; `distance` and `entropy`,
        means over images and queries; `even_distance` and `even_entropy`, what they would be if
        every query attended to all keys alike; and `effect`, by how many of 255 gray levels a
        pixel changes, on the average, when the gate is closed. Empty without attention.
    """
    sums = {name: np.zeros(3) for name in generator.gates}
    # Their distance and entropy are in float64.
    size = max(1, images_per_call(generator, return_attention=True) // 2)
    for start in range(0, len(latents), size):
        part = slice(start, start + size)
        inputs = latents[part], labels[part]
        images, maps = generator(inputs, training=False, return_attention=True)
        images = _array(images)
        for name, gate in generator.gates.items():
            attention = _array(maps[name])
            # For this call the gate is 0; the variable is not touched.
            with keras.StatelessScope(state_mapping=[(gate, ops.zeros((), gate.dtype))]):
                without = _array(generator(inputs, training=False))
            sums[name] += (
                attention_distance(attention).mean(axis=1).sum(),
                attention_entropy(attention).mean(axis=1).sum(),
                np.abs(images - without).mean(axis=(1, 2, 3)).sum() * 127.5,
            )
    numbers = {}
    for name, gate in generator.gates.items():
        distance, entropy, effect = (sums[name] / len(latents)).tolist()
        _, queries, keys = maps[name].shape
        numbers[name] = {
            "gate": float(_array(gate)),
            "distance": distance,
            "even_distance": float(_distances(queries, keys).mean()),
            "entropy": entropy,
            "even_entropy": math.log2(keys),
            "effect": effect,
        }
    return numbers


def _array(tensor):
    return np.asarray(ops.convert_to_numpy(tensor), "float64")


def _check(maps):
    maps = np.asarray(maps, "float64")
    sides = [math.isqrt(positions) for positions in maps.shape[1:]]
    if maps.ndim != 3 or tuple(side**2 for side in sides) != maps.shape[1:]:
        raise ValueError(
            "`maps` must have shape (num_images, queries, keys), the latter two square numbers. "
            f"Received: shape={maps.shape}"
        )
    return maps


def _distances(queries, keys):
    """Distances `(queries, keys)` between the cells of two grids over the unit square."""

    def centers(positions):
        side = math.isqrt(positions)
        return (np.stack(np.divmod(np.arange(positions), side), axis=-1) + 0.5) / side

    return np.linalg.norm(centers(queries)[:, None] - centers(keys)[None], axis=-1)
