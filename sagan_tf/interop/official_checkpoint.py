"""Checkpoints of the official SAGAN code, which is TensorFlow 1."""

import glob
import math
import os
import pathlib

import numpy as np
import tensorflow as tf

from sagan_tf.files import one_line
from sagan_tf.models import Discriminator, Generator

# A damaged checkpoint raises one of these.
_READ_ERRORS = (tf.errors.OpError, IndexError, ValueError)

# From our names, with the layer before them where it matters, to the official ones. Others agree.
_BOTH = {
    "query": "sn_conv_theta",
    "key": "sn_conv_phi",
    "value": "sn_conv_g",
    "output": "sn_conv_attn",
    "gate": "sigma_ratio",
    "kernel": "w",
    "bias": "biases",
    "linear/kernel": "Matrix",
    "linear/bias": "bias",
}
_GENERATOR = {
    **_BOTH,
    "linear": "g_snh0",
    **{f"block_{index}": f"g_block{index}" for index in range(1, 6)},
    "norm_1": "cbn_0",
    "conv_1": "snconv1",
    "norm_2": "cbn_1",
    "conv_2": "snconv2",
    "shortcut": "snconv3",
    "moving_mean": "mean",
    "moving_variance": "var",
    **dict.fromkeys(("attention_32", "attention_64"), "g_non_local"),
    "norm": "g_bn",
    "norm/moving_mean": "moving_mean",
    "norm/moving_variance": "moving_variance",
    "to_image": "g_snconv_last",
}
_DISCRIMINATOR = {
    **_BOTH,
    "block_1": "d_optimized_block1",
    **{f"block_{index}": f"d_block{index}" for index in range(2, 7)},
    "conv_1": "sn_conv1",
    "conv_2": "sn_conv2",
    "shortcut": "sn_conv3",
    **dict.fromkeys(("attention_32", "attention_64"), "d_non_local"),
    "linear": "d_sn_linear",
    "embedding": "d_embedding",
    "embeddings": "embedding_map",
}


def load_official_checkpoint(prefix):
    """Builds both networks from a checkpoint of the official SAGAN code (128x128 images).

    Width, number of classes, size of the latents and place of the attention (after the blocks at
    32x32, at 64x64, or none) follow from the variables, for each network by itself. The variables
    may be in any scope; of copies, the one in the shortest scope counts. Slots of optimizers,
    moving averages and counters are left out.

    Args:
        prefix: str or path of a checkpoint without `.index`, or of a folder for its latest one.

    Returns:
        `(generator, discriminator)`: a float32 `Generator` and `Discriminator`.

    Raises:
        FileNotFoundError: if there is no checkpoint at `prefix`.
        ValueError: if it cannot be read, or does not hold both networks and nothing else. The
            message names the variables.

    Reference:
        https://github.com/brain-research/self-attention-gan
    """
    checkpoint = _Checkpoint(prefix)
    scope = checkpoint.scope_of("g_snh0/Matrix")
    latent_dim, linear_width = checkpoint.shape(scope + "g_snh0/Matrix", rank=2)
    base_channels = linear_width // (4 * 4 * 16)
    generator = checkpoint.build(
        Generator,
        num_classes=checkpoint.shape(scope + "g_block1/cbn_0/gamma", rank=2)[0],
        base_channels=base_channels,
        latent_dim=latent_dim,
        attention_resolutions=checkpoint.attention(
            scope + "g_non_local/", {4 * base_channels: 32, 2 * base_channels: 64}
        ),
    )
    checkpoint.restore(generator, scope, "g_", _GENERATOR)

    scope = checkpoint.scope_of("d_optimized_block1/sn_conv1/w")
    base_channels = checkpoint.shape(scope + "d_optimized_block1/sn_conv1/w", rank=4)[-1]
    discriminator = checkpoint.build(
        Discriminator,
        num_classes=checkpoint.shape(scope + "d_embedding/embedding_map", rank=2)[0],
        base_channels=base_channels,
        attention_resolutions=checkpoint.attention(
            scope + "d_non_local/", {2 * base_channels: 32, base_channels: 64}
        ),
    )
    checkpoint.restore(discriminator, scope, "d_", _DISCRIMINATOR)
    return generator, discriminator


