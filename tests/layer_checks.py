"""What every layer and network of the package must satisfy."""

import inspect
import zipfile

import h5py
import keras
import numpy as np
from keras import ops, tree

from tests.autodiff import TENSORFLOW, compiled, value_and_gradients


def check_layer(make, inputs, tmp_path, *, parameters, state, mixed_output="bfloat16"):
    """Runs all checks below.

    Args:
        make: Function without arguments that returns a new layer or network.
        inputs: Array, or tuple of arrays, of two or more examples.
        tmp_path: Directory to save in.
        parameters: Number of trainable parameters of the built layer.
        state: Number of its other parameters.
        mixed_output: Dtype of the outputs under mixed_bfloat16.
    """
    layer = built(make, inputs)
    assert sum(np.prod(v.shape, dtype=int) for v in layer.trainable_variables) == parameters
    assert sum(np.prod(v.shape, dtype=int) for v in layer.non_trainable_variables) == state
    check_config(make())
    check_modes_agree(layer, inputs)
    check_state(layer, inputs)
    check_saving(layer, inputs, tmp_path)
    check_mixed_bfloat16(layer, make, inputs, mixed_output)
    check_step(layer, inputs)


def built(make, inputs):
    """Builds a layer with random weights that are not zero, and the same at every call."""
    keras.utils.set_random_seed(0)
    layer = make()
    if not layer.built:
        layer.build(tree.map_structure(np.shape, inputs))
    rng = np.random.default_rng(0)
    for variable in layer.variables:
        noise = 0.1 * rng.standard_normal(variable.shape)
        if "variance" in variable.name:
            noise = np.abs(noise)
        variable.assign(ops.convert_to_numpy(variable) + noise)
    return layer


def check_config(layer):
    """Every argument of the constructor is in the config, and nothing that is not one."""
    own = _named_parameters(type(layer))
    known = {"name", "trainable", "dtype"}
    for base in type(layer).__mro__:
        if base is keras.layers.Layer:
            break
        known |= _named_parameters(base)
    config = layer.get_config()
    assert own <= set(config) <= known
    copy = type(layer).from_config(layer.get_config())
    assert copy.get_config() == config


def check_modes_agree(layer, inputs):
    """Eager, graph and XLA give the same, in the announced shape."""
    eager = ops.convert_to_numpy(layer(inputs))
    assert np.isfinite(eager).all()
    symbol = layer(_symbols(inputs))
    assert (symbol.shape, symbol.dtype) == ((None, *eager.shape[1:]), eager.dtype)
    assert eager.dtype == np.float32
    for jit_compile in (False, True) if TENSORFLOW else (True,):
        graph = compiled(lambda: layer(inputs), jit_compile)
        np.testing.assert_allclose(graph, eager, rtol=1e-4, atol=1e-5)


def check_state(layer, inputs):
    """Inference changes no variable; training changes all but the trainable ones."""
    before = layer.get_weights()
    layer(inputs)
    layer(inputs, training=False)
    for old, new in zip(before, layer.get_weights(), strict=True):
        np.testing.assert_array_equal(new, old)
    before = [ops.convert_to_numpy(variable) for variable in layer.variables]
    layer(inputs, training=True)
    for old, variable in zip(before, layer.variables, strict=True):
        same = np.array_equal(ops.convert_to_numpy(variable), old)
        assert same == variable.trainable, variable.path


def check_saving(layer, inputs, tmp_path):
    """A `.keras` file holds each weight once and computes the same when loaded."""
    symbols = _symbols(inputs)
    path = tmp_path / "layer.keras"
    model = keras.Model(symbols, layer(symbols))
    model.save(path)
    with zipfile.ZipFile(path) as archive, archive.open("model.weights.h5") as file:
        stored = []
        h5py.File(file).visititems(
            lambda _, item: stored.append(item) if isinstance(item, h5py.Dataset) else None
        )
        assert len(stored) == len(layer.variables)
    loaded = keras.saving.load_model(path, safe_mode=True)
    expected, outputs = (ops.convert_to_numpy(network(inputs)) for network in (model, loaded))
    np.testing.assert_allclose(outputs, expected, rtol=1e-6, atol=1e-6)


def check_mixed_bfloat16(layer, make, inputs, output_dtype):
    """Variables are float32 and outputs of `output_dtype`, near those of float32."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        mixed = built(make, inputs)
    finally:
        keras.config.set_dtype_policy(policy)
    mixed.set_weights(layer.get_weights())
    expected = ops.convert_to_numpy(layer(inputs))
    outputs = mixed(inputs)
    assert {variable.dtype for variable in mixed.variables} <= {"float32"}
    assert keras.backend.standardize_dtype(outputs.dtype) == output_dtype
    outputs = ops.convert_to_numpy(ops.cast(outputs, "float32"))
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=0.03 * np.abs(expected).max())


def check_step(layer, inputs):
    """One step of gradient descent lowers a loss and changes every trainable weight."""
    target = np.random.default_rng(1).standard_normal(np.shape(layer(inputs)))

    def loss():
        return ops.mean(ops.square(layer(inputs) - target.astype("float32")))

    variables = layer.trainable_variables
    before = [ops.convert_to_numpy(variable) for variable in variables]
    value, gradients = value_and_gradients(loss, variables)
    # Each variable moves by a thousandth of its norm.
    scaled = [
        ops.convert_to_tensor(gradient * (np.linalg.norm(old) / np.linalg.norm(gradient)))
        for gradient, old in zip(gradients, before, strict=True)
    ]
    keras.optimizers.SGD(1e-3).apply(scaled, variables)
    assert float(loss()) < value
    for old, variable in zip(before, variables, strict=True):
        assert not np.array_equal(ops.convert_to_numpy(variable), old), variable.path


def _symbols(inputs):
    return tree.map_structure(
        lambda array: keras.Input(array.shape[1:], dtype=array.dtype.name), inputs
    )


def _named_parameters(layer_class):
    parameters = inspect.signature(layer_class.__init__).parameters.values()
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {parameter.name for parameter in parameters if parameter.kind in named} - {"self"}
