"""State dicts of PyTorch, from files that are not trusted."""

import math
import os
import pickle
import zipfile

import numpy as np

from sagan_tf.files import one_line

# Weights hardly compress: a file that grows more than this is meant to fill the memory.
_LARGEST_GROWTH, _SLACK = 20, 2**26


def read_state_dict(path):
    """Reads a state dict: dict from names, without `module.`, to float32 arrays.

    Files are told apart by their content. What `torch.save` wrote needs torch, which reads it with
    `weights_only=True`: nothing that is in it is executed. An `.npz` archive needs nothing, and a
    `.safetensors` file the package `safetensors`. Integers, such as counters, are left out.

    Raises:
        FileNotFoundError: if there is no file at `path`.
        ImportError: if the package that reads the file is not installed.
        ValueError: if the file is damaged, holds no arrays, holds numbers that are not finite, or
            would take far more memory than it has bytes. The message names the file.
    """
    path = os.fspath(path)
    try:
        arrays = _read(path)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"There is no file {path!r}") from error
    except (ImportError, OSError):
        raise
    except Exception as error:
        # Every reader has errors of its own for damaged files.
        raise ValueError(f"The file {path!r} cannot be read: {one_line(error)}") from error
    found = {}
    for name, array in arrays.items():
        if array.dtype.kind != "f":
            continue
        if not np.isfinite(array).all():
            raise ValueError(f"The file {path!r} has numbers that are not finite in {name!r}")
        found[name.removeprefix("module.")] = array.astype("float32", copy=False)
    if not found:
        raise ValueError(f"The file {path!r} holds no weights")
    return found


def _read(path):
    with open(path, "rb") as file:
        start = file.read(9)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            size = sum(member.file_size for member in members)
            if size > _LARGEST_GROWTH * os.path.getsize(path) + _SLACK:
                raise ValueError(f"its content would take {size / 2**20:,.0f} MiB")
            if all(member.filename.endswith(".npy") for member in members):
                return _read_arrays(archive, members)
        return _read_torch(path)
    if start.startswith(b"\x80"):
        return _read_torch(path)
    if start.endswith(b"{"):
        return _read_safetensors(path)
    raise ValueError("it is not of PyTorch, .npz or .safetensors, or not whole")


def _read_arrays(archive, members):
    arrays = {}
    for member in members:
        with archive.open(member) as file:
            version = np.lib.format.read_magic(file)
            header = {(1, 0): "read_array_header_1_0", (2, 0): "read_array_header_2_0"}[version]
            shape, _, dtype = getattr(np.lib.format, header)(file)
            if math.prod(shape) * dtype.itemsize != member.file_size - file.tell():
                raise ValueError(f"{member.filename} is not of shape {shape}")
        with archive.open(member) as file:
            array = np.lib.format.read_array(file, allow_pickle=False)
        arrays[member.filename.removesuffix(".npy")] = array
    return arrays


def _read_torch(path):
    try:
        import torch
    except ImportError as error:
        raise ImportError(
            f"Reading {path!r} needs torch: pip install torch, or save its arrays as .npz where "
            "torch is (docs/from_other_code.md)"
        ) from error
    # Scores and counters beside the weights may be scalars of NumPy.
    scalar = np.float64(0).__reduce__()[0]
    scalars = [np.dtype, *(type(np.dtype(kind)) for kind in ("f4", "f8", "i4", "i8", "?"))]
    scalars += [(scalar, f"numpy.{core}.multiarray.scalar") for core in ("core", "_core")]
    try:
        with torch.serialization.safe_globals(scalars):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # torch's text goes on with how to execute what is in the file.
        reason = one_line(str(error).partition("WeightsUnpickler error: ")[2] or error)
        reason = reason.partition(". Please")[0]
        raise ValueError(f"it holds more than weights: {reason}") from error
    content = content.get("state_dict", content) if isinstance(content, dict) else {}
    arrays = {}
    for name, tensor in content.items():
        if not isinstance(tensor, torch.Tensor):
            continue
        if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
            raise ValueError(f"{name!r} is larger than what is stored of it")
        tensor = tensor.float() if tensor.is_floating_point() else tensor
        arrays[str(name)] = tensor.detach().numpy()
    return arrays


def _read_safetensors(path):
    try:
        from safetensors.numpy import load_file
    except ImportError as error:
        raise ImportError(f"Reading {path!r} needs safetensors: pip install safetensors") from error
    return load_file(path)
