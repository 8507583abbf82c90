"""Checkpoints of mmgeneration, and of mmagic, which goes on with it."""

import os

from sagan_tf.interop.state_dict import read_state_dict
from sagan_tf.interop.torch_network import Names
from sagan_tf.interop.torch_sagan import make_sagan

_PARTS = {
    **{name: f"{name}.conv" for name in ("conv_1", "conv_2", "shortcut")},
    "query": "theta.conv",
    "key": "phi.conv",
    "value": "g.conv",
    "output": "o.conv",
    "gate": "gamma",
}
_GENERATOR = Names(
    stages=("conv_blocks.{}",),
    parts={
        **_PARTS,
        "linear": "noise2feat",
        "statistics": "norm",
        "gamma": "weight_embedding",
        "beta": "bias_embedding",
        "norm": "to_rgb.bn",
        "to_image": "to_rgb.conv",
    },
    class_first=True,
)
_DISCRIMINATOR = Names(
    stages=("from_rgb", "conv_blocks.{}"),
    parts={**_PARTS, "linear": "decision", "embedding": "proj_y"},
    class_first=True,
)
_HALVINGS = {32: 2, 64: 5, 128: 5, 256: 6}
_PREFIXES = ("generator", "generator_ema", "discriminator")


def load_mmgeneration(
    path, bgr=False, relu_in_place=False, batch_norm_epsilon=1e-4, gain_offset=1.0
):
    """Makes a `SAGAN` from a checkpoint of mmgeneration or mmagic.

    Widths, classes, size of the latents, places of the attention and spectral normalization follow
    from the variables. All else is an argument, whose value is in the configuration with which the
    model was trained. At inference the networks then equal theirs.

    Args:
        path: str or path of a `.pth` file, which needs torch, or of its `state_dict` as `.npz` or
            `.safetensors`.
        bgr: bool, whether it was trained on images with blue first, as their own data pipelines
            load them; here images have red first. Defaults to `False`.
        relu_in_place: bool, whether the discriminator has `act_cfg=dict(type="ReLU",
            inplace=True)`. Defaults to `False`.
        batch_norm_epsilon: float, their `norm_eps`. Defaults to `1e-4`.
        gain_offset: float, what is added to the tables of gains: 1 for their `init_cfg` of type
            BigGAN or studio, 0 for the others. Defaults to `1.0`.

    Returns:
        A `SAGAN`. Without averaged weights in the file, the average is the generator itself;
        without a discriminator, its weights are random.

    Raises:
        FileNotFoundError: if there is no such file.
        ImportError: if torch, or safetensors, is needed and not installed.
        ValueError: if the file is damaged, or does not hold a SAGAN and nothing else. The message
            names the file and a variable.

    Reference:
        https://github.com/open-mmlab/mmgeneration/tree/master/configs/sagan
    """
    source = f"The file {os.fspath(path)!r}"
    networks = {prefix: {} for prefix in _PREFIXES}
    others = []
    for name, array in read_state_dict(path).items():
        prefix, _, rest = name.partition(".")
        if prefix in networks:
            networks[prefix][rest.removeprefix("module.")] = array
        else:
            others.append(name)
    if others or not networks["generator"]:
        wrong = f"has {others[0]!r}" if others else "has no 'generator.'"
        raise ValueError(f"{source} {wrong}: it is not of mmgeneration")
    return make_sagan(
        source,
        networks["generator"],
        networks["generator_ema"] or None,
        networks["discriminator"] or None,
        (_GENERATOR, _DISCRIMINATOR),
        halvings=_HALVINGS,
        batch_norm_epsilon=batch_norm_epsilon,
        relu_in_place=relu_in_place,
        gain_offset=gain_offset,
        bgr=bgr,
    )
