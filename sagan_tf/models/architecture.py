"""Widths, resolutions and attention of the networks."""

import dataclasses

MIN_ATTENTION_CHANNELS = 8
# Settings that decide nothing but what `describe_plans` returns of them.
_PLANNED = (
    "base_channels",
    "attention_resolutions",
    "attention_layer",
    "discriminator_base_channels",
    "discriminator_attention_resolutions",
    "discriminator_spectral_norm",
    "generator_widths",
    "discriminator_widths",
    "discriminator_downsampling",
    "discriminator_attention_blocks",
)


@dataclasses.dataclass(frozen=True)
class Architecture:
    """What `image_size` decides where nothing else is asked for.

    Widths are channels in multiples of `base_channels`: of the generator's 4x4 map and of its
    blocks, each of which doubles the resolution; and of the discriminator's blocks, of which the
    first `discriminator_downsampling` halve it. `attention` is a resolution in both networks.
    """

    generator_widths: tuple[int, ...]
    discriminator_widths: tuple[int, ...]
    discriminator_downsampling: int
    attention: int


# 128 is the official SAGAN code's; 256 and 64 continue it as BigGAN does (appendix B). 32 is the
# CIFAR-10 network of Miyato et al. (2018), table 4, and 16 is that network with one block less.
ARCHITECTURES = {
    16: Architecture((4, 4, 4), (4, 4, 4), 2, attention=8),
    32: Architecture((4, 4, 4, 4), (4, 4, 4, 4), 2, attention=16),
    64: Architecture((8, 8, 4, 2, 1), (1, 2, 4, 8, 8), 4, attention=32),
    128: Architecture((16, 16, 8, 4, 2, 1), (1, 2, 4, 8, 16, 16), 5, attention=32),
    256: Architecture((16, 16, 8, 8, 4, 2, 1), (1, 2, 4, 8, 8, 16, 16), 6, attention=64),
}


def architecture(image_size):
    """Returns the `Architecture` of an image size; a ValueError lists those that exist."""
    if image_size not in ARCHITECTURES:
        raise ValueError(
            f"`image_size` must be one of {sorted(ARCHITECTURES)}. Received: {image_size=}"
        )
    return ARCHITECTURES[image_size]


@dataclasses.dataclass(frozen=True)
class Plan:
    """The blocks of a network, in order.

    Attributes:
        widths: Tuple of ints, channels of what each block returns.
        resolutions: Tuple of ints, height and width of it.
        attention: Dict from names of attention layers to the index of the block that each follows.
    """

    widths: tuple[int, ...]
    resolutions: tuple[int, ...]
    attention: dict[str, int]


def generator_plan(model):
    """The `Plan` of the generator of a `ModelConfig`, whose first entry is the 4x4 map."""
    table = architecture(model.image_size)
    count = len(table.generator_widths)
    widths = _widths("generator_widths", model, table.generator_widths)
    if len(widths) != count:
        raise ValueError(
            f"`generator_widths` must be {count} numbers at {model.image_size} pixels, of the 4x4 "
            f"map and of {count - 1} blocks. Received: {widths}"
        )
    resolutions = tuple(4 << index for index in range(count))
    places = _attention("generator", model, table, resolutions)
    return _checked("generator", widths, resolutions, places)


def discriminator_plan(model):
    """The `Plan` of the discriminator that `ModelConfig.of_discriminator` describes."""
    table = architecture(model.image_size)
    widths = _widths("discriminator_widths", model, table.discriminator_widths)
    halvings = model.discriminator_downsampling
    halvings = table.discriminator_downsampling if halvings is None else halvings
    if halvings > len(widths) or model.image_size >> halvings < 1:
        raise ValueError(
            f"`discriminator_downsampling` must be at most {len(widths)}, the number of blocks, "
            f"and leave a pixel of {model.image_size}. Received: {halvings}"
        )
    resolutions = tuple(
        model.image_size >> min(number, halvings) for number in range(1, len(widths) + 1)
    )
    if model.discriminator_attention_blocks is None:
        places = _attention("discriminator", model, table, resolutions)
    else:
        places = {}
        for number in model.discriminator_attention_blocks:
            if not 1 <= number <= len(widths):
                raise ValueError(
                    f"`discriminator_attention_blocks` must be in [1, {len(widths)}], numbers of "
                    f"blocks. Received: {model.discriminator_attention_blocks}"
                )
            resolution = resolutions[number - 1]
            is_first = resolution not in resolutions[: number - 1]
            name = f"attention_{resolution}" if is_first else f"attention_{resolution}_{number}"
            places[name] = number - 1
    return _checked("discriminator", widths, resolutions, places)


def check_model(model):
    """Raises a ValueError if there are no such networks as a `ModelConfig` describes."""
    generator_plan(model)
    discriminator_plan(model.of_discriminator())


def check_frozen(model, count):
    """Raises a ValueError if the discriminator of a `ModelConfig` has fewer blocks to freeze."""
    blocks = len(discriminator_plan(model.of_discriminator()).widths)
    if count > blocks:
        raise ValueError(
            f"`freeze_discriminator` must be at most {blocks}, the number of blocks. "
            f"Received: {count}"
        )


def describe_plans(model):
    """What the networks of a `ModelConfig` are: equal for settings that make the same networks.

    `attention_resolutions=None` is that of the image size, for instance, and `attention_layer` says
    nothing of networks without attention.

    Returns:
        Tuple of the two `Plan`s and of all else that matters. It can be compared only.
    """
    discriminator = model.of_discriminator()
    plans = generator_plan(model), discriminator_plan(discriminator)
    layer = model.attention_layer if any(plan.attention for plan in plans) else None
    others = {
        field.name: getattr(model, field.name)
        for field in dataclasses.fields(model)
        if field.name not in _PLANNED
    }
    return *plans, layer, discriminator.spectral_norm, others


def _widths(name, model, multiples):
    widths = getattr(model, name)
    if widths is None:
        return tuple(model.base_channels * multiple for multiple in multiples)
    if not widths or min(widths) < 1:
        raise ValueError(f"`{name}` must be numbers of at least 1. Received: {widths}")
    return widths


def _attention(network, model, table, resolutions):
    """Dict from names of attention layers to the index of the block that each follows.

    It is the first of those that return the resolution.
    """
    chosen = model.attention_resolutions
    chosen = (table.attention,) if chosen is None else chosen
    # No attention follows the generator's 4x4 map.
    known = resolutions[1:] if network == "generator" else resolutions
    for resolution in chosen:
        if resolution not in known:
            raise ValueError(
                f"`attention_resolutions` must be among {sorted(set(known))}, the "
                f"resolutions of the {network}'s feature maps. Received: {chosen}"
            )
    return {f"attention_{resolution}": resolutions.index(resolution) for resolution in chosen}


def _checked(network, widths, resolutions, attention):
    for index in attention.values():
        if widths[index] < MIN_ATTENTION_CHANNELS:
            raise ValueError(
                f"Attention needs at least {MIN_ATTENTION_CHANNELS} channels, but the {network} "
                f"has {widths[index]} at resolution {resolutions[index]}: raise `base_channels` or "
                f"change `attention_resolutions`. Received: {list(attention)}"
            )
    return Plan(widths, resolutions, attention)