class _Checkpoint:
    """A TensorFlow 1 checkpoint whose errors are one line that names its path."""

    def __init__(self, prefix):
        self._prefix = os.fspath(prefix)
        try:
            self._reader = tf.train.load_checkpoint(self._prefix)
        except tf.errors.NotFoundError as error:
            raise FileNotFoundError(f"There is no checkpoint at {self._prefix!r}") from error
        except _READ_ERRORS as error:
            raise self._error(f"cannot be read as a checkpoint: {one_line(error)}") from error
        self._shapes = self._reader.get_variable_to_shape_map()
        # Sizes are believed only as far as there are bytes: networks are built after them.
        size = sum(path.stat().st_size for path in checkpoint_files(prefix)[1:])
        if sum(map(math.prod, self._shapes.values())) > size:
            raise self._error("cannot be read as a checkpoint: its data are cut off")

    def scope_of(self, name):
        """The shortest scope, with its slash, that holds the variable `name`."""
        copies = [found for found in self._shapes if f"/{found}".endswith(f"/{name}")]
        shortest = min(copies, key=lambda found: (len(found), found), default=name)
        self.shape(shortest)  # checks that there is one
        return shortest.removesuffix(name)

    def shape(self, name, rank=None):
        if name not in self._shapes:
            raise self._error(f"is not of the official SAGAN: it has no variable {name!r}")
        found = self._shapes[name]
        if rank not in (None, len(found)):
            raise self._error(f"has {name!r} of shape {found}, expected {rank} dimensions")
        return found

    def attention(self, scope, resolutions):
        """The `attention_resolutions` that follow from the width of the attention in `scope`."""
        query = scope + "sn_conv_theta/w"
        if query not in self._shapes:
            return ()
        *_, channels, _ = self.shape(query, rank=4)
        if channels not in resolutions:
            raise self._error(
                f"has attention on {channels} channels ({query!r}), where the official SAGAN "
                f"has it on one of {sorted(resolutions)}"
            )
        return (resolutions[channels],)

    def build(self, model_class, **arguments):
        try:
            return model_class(**arguments)
        except ValueError as error:
            raise self._error(f"is not of the official SAGAN: {one_line(error)}") from error

    def restore(self, model, scope, start, names):
        """Assigns every weight of `model`, each from a variable of its own in `scope`.

        The official names of this network, and of no other, begin with `start`.
        """
        sources = {scope + _official_name(weight.path, names): weight for weight in model.weights}
        self._check(sources, scope + start)
        for name, weight in sources.items():
            value = self._value(name)
            if name.endswith("d_embedding/u"):
                # The official code normalizes the transpose, so its u has an entry per class.
                value = value @ self._value(name.replace("/u", "/embedding_map"))
                value = value / np.linalg.norm(value)
            weight.assign(np.reshape(value, weight.shape))

    def _check(self, sources, start):
        missing = [name for name in sources if name not in self._shapes]
        if missing:
            raise self._error(f"lacks {_listed(missing)}")
        # The last part of a slot's or moving average's name is not one of a network's.
        leaves = {name.split("/")[-1] for name in sources}
        others = sorted(self._shapes.keys() - sources.keys())
        extra = [n for n in others if n.startswith(start) and n.split("/")[-1] in leaves]
        if extra:
            raise self._error(f"has more than the official SAGAN: {_listed(extra)}")
        for name, weight in sources.items():
            expected = list(weight.shape)
            if name.endswith("d_embedding/u"):
                expected = [1, self.shape(name.replace("/u", "/embedding_map"))[0]]
            found = self._shapes[name]
            if [size for size in found if size > 1] != [size for size in expected if size > 1]:
                raise self._error(f"has {name!r} of shape {found}, expected {expected}")

    def _value(self, name):
        try:
            value = self._reader.get_tensor(name)
        except _READ_ERRORS as error:
            raise self._error(f"cannot be read at {name!r}: {one_line(error)}") from error
        if value.dtype.kind != "f" or not np.isfinite(value).all():
            raise self._error(f"has other than finite numbers in {name!r}")
        return value

    def _error(self, message):
        return ValueError(f"The checkpoint {self._prefix!r} {message}")


def checkpoint_files(prefix):
    """List of the paths that `load_official_checkpoint` reads: the index, then the data."""
    found = pathlib.Path(tf.train.latest_checkpoint(os.fspath(prefix)) or prefix)
    data = found.parent.glob(f"{glob.escape(found.name)}.data-*")
    return [found.with_name(f"{found.name}.index"), *sorted(data)]


def _official_name(path, names):
    # A normalized layer and its wrapper share their name.
    parts = list(dict.fromkeys(path.split("/")[1:]))
    parents = ["", *parts]
    return "/".join(
        names.get(f"{parent}/{part}") or names.get(part, part)
        for parent, part in zip(parents, parts, strict=False)
    )


def _listed(names):
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(map(repr, names[:3])) + more
