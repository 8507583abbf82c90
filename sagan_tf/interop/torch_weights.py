"""The values of a network of PyTorch, on their way into one of ours."""

import dataclasses

import numpy as np

from sagan_tf.interop.power_iteration import find_u


@dataclasses.dataclass(frozen=True)
class Kernel:
    """A kernel in our layout, and its norm, `None` if it is not normalized."""

    value: np.ndarray
    norm: float | None

    @property
    def normalized(self):
        return self.value if self.norm is None else self.value / self.norm


class TorchWeights:
    """Values for a network of ours, by the paths of its weights, with their names for messages."""

    def __init__(self):
        self.kernels = {}
        self.values = {}

    def change(self, path, change):
        """Replaces the value of a weight by what `change` makes of it."""
        if path in self.kernels:
            key, kernel = self.kernels[path]
            self.kernels[path] = key, dataclasses.replace(kernel, value=change(kernel.value))
        else:
            key, value = self.values[path]
            self.values[path] = key, change(value)

    def find_states(self):
        """Finds the state of power iteration of each kernel.

        Returns:
            The number of kernels that are normalized there, but have no state that does so here.
        """
        self._states = {
            path: None if kernel.norm is None else find_u(kernel.value, kernel.norm)
            for path, (_, kernel) in self.kernels.items()
        }
        return sum(
            kernel.norm is not None and self._states[path] is None
            for path, (_, kernel) in self.kernels.items()
        )

    @property
    def all_have_states(self):
        return all(state is not None for state in self._states.values())

    @property
    def any_is_normalized(self):
        return any(kernel.norm is not None for _, kernel in self.kernels.values())

    def assign(self, network, error):
        """Assigns every weight of a network."""
        for weight in network.weights:
            # A normalized layer and its wrapper share their name.
            path = "/".join(dict.fromkeys(weight.path.split("/")[1:]))
            layer, _, leaf = path.rpartition("/")
            if leaf == "u":
                kernel = "embeddings" if layer == "embedding" else "kernel"
                weight.assign(self._states[f"{layer}/{kernel}"])
                continue
            if path in self.kernels:
                key, kernel = self.kernels[path]
                value = kernel.value if network.spectral_norm else kernel.normalized
            else:
                key, value = self.values[path]
            if value.shape != tuple(weight.shape):
                raise error(f"has {key!r} for a {path} of {tuple(weight.shape)}, not {value.shape}")
            weight.assign(value)
