"""A network of PyTorch, by the names that a code base gives its parts."""

import dataclasses
import math

import numpy as np

from sagan_tf.interop.torch_weights import Kernel, TorchWeights
from sagan_tf.models.architecture import ARCHITECTURES, discriminator_plan, generator_plan

_ATTENTION = ("query", "key", "value", "output")
_CONVOLUTIONS = ("conv_1", "conv_2", "shortcut")


@dataclasses.dataclass(frozen=True)
class Names:
    """What a code base calls the parts of its networks.

    Attributes:
        stages: Names of residual blocks and attention layers, in order, each alone or with `{}`
            for a number that counts from 0.
        parts: Dict from our names of layers, and of what is in them, to theirs.
        class_first: bool, whether the tables of class-conditional batch norm have a row per class,
            not a column.
    """

    stages: tuple[str, ...]
    parts: dict[str, str]
    class_first: bool


class TorchNetwork:
    """Reads what a network is from its variables, and then their values, each of them once.

    Args:
        source: str that names the file, for messages.
        arrays: Dict from names to float32 arrays.
        names: `Names`.

    Raises:
        ValueError: from any method, if the variables are not those of a SAGAN. The message names
            the file and a variable.
    """

    def __init__(self, source, arrays, names):
        self._source = source
        self._arrays = arrays
        self._names = names
        self._used = set()
        self._stages = list(self._find_stages())
        self._blocks = [stage for stage in self._stages if not self._is_attention(stage)]
        self._attention_after = tuple(
            index - count
            for count, index in enumerate(
                index for index, stage in enumerate(self._stages) if self._is_attention(stage)
            )
        )
        if not self._blocks:
            raise self.error(f"has no {names.stages[0].format(0)!r}: it is not of a SAGAN")
        if len(set(self._attention_after)) < len(self._attention_after):
            raise self.error("has two attention layers after one block")

    def error(self, message):
        return ValueError(f"{self._source} {message}")

    def generator_settings(self):
        """Dict of what the variables say of a generator, by the names of `ModelConfig`."""
        rows, latent_dim = self._shape("linear", 2)
        map_width = self._shape(f"{self._blocks[0]}.conv_1", 4)[1]
        if rows != 16 * map_width:
            raise self.error(f"has {rows} numbers for a 4x4 map of {map_width} channels")
        image_size = self._image_size(4 << len(self._blocks))
        widths = (map_width, *self._widths())
        table = ARCHITECTURES[image_size].generator_widths
        norm = f"{self._blocks[0]}.norm_1"
        num_classes = None
        if self._has(f"{norm}.gamma"):
            num_classes = self._shape(f"{norm}.gamma", 2)[0 if self._names.class_first else 1]
        return {
            "image_size": image_size,
            "channels": self._shape("to_image", 4)[0],
            "num_classes": num_classes,
            "latent_dim": latent_dim,
            "attention_resolutions": tuple(4 << number for number in self._attention_after),
            **_unit_or_widths("", "generator_widths", widths, table),
        }

    def discriminator_settings(self, image_size, halvings):
        """The like of a discriminator of `image_size`.

        `halvings` blocks halve the resolution where their shortcuts leave it open.
        """
        widths = self._widths()
        inputs = (self._shape(f"{self._blocks[0]}.conv_1", 4)[1], *widths)
        for index, block in enumerate(self._blocks):
            has_shortcut = self._has(f"{block}.shortcut")
            if not has_shortcut and index < halvings:
                halvings = index
            elif has_shortcut and inputs[index] == inputs[index + 1] and index >= halvings:
                halvings = index + 1
        table = ARCHITECTURES[image_size]
        settings = _unit_or_widths(
            "discriminator_", "discriminator_widths", widths, table.discriminator_widths
        )
        default = table.discriminator_downsampling
        numbers = self._attention_after
        settings["discriminator_downsampling"] = None if halvings == default else halvings
        # A resolution says the block after which attention stands if it is the first that has it.
        if all(number <= halvings for number in numbers):
            settings["discriminator_attention_resolutions"] = tuple(
                image_size >> number for number in numbers
            )
        else:
            settings["discriminator_attention_resolutions"] = ()
            settings["discriminator_attention_blocks"] = numbers
        return settings

    def generator_weights(self, model, gain_offset=1.0):
        """The `TorchWeights` of a `ModelConfig`'s generator, in which all variables must be."""
        weights = TorchWeights()
        self._read_map(weights, model)
        for stage, name in self._named_stages(generator_plan(model), first=1):
            if self._is_attention(stage):
                self._read_attention(weights, stage, name)
                continue
            for part in ("norm_1", "norm_2"):
                self._read_norm(weights, f"{stage}.{part}", f"{name}/{part}", gain_offset)
            for part in _CONVOLUTIONS:
                self._read_convolution(weights, f"{stage}.{part}", f"{name}/{part}")
        self._read_norm(weights, "norm", "norm", 0.0)
        self._read_convolution(weights, "to_image", "to_image")
        self._check_all_used()
        return weights

    def discriminator_weights(self, model):
        """The `TorchWeights` of the discriminator of a `ModelConfig`, as above."""
        weights = TorchWeights()
        for stage, name in self._named_stages(discriminator_plan(model.of_discriminator())):
            if self._is_attention(stage):
                self._read_attention(weights, stage, name)
                continue
            for part in _CONVOLUTIONS:
                if part != "shortcut" or self._has(f"{stage}.shortcut"):
                    self._read_convolution(weights, f"{stage}.{part}", f"{name}/{part}")
        weights.kernels["linear/kernel"] = self._kernel("linear", 2, np.transpose)
        weights.values["linear/bias"] = self._value("linear.bias", 1)
        if model.num_classes is not None:
            weights.kernels["embedding/embeddings"] = self._kernel("embedding", 2, np.asarray)
        self._check_all_used()
        return weights

    def num_embedded_classes(self):
        """Number of classes of a discriminator's projection, `None` without one."""
        return self._shape("embedding", 2)[0] if self._has("embedding") else None

    def _theirs(self, ours):
        """Their name of a layer, or of what is in one, by ours: parts joined by dots."""
        for stage in self._stages:
            if ours.startswith(f"{stage}."):
                rest = ours.removeprefix(f"{stage}.").split(".")
                return ".".join([stage, *(self._names.parts.get(part, part) for part in rest)])
        return ".".join(self._names.parts.get(part, part) for part in ours.split("."))

    def _find_stages(self):
        for name in self._names.stages:
            for number in range(len(self._arrays) if "{}" in name else 1):
                stage = name.format(number)
                if not any(key.startswith(f"{stage}.") for key in self._arrays):
                    break
                yield stage

    def _named_stages(self, plan, first=0):
        places = {index - first: name for name, index in plan.attention.items()}
        number = 0
        for stage in self._stages:
            if self._is_attention(stage):
                yield stage, places[number - 1]
            else:
                number += 1
                yield stage, f"block_{number}"

    def _is_attention(self, stage):
        return f"{stage}.{self._names.parts['gate']}" in self._arrays

    def _has(self, layer):
        prefix = self._theirs(layer)
        return any(key.startswith(f"{prefix}.") for key in self._arrays)

    def _widths(self):
        widths, inputs = [], None
        for block in self._blocks:
            outputs, given = self._shape(f"{block}.conv_1", 4)[:2]
            if inputs is not None and given != inputs:
                key = self._weight_key(self._theirs(f"{block}.conv_1"))
                raise self.error(f"has {given} channels in {key!r}, expected {inputs}")
            widths.append(outputs)
            inputs = outputs
        return tuple(widths)

    def _image_size(self, image_size):
        if image_size not in ARCHITECTURES:
            raise self.error(
                f"has {len(self._blocks)} blocks in its generator, for {image_size} pixels; known "
                f"are {', '.join(map(str, ARCHITECTURES))}"
            )
        return image_size

    def _weight_key(self, prefix):
        normalized = f"{prefix}.weight_orig"
        return normalized if normalized in self._arrays else f"{prefix}.weight"

    def _shape(self, layer, ndim):
        return self._array(self._weight_key(self._theirs(layer)), ndim, used=False).shape

    def _array(self, key, ndim, used=True):
        if key not in self._arrays:
            raise self.error(f"lacks {key!r}: it is not of a SAGAN, or not whole")
        array = self._arrays[key]
        if array.ndim != ndim:
            raise self.error(f"has {key!r} of shape {array.shape}, expected {ndim} dimensions")
        if used:
            self._used.add(key)
        return array

    def _value(self, layer, ndim):
        return self._theirs(layer), self._array(self._theirs(layer), ndim)

    def _kernel(self, layer, ndim, layout):
        prefix = self._theirs(layer)
        key = self._weight_key(prefix)
        array = self._array(key, ndim)
        matrix = array.reshape(len(array), -1).astype("float64")
        norm = None
        if key.endswith("_orig"):
            u, v = (self._array(f"{prefix}.weight_{name}", 1) for name in "uv")
            if (len(u), len(v)) != matrix.shape:
                raise self.error(f"has vectors of other sizes than {key!r} of shape {array.shape}")
            norm = u @ matrix @ v
        elif f"{prefix}.u0" in self._arrays:
            # BigGAN's own form iterates once from u0, at inference too; sv0 is for its log.
            self._used.add(f"{prefix}.sv0")
            u = self._array(f"{prefix}.u0", 2)[0]
            if len(u) != len(matrix):
                raise self.error(f"has {prefix + '.u0'!r} of another size than {key!r}")
            v = u @ matrix
            norm = np.linalg.norm(matrix @ v) / np.linalg.norm(v)
        if norm is not None and not (math.isfinite(norm) and norm):
            raise self.error(f"has {key!r} of norm {norm}")
        return key, Kernel(layout(array), norm)

    def _read_convolution(self, weights, layer, ours, bias=True):
        weights.kernels[f"{ours}/kernel"] = self._kernel(layer, 4, _channels_last)
        if bias:
            weights.values[f"{ours}/bias"] = self._value(f"{layer}.bias", 1)

    def _read_attention(self, weights, stage, name):
        for part in _ATTENTION:
            self._read_convolution(weights, f"{stage}.{part}", f"{name}/{part}", bias=False)
        key = self._theirs(f"{stage}.gate")
        self._used.add(key)
        gate = self._arrays[key]
        if gate.size != 1:
            raise self.error(f"has {key!r} of shape {gate.shape}, expected one number")
        weights.values[f"{name}/gate"] = key, gate.reshape(())

    def _read_norm(self, weights, layer, ours, gain_offset):
        """Reads batch norm, whose class tables are taken as they are after normalization."""
        statistics = f"{layer}.statistics"
        if f"{self._theirs(statistics)}.running_mean" not in self._arrays:
            statistics = layer
        for name, theirs in ("moving_mean", "running_mean"), ("moving_variance", "running_var"):
            weights.values[f"{ours}/{name}"] = self._value(f"{statistics}.{theirs}", 1)
        for name, plain, offset in ("gamma", "weight", gain_offset), ("beta", "bias", 0.0):
            if layer != "norm" and self._has(f"{layer}.{name}"):
                layout = np.asarray if self._names.class_first else np.transpose
                key, table = self._kernel(f"{layer}.{name}", 2, layout)
                weights.values[f"{ours}/{name}"] = key, offset + table.normalized
            else:
                weights.values[f"{ours}/{name}"] = self._value(f"{statistics}.{plain}", 1)

    def _read_map(self, weights, model):
        """Reads the linear layer, whose outputs are the channels, then the places, of a 4x4 map."""

        def pixels_first(array):
            channels = array.reshape(-1, 16, *array.shape[1:])
            return np.swapaxes(channels, 0, 1).reshape(array.shape)

        weights.kernels["linear/kernel"] = self._kernel(
            "linear", 2, lambda array: pixels_first(array).T
        )
        key, bias = self._value("linear.bias", 1)
        weights.values["linear/bias"] = key, pixels_first(bias)

    def _check_all_used(self):
        extra = sorted(self._arrays.keys() - self._used)
        if extra:
            more = f" and {len(extra) - 3} more" if len(extra) > 3 else ""
            names = ", ".join(map(repr, extra[:3])) + more
            raise self.error(f"has more than a SAGAN: {names}")


def _unit_or_widths(prefix, name, widths, multiples):
    """The setting of the unit, and of the widths if they are not the table's multiples of it."""
    unit = max(widths[-1] // multiples[-1], 1)
    is_standard = widths == tuple(unit * multiple for multiple in multiples)
    return {f"{prefix}base_channels": unit, name: None if is_standard else widths}


def _channels_last(kernel):
    return np.transpose(kernel, (2, 3, 1, 0))
