"""Checkpoints of PyTorch-StudioGAN."""

import os
import pathlib
import re

from sagan_tf.interop.state_dict import read_state_dict
from sagan_tf.interop.torch_network import Names
from sagan_tf.interop.torch_sagan import make_sagan

_PARTS = {
    "conv_1": "conv2d1",
    "conv_2": "conv2d2",
    "shortcut": "conv2d0",
    "query": "conv1x1_theta",
    "key": "conv1x1_phi",
    "value": "conv1x1_g",
    "output": "conv1x1_attn",
    "gate": "sigma",
}
_GENERATOR = Names(
    stages=("blocks.{}.0",),
    parts={
        **_PARTS,
        "linear": "linear0",
        "norm_1": "bn1",
        "norm_2": "bn2",
        "statistics": "bn",
        "gamma": "gain",
        "beta": "bias",
        "norm": "bn4",
        "to_image": "conv2d5",
    },
    class_first=False,
)
_DISCRIMINATOR = Names(
    stages=("blocks.{}.0",), parts={**_PARTS, "linear": "linear1"}, class_first=False
)
_HALVINGS = {32: 2, 64: 4, 128: 5, 256: 6}
_NAME = re.compile(r"model=(G|D|G_ema)-(best|current)-weights-step=(\d+)")
_SUFFIXES = (".pth", ".npz", ".safetensors")


def load_studiogan(path):
    """Makes a `SAGAN` from the files that PyTorch-StudioGAN writes of one.

    Widths, classes, size of the latents, places of the attention and spectral normalization follow
    from the variables. At inference the networks equal theirs: epsilon of batch norm is 1e-4, and
    the discriminator's shortcuts take `max(x, 0)`, since its ReLU works in place.

    Args:
        path: str or path of a folder with `model=G-best-weights-step=<step>.pth`, and the like of
            `D` and `G_ema`, or of its `G` file. Of a folder's files those of `best` count, if there
            are any, and the last step. `.pth` needs torch; each may also be the file's `state_dict`
            as `.npz` or `.safetensors`.

    Returns:
        A `SAGAN`. Without a `G_ema` file the average is the generator itself; without a `D` file
        the discriminator's weights are random.

    Raises:
        FileNotFoundError: if there is no such file.
        ImportError: if torch, or safetensors, is needed and not installed.
        ValueError: if a file is damaged, or does not hold what a SAGAN has and nothing else. The
            message names a file and a variable.

    Reference:
        https://github.com/POSTECH-CVLab/PyTorch-StudioGAN
    """
    files = find_files(pathlib.Path(path))
    networks = {name: read_state_dict(file) for name, file in files.items()}
    return make_sagan(
        f"The file {os.fspath(files['G'])!r}",
        networks["G"],
        networks.get("G_ema"),
        networks.get("D"),
        (_GENERATOR, _DISCRIMINATOR),
        halvings=_HALVINGS,
        batch_norm_epsilon=1e-4,
        relu_in_place=True,
    )


def find_files(path):
    """What `load_studiogan` reads: a dict from `"G"`, `"G_ema"` and `"D"`, of the same step, to
    files, as far as there are such."""
    folder = path if path.is_dir() else path.parent
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no file {os.fspath(path)!r}")
    found = {}
    for file in sorted(folder.iterdir()):
        name = _NAME.fullmatch(file.stem)
        if name and file.suffix in _SUFFIXES:
            kind, step = name[2], int(name[3])
            found.setdefault((kind == "best", step, file.suffix), {})[name[1]] = file
    if path.is_dir():
        complete = [key for key, files in found.items() if "G" in files]
        if not complete:
            raise FileNotFoundError(
                f"There is no model=G-best-weights-step=<step>.pth in {os.fspath(path)!r}"
            )
        return found[max(complete)]
    for files in found.values():
        if files.get("G") == path:
            return files
    if not path.exists():
        raise FileNotFoundError(f"There is no file {os.fspath(path)!r}")
    raise ValueError(
        f"{os.fspath(path)!r} is not named as StudioGAN names a generator: "
        "model=G-best-weights-step=<step>.pth"
    )
