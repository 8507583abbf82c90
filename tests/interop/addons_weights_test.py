"""Loading HDF5 files of Keras 2 with the spectral normalization of tensorflow-addons.

`tests/addons/write_discriminator.py` wrote the files in `addons/`; `make test-addons` writes new
ones, the whole model too, and names their folder in ADDONS_FILES.
"""

import os
import pathlib

import h5py
import keras
import numpy as np
import pytest
from keras import layers, ops

from sagan_tf.interop import load_addons_weights
from sagan_tf.layers import SpectralNormalization

FILES = pathlib.Path(os.environ.get("ADDONS_FILES") or pathlib.Path(__file__).parent / "addons")
WEIGHTS = FILES / "weights.h5"
NAMES = ("conv_1", "conv_2", "features", "embedding", "logits")


@pytest.fixture(scope="module")
def outputs():
    with np.load(FILES / "outputs.npz") as file:
        return dict(file)


def _discriminator(names=NAMES, units=8, wrapped=True, more=False):
    conv_1, conv_2, features, embedding, logits = names

    def normalized(layer, name, **kwargs):
        layer.name = name
        return SpectralNormalization(layer, name=name, **kwargs) if wrapped else layer

    images, labels = keras.Input((8, 8, 1)), keras.Input((), dtype="int32")
    x = normalized(layers.Conv2D(4, 3, strides=2, padding="same"), conv_1)(images)
    x = layers.LeakyReLU(0.1)(x)
    x = normalized(layers.Conv2D(6, 3, strides=2, use_bias=False), conv_2)(x)
    x = layers.Flatten()(x)
    if more:
        x = layers.Dense(24, name="more")(x)
    x = normalized(layers.Dense(units), features, power_iterations=2)(x)
    by_class = normalized(layers.Embedding(3, units), embedding)(labels)
    projection = layers.Dot(axes=1)([x, by_class])
    logits = layers.Add()([layers.Dense(1, name=logits)(x), projection])
    return keras.Model([images, labels], logits)


def _values(layer):
    return [ops.convert_to_numpy(weight) for weight in layer.weights]


@pytest.mark.parametrize("file", sorted(FILES.glob("*.h5")), ids=lambda path: path.name)
@pytest.mark.parametrize("names", [NAMES, [f"other_{index}" for index in range(5)]])
def test_logits_are_those_of_tensorflow_addons_in_training(names, file, outputs):
    ours = _discriminator(names)
    load_addons_weights(file, ours)
    inputs = [outputs["images"], outputs["labels"]]
    np.testing.assert_allclose(ours(inputs), outputs["first"], atol=1e-5)
    for call in ("first", "second"):
        np.testing.assert_allclose(ours(inputs, training=True), outputs[call], atol=1e-5)
    # Theirs without training is another function, or the file would show nothing.
    assert np.abs(outputs["inference"] - outputs["first"]).max() > 0.01


