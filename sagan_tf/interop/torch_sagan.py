"""A `SAGAN` from the networks of PyTorch code."""

from absl import logging

from sagan_tf.config import ModelConfig
from sagan_tf.interop.torch_network import TorchNetwork
from sagan_tf.models import SAGAN
from sagan_tf.models.build import make_networks


def make_sagan(
    source,
    generator,
    ema_generator,
    discriminator,
    names,
    *,
    halvings,
    batch_norm_epsilon,
    relu_in_place,
    gain_offset=1.0,
    bgr=False,
):
    """Makes a `SAGAN` from the variables of its networks.

    Kernels keep their spectral normalization, with the state of power iteration that gives the same
    norms. Where there is none, or not all kernels of a network are normalized, the normalized
    kernels are taken, and a warning says that training goes on without spectral normalization.
    Class tables are always taken normalized.

    Args:
        source: str that names the files, for messages.
        generator: Dict from names to float32 arrays.
        ema_generator: The like of the averaged weights; `None` for those of `generator`.
        discriminator: The like; `None` for one with random weights.
        names: `Names` of the generator and of the discriminator.
        halvings: Dict from image sizes to the number of the discriminator's blocks that halve the
            resolution, where the variables leave it open.
        batch_norm_epsilon: float, what batch norm adds to the variance.
        relu_in_place: bool, whether the discriminator's shortcuts take `max(x, 0)`.
        gain_offset: float, what is added to the tables of gains. Defaults to `1.0`.
        bgr: bool, whether the networks' images have blue first. Defaults to `False`.

    Raises:
        ValueError: if the variables are not those of a SAGAN.
    """
    generators = [generator] if ema_generator is None else [generator, ema_generator]
    generators = [TorchNetwork(source, arrays, names[0]) for arrays in generators]
    settings = generators[0].generator_settings()
    settings |= {"batch_norm_epsilon": batch_norm_epsilon, "rectified_shortcut": relu_in_place}
    size = settings["image_size"]
    if discriminator is not None:
        discriminator = TorchNetwork(source, discriminator, names[1])
        settings |= discriminator.discriminator_settings(size, halvings.get(size))
        if (classes := discriminator.num_embedded_classes()) != settings["num_classes"]:
            raise discriminator.error(
                f"has {settings['num_classes']} classes in its generator, {classes} in its "
                "discriminator"
            )
    else:
        logging.warning("%s has no discriminator: it gets random weights", source)
        settings["discriminator_attention_resolutions"] = ()
    model = ModelConfig(**settings)

    weights = {"spectral_norm": [each.generator_weights(model, gain_offset) for each in generators]}
    if discriminator is not None:
        weights["discriminator_spectral_norm"] = [discriminator.discriminator_weights(model)]
    if bgr:
        _swap_colors(weights)
    sagan = SAGAN(*make_networks(_with_spectral_norm(model, weights, source)))
    # The last generator that there is stands for the average.
    for network, of_network in (
        (sagan.generator, weights["spectral_norm"][0]),
        (sagan.ema_generator, weights["spectral_norm"][-1]),
        (sagan.discriminator, *weights.get("discriminator_spectral_norm", [None])),
    ):
        if of_network is not None:
            of_network.assign(network, generators[0].error)
    return sagan


def _swap_colors(weights):
    for of_generator in weights["spectral_norm"]:
        of_generator.change("to_image/kernel", lambda kernel: kernel[..., ::-1])
        of_generator.change("to_image/bias", lambda bias: bias[::-1])
    for of_discriminator in weights.get("discriminator_spectral_norm", []):
        for layer in ("conv_1", "shortcut"):
            of_discriminator.change(f"block_1/{layer}/kernel", lambda kernel: kernel[:, :, ::-1])


def _with_spectral_norm(model, weights, source):
    """The `ModelConfig` with spectral norm in those networks whose weights have it."""
    for setting, alike in weights.items():
        lost = sum([each.find_states() for each in alike])
        kept = all(each.all_have_states for each in alike)
        model = model.replace(**{setting: kept})
        if not kept and any(each.any_is_normalized for each in alike):
            logging.warning(
                "%s: %s in the %s, whose normalized kernels are taken as they are: training goes "
                "on without spectral norm there",
                source,
                f"{lost} norms are out of reach" if lost else "not all kernels are normalized",
                "discriminator" if setting.startswith("discriminator") else "generator",
            )
    return model
