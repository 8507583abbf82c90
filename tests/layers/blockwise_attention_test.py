import math
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from sagan_tf.layers import SelfAttention, blockwise_attention
from sagan_tf.layers.blockwise_attention import attend
from tests.autodiff import TENSORFLOW, compiled, gradients, value_and_gradients
from tests.layer_checks import built

TENSORFLOW_ONLY = pytest.mark.skipif(not TENSORFLOW, reason="JAX knows shapes, and no float64")
IMAGES = np.random.default_rng(2).standard_normal((3, 6, 4, 16)).astype("float32")


@pytest.fixture
def set_block(monkeypatch):
    """Gives a function that makes maps of any size be computed in blocks of so many bytes."""

    def set_to(block_bytes):
        monkeypatch.setattr(blockwise_attention, "_PLAIN_BYTES", 0)
        monkeypatch.setattr(blockwise_attention, "_BLOCK_BYTES", block_bytes)

    return set_to


def _tensors(batch, queries, keys, dtype="float32"):
    rng = np.random.default_rng(1)
    shapes = (batch, queries, 2), (batch, keys, 2), (batch, keys, 3)
    return [ops.convert_to_tensor(rng.standard_normal(shape), dtype=dtype) for shape in shapes]


def _plain(query, key, value):
    return ops.matmul(ops.softmax(ops.einsum("bqd,bkd->bqk", query, key)), value)


def _outputs_and_derivatives(attention, tensors):
    """Returns the outputs, and both derivatives of a function of all of them."""

    def value(*tensors):
        return ops.sum(ops.tanh(attention(*tensors)))

    def squared_gradients(*tensors):
        return sum(ops.sum(ops.square(gradient)) for gradient in gradients(value, tensors))

    return [attention(*tensors), *gradients(value, tensors), *gradients(squared_gradients, tensors)]


def _assert_equal(actual, expected, tolerance=1e-5):
    for one, other in zip(actual, expected, strict=True):
        one, other = ops.convert_to_numpy(one), ops.convert_to_numpy(other)
        atol = tolerance * max(1, np.abs(other).max())
        np.testing.assert_allclose(one, other, rtol=0, atol=atol)


# A row of the map has 4 * keys bytes.
@pytest.mark.parametrize(
    ("batch", "queries", "keys", "block_bytes"),
    [
        pytest.param(6, 5, 3, 150, id="two_images"),
        pytest.param(6, 5, 3, 1000, id="all_images"),
        pytest.param(5, 6, 4, 4 * 6 * 4, id="one_image"),
        pytest.param(2, 6, 4, 4 * 3 * 4, id="half_an_image"),
        pytest.param(2, 7, 4, 4 * 3 * 4, id="ragged"),
        pytest.param(2, 5, 4, 1, id="one_row"),
    ],
)
@pytest.mark.parametrize("mode", ["eager", "graph", "XLA"])
def test_equals_the_formula(batch, queries, keys, block_bytes, mode, set_block):
    set_block(block_bytes)
    tensors = _tensors(batch, queries, keys)
    expected = _outputs_and_derivatives(_plain, tensors)
    assert all(np.any(tensor) for tensor in expected)
    if mode == "eager":
        found = _outputs_and_derivatives(attend, tensors)
    else:
        found = compiled(lambda: _outputs_and_derivatives(attend, tensors), mode == "XLA")
    _assert_equal(found, expected)


def test_paths_agree_where_they_meet():
    # Four images have 64 MiB, the most that is computed as a whole.
    tensors = _tensors(5, 4096, 1024)
    parts = [attend(*(tensor[part] for tensor in tensors)) for part in (slice(4), slice(4, 5))]
    _assert_equal([attend(*tensors)], [ops.concatenate(parts)])


@TENSORFLOW_ONLY
@pytest.mark.parametrize("block_bytes", [1000, 96, 36])
@pytest.mark.parametrize("jit_compile", [False, True])
def test_unknown_batch(block_bytes, jit_compile, set_block):
    import tensorflow as tf

    set_block(block_bytes)
    signature = [tf.TensorSpec((None, *size), "float32") for size in ((6, 2), (4, 2), (4, 3))]

    @tf.function(input_signature=signature, jit_compile=jit_compile)
    def outputs_and_gradients(*tensors):
        return _outputs_and_derivatives(attend, tensors)

    for batch in (3, 1):
        tensors = _tensors(batch, 6, 4)
        expected = _outputs_and_derivatives(_plain, tensors)
        _assert_equal(outputs_and_gradients(*tensors), expected)
    if not jit_compile:
        assert outputs_and_gradients(*_tensors(0, 6, 4))[0].shape == (0, 6, 3)