def _write(path, groups):
    """A file as Keras 2 writes it: `{layer: {path of the weight: value}}`."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = list(groups)
        for group, weights in groups.items():
            file.create_group(group).attrs["weight_names"] = list(weights)
            for name, value in weights.items():
                file[group][name] = value
    return path


def _dense(scope, value):
    return {f"{scope}/kernel:0": np.full((2, 2), value), f"{scope}/bias:0": np.full(2, value)}


def _sequential(*names):
    return keras.Sequential([keras.Input((2,)), *(layers.Dense(2, name=name) for name in names)])


@pytest.mark.parametrize(
    ("names", "expected"),
    [(("b", "a"), (2, 1)), (("x", "y"), (1, 2)), (("b", "x"), (1, 2))],
    ids=["by name", "by order", "not all names"],
)
def test_layers_match_by_all_names_or_by_order(names, expected, tmp_path):
    path = _write(tmp_path / "x.h5", {"a": _dense("a", 1), "b": _dense("b", 2)})
    ours = _sequential(*names)
    load_addons_weights(path, ours)
    assert [value.max() for value in _values(ours)[::2]] == list(expected)


def test_nested_models_and_single_layers(tmp_path):
    groups = {
        "first": _dense("first", 1),
        # A nested model's group has the trainable weights of all its layers, then the others.
        "inner": {
            **_dense("model/block/conv", 2),
            **_dense("model/block/conv_1", 3),
            "model/block/conv/sn_u:0": np.full((1, 2), 4),
        },
    }
    path = _write(tmp_path / "x.h5", groups)
    inner = keras.Sequential([SpectralNormalization(layers.Dense(2)), layers.Dense(2)])
    ours = keras.Sequential([keras.Input((2,)), layers.Dense(2), inner])
    load_addons_weights(path, ours)
    first, (wrapped, last) = ours.layers[0], inner.layers
    biases = [layer.bias.numpy()[0] for layer in (first, wrapped.layer, last)]
    assert (biases, wrapped.u.numpy().max()) == ([1, 2, 3], 4)

    wrapper = SpectralNormalization(layers.Dense(2))
    wrapper.build((None, 2))
    del groups["first"]
    groups["inner"] = {k: v for k, v in groups["inner"].items() if "conv_1" not in k}
    load_addons_weights(_write(tmp_path / "y.h5", groups), wrapper)
    assert [value.max() for value in _values(wrapper)] == [4, 2, 2]


def test_a_layer_in_two_models_owns_its_weights(tmp_path):
    shared = layers.Dense(2, name="shared")
    models = [keras.Sequential([shared], name=name) for name in "xy"]
    ours = keras.Sequential([keras.Input((2,)), *models, layers.Dense(2, name="last")])
    path = _write(tmp_path / "x.h5", {n: _dense(n, i) for i, n in enumerate(("last", "shared"))})
    load_addons_weights(path, ours)  # They match by name, against the order.
    assert shared.kernel.numpy().max() == 1


def test_a_whole_model_and_names_in_parts(tmp_path):
    """Keras splits a list of names that is longer than an HDF5 attribute may be."""
    path = _write(tmp_path / "x.h5", {"a": _dense("a", 1), "b": _dense("b", 2)})
    with h5py.File(tmp_path / "y.h5", "w") as whole, h5py.File(path, "a") as file:
        del file.attrs["layer_names"]
        file.attrs["layer_names0"], file.attrs["layer_names1"] = [b"a"], [b"b"]
        file.copy(file, whole, "model_weights")
        whole.create_group("optimizer_weights").attrs["weight_names"] = ["Adam/a/kernel:0"]
    for each in (path, tmp_path / "y.h5"):
        ours = _sequential("c", "d")
        load_addons_weights(each, ours)
        assert [value.max() for value in _values(ours)[::2]] == [1, 2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"more": True}, r"has 5 layers with weights, expected 6; .* lacks \['more'\]"),
        (
            {"wrapped": False},
            r"\['bias', 'kernel', 'u'\] in layer 'conv_1', .* \['bias', 'kernel'\]",
        ),
        ({"units": 7}, r"'u' of shape \(1, 8\) in layer 'features', .*'features' with \(1, 7\)"),
        ({"units": 7, "names": "abcde"}, r"in layer 'features', which is to be our 'c'"),
    ],
)
def test_another_model_is_an_error_and_changes_nothing(change, message):
    ours = _discriminator(**change)
    before = _values(ours)
    with pytest.raises(ValueError, match=rf"\AThe file '{WEIGHTS}' .*{message}.*\Z"):
        load_addons_weights(WEIGHTS, ours)
    for value, old in zip(_values(ours), before, strict=True):
        np.testing.assert_array_equal(value, old)
    with pytest.raises(ValueError, match="must be built .*'unbuilt'"):
        load_addons_weights(WEIGHTS, layers.Dense(2, name="unbuilt"))


def test_what_is_left_over_is_an_error(tmp_path):
    groups = {name: _dense(name, 1) for name in "ab"}
    groups["top_level_model_weights"] = {"model/scale:0": np.ones(1)}
    path = _write(tmp_path / "x.h5", groups)
    with h5py.File(path, "a") as file:
        file.attrs["layer_names"] = ["a", "b"]
    with pytest.raises(ValueError, match=r"has 3 .* expected 1; it alone has \['b', 'model'\]"):
        load_addons_weights(path, _sequential("a"))


@pytest.mark.parametrize("kind", ["nothing", "folder", "garbage", "cut", "keras 3"])
def test_another_file_is_an_error(kind, tmp_path):
    path = tmp_path / "x.h5"
    if kind == "folder":
        path.mkdir()
    elif kind == "keras 3":
        _sequential("a").save_weights(tmp_path / "x.weights.h5")
        (tmp_path / "x.weights.h5").rename(path)
    elif kind != "nothing":
        path.write_bytes(b"no HDF5" * 100 if kind == "garbage" else WEIGHTS.read_bytes()[:5000])
    error_class = FileNotFoundError if kind == "nothing" else ValueError
    with pytest.raises(error_class, match=rf"\A.*file '{path}'.*\Z"):
        load_addons_weights(path, _sequential("a"))
