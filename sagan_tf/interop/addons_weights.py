"""Weights of Keras 2 models with the spectral normalization of tensorflow-addons."""

import os

import h5py
import numpy as np

from sagan_tf.layers import SpectralNormalization
from sagan_tf.models import walk_layers
from sagan_tf.models.hdf5 import check_plain


def load_addons_weights(path, layer):
    """Assigns every weight of `layer` from an HDF5 file that Keras 2 wrote.

    A `tfa.layers.SpectralNormalization` goes into our `SpectralNormalization`: its `kernel` (or
    `embeddings`) becomes the raw kernel and its `sn_u` our `u`. Other layers are loaded as they
    are. All of the file must have its place: nothing is assigned if anything does not fit.

    Layers match by name where file and model have the same names, each once (a wrapper has its own,
    not that of the layer in it), and otherwise all by order. Names that Keras made up seldom agree;
    in a subclassed model the order is that in which the layers became attributes.

    With the same `power_iterations`, `ours(x)` and the first `ours(x, training=True)` then equal
    the first `theirs(x, training=True)`, and each later call with `training=True` the next of
    theirs. No call here equals `theirs(x, training=False)`: docs/from_other_code.md.

    Args:
        path: str or path of a file that `model.save_weights("x.h5")` or `model.save("x.h5")` wrote.
        layer: a built Keras layer or model, on any backend.

    Raises:
        FileNotFoundError: if there is no file at `path`.
        ValueError: if the file has another format or reaches beyond itself, if a layer is missing,
            left over or has another shape or type, if a number is not finite, or if `layer` has not
            been built. The message names file and layer.

    Reference:
        https://github.com/tensorflow/addons/blob/v0.23.0/tensorflow_addons/layers/spectral_normalization.py
    """
    path = os.fspath(path)
    ours = _layers_with_weights(layer)
    if not ours:
        raise ValueError(f"`layer` must be built to load {path!r}. Received: layer={layer.name!r}")
    try:
        with h5py.File(path, "r") as file:
            check_plain(file)
            pairs = _matched(ours, _found(file))
            for ours_and_theirs in pairs:
                _check_layer(*ours_and_theirs)
            # Nothing is read before all of it fits, and nothing is assigned before all is read.
            values = [_read(layer) for _, layer in pairs]
    except FileNotFoundError as error:
        raise FileNotFoundError(f"There is no file {path!r}") from error
    except ValueError as error:
        raise ValueError(f"The file {path!r} {error}") from error
    except (AttributeError, KeyError, OSError, RuntimeError, TypeError) as error:
        form = "HDF5 as Keras 2 writes it to a name that ends in .h5, but not in .weights.h5"
        raise ValueError(f"The file {path!r} is not {form}") from error
    for ((_, weights), _), arrays in zip(pairs, values, strict=True):
        for name, weight in weights.items():
            weight.assign(arrays[name])


def _layers_with_weights(root):
    """`[(name of the layer, {name of the weight: variable})]`, a wrapped layer as its wrapper."""
    innermost_last = sorted(walk_layers(root), key=lambda layer: -len(walk_layers(layer)))
    owners = {}
    for layer in (*innermost_last, *walk_layers(root, SpectralNormalization)):
        owners.update((id(weight), layer) for weight in layer.weights)
    found = {}
    for weight in root.weights:
        found.setdefault(owners[id(weight)], {})[weight.name] = weight
    return [(layer.name, weights) for layer, weights in found.items()]


def _found(file):
    """`[(name of the layer, {name of the weight: data set})]`, in which `sn_u` becomes `u`."""
    root = file.get("model_weights", file)
    # The last group has the variables that belong to no layer but the model.
    groups = [*_names(root, "layer_names"), "top_level_model_weights"]
    found = {}
    for group in groups:
        for path in _names(root[group], "weight_names") if group in root else ():
            scope, _, name = path.removesuffix(":0").rpartition("/")
            ours = "u" if name == "sn_u" else name
            found.setdefault((group, scope), {})[ours] = root[group][path]
    return [(scope.rpartition("/")[2], values) for (_, scope), values in found.items()]


def _names(group, key):
    """A list of names, which Keras splits into parts if it is long."""
    parts = [key] if key in group.attrs else [f"{key}0"]
    while f"{key}{len(parts)}" in group.attrs:
        parts.append(f"{key}{len(parts)}")
    names = [name for part in parts for name in group.attrs[part]]
    return [name.decode() if isinstance(name, bytes) else name for name in names]


def _matched(ours, theirs):
    our_names, their_names = ([name for name, _ in layers] for layers in (ours, theirs))
    if len(set(our_names)) == len(ours) and sorted(our_names) == sorted(their_names):
        by_name = dict(theirs)
        return [((name, weights), (name, by_name[name])) for name, weights in ours]
    if len(ours) == len(theirs):
        return list(zip(ours, theirs, strict=True))
    lacking = [name for name in our_names if name not in their_names]
    extra = [name for name in their_names if name not in our_names]
    raise ValueError(
        f"has {len(theirs)} layers with weights, expected {len(ours)}; "
        f"it alone has {extra}, it lacks {lacking}"
    )


def _check_layer(ours, theirs):
    (our_name, weights), (their_name, values) = ours, theirs
    where = f"in layer {their_name!r}, which is to be our {our_name!r}"
    if values.keys() != weights.keys():
        raise ValueError(f"has {sorted(values)} {where} with {sorted(weights)}")
    for name, weight in weights.items():
        if values[name].shape != tuple(weight.shape):
            raise ValueError(
                f"has {name!r} of shape {values[name].shape} {where} with {tuple(weight.shape)}"
            )
        if values[name].dtype.kind not in "fiu":
            raise ValueError(f"has {name!r} of type {values[name].dtype} {where}")


def _read(layer):
    name, values = layer
    arrays = {weight: data[()] for weight, data in values.items()}
    for weight, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(f"has numbers in {weight!r} of layer {name!r} that are not finite")
    return arrays