@TENSORFLOW_ONLY
def test_export_of_an_unknown_batch(set_block, tmp_path):
    import tensorflow as tf

    layer = built(lambda: SelfAttention(gate_initializer="ones"), IMAGES)
    expected = layer(IMAGES)
    set_block(200)
    inputs = keras.Input(IMAGES.shape[1:])
    keras.Model(inputs, layer(inputs)).export(tmp_path, verbose=False)
    loaded = tf.saved_model.load(tmp_path)  # It owns the variables.
    _assert_equal([loaded.serve(IMAGES)], [expected])


def test_mixed_bfloat16(set_block):
    def outputs_and_gradients(dtype):
        layer = built(lambda: SelfAttention(gate_initializer="ones", dtype=dtype), IMAGES)

        def outputs():
            return ops.cast(layer(IMAGES), "float32")

        _, gradients = value_and_gradients(
            lambda: ops.mean(ops.square(outputs())), layer.trainable_variables
        )
        return outputs(), gradients

    def errors(gradients):
        pairs = zip(gradients, exact, strict=True)
        return np.array([np.linalg.norm(g - e) / np.linalg.norm(e) for g, e in pairs])

    _, exact = outputs_and_gradients("float32")
    outputs, plain = outputs_and_gradients("mixed_bfloat16")
    set_block(200)
    actual_outputs, actual = outputs_and_gradients("mixed_bfloat16")
    _assert_equal([actual_outputs], [outputs])
    # Blocks round differently, but not worse; one operation rounds by up to 2^-9.
    assert np.all(errors(actual) <= 2 * errors(plain) + 2**-9)


@TENSORFLOW_ONLY
def test_float64(set_block):
    set_block(48)
    tensors = _tensors(2, 7, 4, "float64")
    actual, expected = (_outputs_and_derivatives(f, tensors) for f in (attend, _plain))
    _assert_equal(actual[:1], expected[:1], tolerance=1e-14)
    _assert_equal(actual, expected, tolerance=1e-13)


# A process has one peak; that of imports and threads is behind it after the warm-up.
PEAK = r"""
import math, re, sys
from pathlib import Path
import numpy as np
from keras import ops
from sagan_tf.layers import SelfAttention, blockwise_attention
from tests.autodiff import compiled, gradients

if sys.argv[1] == "plain":
    blockwise_attention._PLAIN_BYTES = math.inf

def run(size):
    layer = SelfAttention()
    images = ops.convert_to_tensor(np.ones((16, size, size, 64), "float32"))
    layer.build(images.shape)
    # ru_maxrss would not do: a process inherits that of the one which starts it.
    peak = lambda: int(re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())[1])
    before = peak()
    compiled(lambda: gradients(lambda x: ops.sum(ops.square(layer(x))), [images]), False)
    return peak() - before

run(8)
print(run(64))
"""


@pytest.mark.slow
@pytest.mark.skipif(not TENSORFLOW, reason="JAX knows before it runs: see the test below")
@pytest.mark.skipif(not pathlib.Path("/proc/self/status").exists(), reason="Needs Linux's /proc")
def test_peak_memory():
    def peak(path):
        arguments = [sys.executable, "-c", PEAK, path]
        return int(subprocess.run(arguments, check=True, capture_output=True).stdout)

    assert peak("blocks") < peak("plain") / 3


@pytest.mark.skipif(TENSORFLOW, reason="TensorFlow's peak is measured: see the test above")
def test_memory_that_xla_allocates(monkeypatch):
    import jax

    layer = SelfAttention()
    images = jax.ShapeDtypeStruct((16, 64, 64, 64), "float32")
    layer.build(images.shape)

    def allocated():
        step = jax.jit(lambda images: gradients(lambda x: ops.sum(ops.square(layer(x))), [images]))
        return step.lower(images).compile().memory_analysis().temp_size_in_bytes

    blocks = allocated()
    monkeypatch.setattr(blockwise_attention, "_PLAIN_BYTES", math.inf)
    assert blocks < allocated() / 3
