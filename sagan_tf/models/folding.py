"""Networks without spectral normalisation that compute the same."""

from sagan_tf.layers import SpectralNormalization


def fold_spectral_norm(model, dtype=None):
    """Copies a network, with every `W / sigma` in the place of `W`.

    Args:
        model: A `Generator` or `Discriminator`.
        dtype: Dtype or policy of the copy; `None` for the model's. Defaults to `None`.

    Returns:
        A new network of the same class with `spectral_norm=False`, whose outputs at inference
        equal the model's.
    """
    config = {**model.get_config(), "spectral_norm": False}
    if dtype is not None:
        config["dtype"] = dtype
    folded = type(model).from_config(config)
    normalized, dropped = {}, set()
    for layer in model._flatten_layers():
        if isinstance(layer, SpectralNormalization):
            kernel, _ = layer.normalized_kernel()
            normalized[id(layer.kernel)] = kernel
            dropped.add(id(layer.u))
    sources = [weight for weight in model.weights if id(weight) not in dropped]
    for source, target in zip(sources, folded.weights, strict=True):
        target.assign(normalized.get(id(source), source))
    return folded
