"""From settings to networks, and back."""

from sagan_tf.config import ModelConfig
from sagan_tf.models.architecture import architecture
from sagan_tf.models.discriminator import Discriminator
from sagan_tf.models.generator import Generator

_SHARED = ("image_size", "channels", "num_classes", "attention_layer")
# A setting of the discriminator that is `None` is that of the generator.
_SEPARATE = ("base_channels", "attention_resolutions", "spectral_norm")
# From the settings of one network alone to its arguments.
_GENERATOR = {
    "latent_dim": "latent_dim",
    "generator_widths": "widths",
    "batch_norm_epsilon": "batch_norm_epsilon",
}
_DISCRIMINATOR = {
    "discriminator_widths": "widths",
    "discriminator_downsampling": "downsampling",
    "discriminator_attention_blocks": "attention_blocks",
    "rectified_shortcut": "rectified_shortcut",
}


def make_networks(model):
    """The generator and the discriminator of a `ModelConfig`, with random weights."""
    networks = []
    for network_class, settings, names in (
        (Generator, model, _GENERATOR),
        (Discriminator, model.of_discriminator(), _DISCRIMINATOR),
    ):
        shared = {name: getattr(settings, name) for name in (*_SHARED, *_SEPARATE)}
        own = {argument: getattr(settings, name) for name, argument in names.items()}
        networks.append(network_class(**shared, **own))
    return tuple(networks)


def describe_networks(generator, discriminator):
    """The `ModelConfig` from which `make_networks` makes such networks."""
    settings = {name: getattr(generator, name) for name in (*_SHARED, *_SEPARATE)}
    for network, names in (generator, _GENERATOR), (discriminator, _DISCRIMINATOR):
        settings |= {name: getattr(network, argument) for name, argument in names.items()}
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
