"""Copies of networks: without spectral normalization, and with other batch-norm statistics."""

import keras

from sagan_tf.layers import ConditionalBatchNorm, SpectralNormalization
from sagan_tf.models.sampling import draw_inputs


def walk_layers(network, layer_class=keras.layers.Layer):
    """Lists the layers of a class in a network, itself included, however deep they are."""
    # Keras has no public way to do this: `network.layers` ends at the first level.
    return [layer for layer in network._flatten_layers() if isinstance(layer, layer_class)]


def fold_spectral_norm(network, dtype=None):
    """Copies a network, with every `W / sigma` in the place of `W`.

    Args:
        network: A `Generator` or `Discriminator`. It is not changed.
        dtype: Dtype or policy of the copy. Defaults to that of the network.

    Returns:
        A network with `spectral_norm=False` and, at inference, the same outputs.
    """
    config = {**network.get_config(), "spectral_norm": False}
    config["dtype"] = dtype or config["dtype"]
    folded = type(network).from_config(config)
    wrappers = walk_layers(network, SpectralNormalization)
    normalized = {id(layer.kernel): layer.normalized_kernel()[0] for layer in wrappers}
    dropped = {id(layer.u) for layer in wrappers}
    sources = [weight for weight in network.weights if id(weight) not in dropped]
    for source, target in zip(sources, folded.weights, strict=True):
        target.assign(normalized.get(id(source), source))
    return folded


def with_standing_statistics(generator, num_batches, truncation=1.0, seed=0, batch_size=64):
    """Copies a generator, with batch-norm statistics that are those of many batches.

    The means and variances of `num_batches` batches are averaged with equal weights. They replace
    the moving averages of training, which are those of past weights, of weights before their own
    averaging (EMA), and of latents without truncation.

    Args:
        generator: A `Generator`. It is not changed.
        num_batches: int; less than 1 is a ValueError.
        truncation: float in (0, 1], factor of the latents. Defaults to `1.0`.
        seed: int, seed of the latents and labels. Defaults to `0`.
        batch_size: int, images per batch. Defaults to `64`.

    Reference:
        [Brock et al., 2019](https://arxiv.org/abs/1809.11096), appendix C.1.
    """
    if num_batches < 1:
        raise ValueError(f"`num_batches` must be at least 1. Received: {num_batches}")
    copy = type(generator).from_config(generator.get_config())
    copy.set_weights(generator.get_weights())
    norms = walk_layers(copy, ConditionalBatchNorm)
    momenta = [norm.momentum for norm in norms]
    latents, labels = draw_inputs(generator, num_batches * batch_size, seed)
    latents = truncation * latents
    for index in range(num_batches):
        for norm in norms:
            # The first batch replaces what was there, the i-th has a weight of 1 / i.
            norm.momentum = index / (index + 1)
        part = slice(index * batch_size, (index + 1) * batch_size)
        # The scope keeps all that is assigned from the copy: power iterations must not go on.
        with keras.StatelessScope() as scope:
            copy((latents[part], labels[part]), training=True)
        for norm in norms:
            for statistic in (norm.moving_mean, norm.moving_variance):
                statistic.assign(scope.get_current_value(statistic))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return copy
