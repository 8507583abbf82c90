"""From settings to networks, and back."""

from sagan_tf.config import ModelConfig
from sagan_tf.models.architecture import architecture
from sagan_tf.models.discriminator import Discriminator
from sagan_tf.models.generator import Generator

_SHARED = ("image_size", "channels", "num_classes")
# A setting of the discriminator that is `None` is that of the generator.
_SEPARATE = ("base_channels", "attention_resolutions", "spectral_norm")


def make_networks(model):
    """The generator and the discriminator of a `ModelConfig`, with random weights."""
    generator, discriminator = (
        {name: getattr(each, name) for name in (*_SHARED, *_SEPARATE)}
        for each in (model, model.of_discriminator())
    )
    return Generator(latent_dim=model.latent_dim, **generator), Discriminator(**discriminator)


def describe_networks(generator, discriminator):
    """The `ModelConfig` from which `make_networks` makes such networks."""
    settings = {name: getattr(generator, name) for name in (*_SHARED, "latent_dim", *_SEPARATE)}
    # For a network, `None` is the default of the image size.
    default = (architecture(generator.image_size).attention,)
    for name in _SEPARATE:
        own, other = (
            default if value is None else value
            for value in (getattr(discriminator, name), settings[name])
        )
        if own != other:
            settings[f"discriminator_{name}"] = own
    return ModelConfig(**settings)
