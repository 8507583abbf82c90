"""Batch norm with statistics of its own for sampling."""

from sagan_tf.layers import ConditionalBatchNorm
from sagan_tf.models import draw_inputs


def with_standing_statistics(generator, num_batches, truncation=1.0, seed=0, batch_size=64):
    """A copy of a generator whose batch-norm statistics are those of many batches.

    The means and variances of `num_batches` batches are averaged with equal weights, in place of
    the moving averages of training, which are those of past weights, of weights before their own
    averaging (EMA), and of latents without truncation.

    Args:
        generator: A `Generator`. It is not changed.
        num_batches: int, at least 1.
        truncation: float in (0, 1], factor of the latents. Defaults to `1.0`.
        seed: int, of the latents and labels. Defaults to `0`.
        batch_size: int. Defaults to `64`.

    Returns:
        A `Generator`.

    Raises:
        ValueError: if `num_batches` is less than 1.

    Reference:
        [Brock et al., 2019](https://arxiv.org/abs/1809.11096), appendix C.1.
    """
    if num_batches < 1:
        raise ValueError(f"`num_batches` must be at least 1. Received: {num_batches}")
    copy = type(generator).from_config(generator.get_config())
    copy.set_weights(generator.get_weights())
    norms = [layer for layer in copy._flatten_layers() if isinstance(layer, ConditionalBatchNorm)]
    momenta = [norm.momentum for norm in norms]
    statistics = {
        id(statistic) for norm in norms for statistic in (norm.moving_mean, norm.moving_variance)
    }
    latents, labels = draw_inputs(generator, num_batches * batch_size, seed)
    latents = truncation * latents
    for index in range(num_batches):
        for norm in norms:
            # The first batch replaces what was there, the i-th has a weight of 1 / i.
            norm.momentum = index / (index + 1)
        part = slice(index * batch_size, (index + 1) * batch_size)
        copy((latents[part], labels[part]), training=True)
        # The power iterations of spectral normalisation must not go on.
        for ours, theirs in zip(copy.weights, generator.weights, strict=True):
            if id(ours) not in statistics:
                ours.assign(theirs)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return copy
