"""Weights in HDF5 files that reach for other files, or ask for more than they hold."""

import json
import shutil

import h5py
import numpy as np
import pytest

from sagan_tf import SAGAN
from sagan_tf.files import sha256
from sagan_tf.interop import load_addons_weights
from sagan_tf.models.model_folder import CONFIG_FILE, WEIGHTS_FILE
from tests.interop.addons_weights_test import WEIGHTS, _discriminator, _values
from tests.tiny import tiny


def external_storage(group, name, data, secret):
    # The bytes of the other file would be the numbers.
    group.create_dataset(name, data.shape, "f4", external=[(secret, 0, data.nbytes)])


def external_link(group, name, data, secret):
    with h5py.File(f"{secret}.h5", "w") as other:
        other["secret"] = np.zeros_like(data)
    group[name] = h5py.ExternalLink(f"{secret}.h5", "/secret")


def virtual(group, name, data, secret):
    with h5py.File(f"{secret}.h5", "w") as other:
        other["secret"] = np.zeros_like(data)
    layout = h5py.VirtualLayout(data.shape, data.dtype)
    layout[...] = h5py.VirtualSource(f"{secret}.h5", "secret", data.shape)
    group.create_virtual_dataset(name, layout)


def soft_link(group, name, data, secret):
    group["elsewhere"] = data
    group[name] = h5py.SoftLink(f"{group.name}/elsewhere")


def itself(group, name, data, secret):
    group[name] = group


def large(group, name, data, secret):
    # It would take 4 TiB, of which the file holds nothing.
    group.create_dataset(name, (2**20, 2**20), "f4", chunks=(256, 256))


def named_type(group, name, data, secret):
    group[name] = np.dtype("f4")


def broken(value):
    def put(group, name, data, secret):
        data = data.astype(np.result_type(data, np.min_scalar_type(value)))
        data[(0,) * data.ndim] = value
        group[name] = data

    put.__name__ = str(value)
    return put


REACHES = [external_storage, external_link, virtual, soft_link, named_type]
ASKS = [itself, large, broken(np.nan), broken(np.inf), broken(1j)]


def attacked(path, attack, tmp_path):
    """Replaces the last and deepest data set of a file; returns its name."""
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(range(256)) * 4096)
    names = []
    with h5py.File(path, "r+") as file:
        file.visititems(
            lambda name, found: names.append(name) if isinstance(found, h5py.Dataset) else None
        )
        name = max(names, key=lambda name: ("kernel" in name, file[name].size))
        parent, _, leaf = name.rpartition("/")
        data = file[name][()]
        del file[name]
        attack(file[parent], leaf, data, secret)
    return name


@pytest.mark.parametrize("attack", REACHES + ASKS, ids=lambda attack: attack.__name__)
def test_a_file_of_keras_2_is_refused_and_nothing_is_assigned(attack, tmp_path):
    path = tmp_path / "x.h5"
    shutil.copy(WEIGHTS, path)
    attacked(path, attack, tmp_path)
    ours = _discriminator()
    before = _values(ours)
    with pytest.raises(ValueError, match=rf"\AThe file '{path}' .+\Z"):
        load_addons_weights(path, ours)
    for value, old in zip(_values(ours), before, strict=True):
        np.testing.assert_array_equal(value, old)


@pytest.mark.parametrize("attack", [*REACHES, itself, large], ids=lambda attack: attack.__name__)
def test_a_model_folder_is_refused(attack, tmp_path):
    tiny().save_preset(tmp_path / "model")
    path, config = tmp_path / "model" / WEIGHTS_FILE, tmp_path / "model" / CONFIG_FILE
    attacked(path, attack, tmp_path)
    # Whoever makes such a file knows its digest as well.
    fingerprint = {"bytes": path.stat().st_size, "sha256": sha256(path)}
    config.write_text(json.dumps(json.loads(config.read_text()) | {"weights": fingerprint}))
    with pytest.raises(ValueError, match=rf"\ACannot load weights from {path}: .+\Z"):
        SAGAN.from_preset(tmp_path / "model")
