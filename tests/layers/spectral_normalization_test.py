import keras
import numpy as np
import pytest
from keras import ops

from sagan_tf.layers import DownsampleConv2D, SpectralNormalization, UpsampleConv2D
from tests.autodiff import float_variables, value_and_gradients
from tests.layer_checks import built, check_layer, check_saving

RNG = np.random.default_rng(3)
IMAGES = RNG.standard_normal((2, 4, 6, 3)).astype("float32")
FEATURES = RNG.standard_normal((4, 5)).astype("float32")
TOKENS = np.array([0, 2, 5, 2], "int32")
LAYERS = {
    "Dense": (lambda: keras.layers.Dense(4), FEATURES),
    "Conv2D": (lambda: keras.layers.Conv2D(4, 3, padding="same"), IMAGES),
    "UpsampleConv2D": (lambda: UpsampleConv2D(4), IMAGES),
    "DownsampleConv2D": (lambda: DownsampleConv2D(4), IMAGES),
    "Embedding": (lambda: keras.layers.Embedding(6, 4), TOKENS),
}
every_layer = pytest.mark.parametrize(("make", "inputs"), list(LAYERS.values()), ids=list(LAYERS))


def _normalized(make, inputs, **arguments):
    layer = built(lambda: SpectralNormalization(make(), **arguments), inputs)
    # One singular value is far above the others, so the power iteration converges fast.
    layer.kernel.assign(layer.kernel + 0.3)
    return layer


def _sigma(layer):
    """Returns the largest singular value of the raw kernel."""
    kernel = ops.convert_to_numpy(layer.kernel)
    return np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)[0]


def _converge(layer):
    for _ in range(30):
        layer.u.assign(layer.normalized_kernel()[1])


@pytest.mark.parametrize(
    ("name", "parameters"), [("Dense", 5 * 4 + 4), ("DownsampleConv2D", 9 * 3 * 4 + 4)]
)
def test_layer(name, parameters, tmp_path):
    make_inner, inputs = LAYERS[name]

    def make():
        return SpectralNormalization(make_inner(), power_iterations=2)

    check_layer(make, inputs, tmp_path, parameters=parameters, state=4)


def test_embedding_is_saved(tmp_path):
    make, inputs = LAYERS["Embedding"]
    layer = _normalized(make, inputs)
    assert layer.u.shape == (1, 4)
    check_saving(layer, inputs, tmp_path)


def test_sigma_of_four_times_the_identity_is_four():
    layer = SpectralNormalization(keras.layers.Dense(5, use_bias=False))
    layer.build((None, 5))
    layer.kernel.assign(4 * np.eye(5))
    np.testing.assert_allclose(layer.normalized_kernel()[0], np.eye(5), atol=1e-6)
    np.testing.assert_allclose(layer(FEATURES), FEATURES, atol=1e-6)


def _iterated(layer):
    """Kernel as a matrix, v, the advanced u, and sigma, in float64."""
    matrix = ops.convert_to_numpy(layer.kernel).astype("float64").reshape(-1, layer.u.shape[-1])
    v = ops.convert_to_numpy(layer.u) @ matrix.T
    v /= np.linalg.norm(v)
    u = v @ matrix / np.linalg.norm(v @ matrix)
    return matrix, v, u, (v @ matrix @ u.T).item()


@every_layer
def test_one_iteration_by_hand(make, inputs):
    layer = _normalized(make, inputs)
    matrix, _, u, sigma = _iterated(layer)
    normalized, advanced = layer.normalized_kernel()
    np.testing.assert_allclose(advanced, u, atol=1e-6)
    np.testing.assert_allclose(np.reshape(normalized, matrix.shape), matrix / sigma, rtol=1e-5)


@every_layer
def test_gradient_is_that_of_the_kernel_over_its_spectral_norm(make, inputs):
    layer = _normalized(make, inputs)
    _converge(layer)
    plain = make()
    plain.build(inputs.shape)
    weights = np.random.default_rng(5).standard_normal(layer(inputs).shape).astype("float32")
    (kernel,) = float_variables(ops.convert_to_numpy(layer.kernel))
    others = [variable for variable in layer.trainable_variables if variable is not layer.kernel]

    def reference():
        matrix = ops.reshape(kernel.value, (-1, kernel.shape[-1]))
        sigma = ops.svd(matrix, full_matrices=False)[1][0]
        normalized = ops.reshape(matrix / sigma, kernel.shape)
        (plain_kernel, *plain_others) = plain.trainable_variables
        state = [(plain_kernel, normalized)]
        state += [(ours, theirs.value) for ours, theirs in zip(plain_others, others, strict=True)]
        with keras.StatelessScope(state):
            return ops.sum(plain(inputs) * weights)

    expected, references = value_and_gradients(reference, [kernel, *others])
    raw = ops.convert_to_numpy(layer.kernel)
    value, gradients = value_and_gradients(
        lambda: ops.sum(layer(inputs, training=True) * weights), [layer.kernel, *others]
    )
    np.testing.assert_array_equal(layer.kernel, raw)
    # Inference normalizes too.
    for same in (value, float(ops.sum(layer(inputs) * weights))):
        assert same == pytest.approx(expected, rel=1e-4, abs=1e-5)
    for gradient, wanted in zip(gradients, references, strict=True):
        assert np.abs(gradient - wanted).max() <= 1e-4 * np.abs(wanted).max()
    # Growing the kernel changes nothing, so the gradient is orthogonal to it.
    cosine = np.sum(gradients[0] * raw) / (np.linalg.norm(gradients[0]) * np.linalg.norm(raw))
    assert abs(cosine) < 1e-4


def test_u_and_v_are_constants_to_the_gradient():
    """Before convergence a gradient through them would show."""
    layer = _normalized(*LAYERS["Dense"])
    kernel, v, u, sigma = _iterated(layer)
    cotangent = np.random.default_rng(6).standard_normal(kernel.shape).astype("float32")
    _, (gradient,) = value_and_gradients(
        lambda: ops.sum(layer.normalized_kernel()[0] * cotangent), [layer.kernel]
    )
    expected = cotangent / sigma - v.T @ u * np.sum(cotangent * kernel) / sigma**2
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-5)


@every_layer
def test_zero_kernel_gives_zeros_and_recovers(make, inputs):
    layer = _normalized(make, inputs)
    kernel = ops.convert_to_numpy(layer.kernel)
    layer.kernel.assign(np.zeros_like(kernel))
    for bias in layer.trainable_variables[1:]:
        bias.assign(np.zeros(bias.shape))
    variables = layer.trainable_variables
    _, gradients = value_and_gradients(lambda: ops.sum(layer(inputs, training=True)), variables)
    np.testing.assert_array_equal(layer(inputs), 0 * layer(inputs))
    assert np.any(ops.convert_to_numpy(layer.u))
    assert all(np.isfinite(gradient).all() for gradient in gradients)
    layer.kernel.assign(kernel)
    _converge(layer)
    np.testing.assert_allclose(layer.normalized_kernel()[0], kernel / _sigma(layer), rtol=1e-4)


def test_mixed_bfloat16_normalizes_in_float32():
    make, inputs = LAYERS["Dense"]
    exact = _normalized(make, inputs)
    mixed = _normalized(lambda: keras.layers.Dense(4, dtype="mixed_bfloat16"), inputs)

    class Surrounding(keras.layers.Layer):
        """Runs the call in an autocast scope, as every layer does with its sublayers."""

        def call(self, inputs):
            return mixed(inputs, training=True)

    plain = keras.layers.Dense(4, dtype="mixed_bfloat16")
    plain.build(inputs.shape)
    plain.set_weights([exact.normalized_kernel()[0], exact.layer.bias])
    outputs = Surrounding(dtype="mixed_bfloat16")(inputs)
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    np.testing.assert_array_equal(*(ops.cast(y, "float32") for y in (outputs, plain(inputs))))

    exact(inputs, training=True)
    np.testing.assert_array_equal(mixed.u, exact.u)  # A rounded kernel moves it by 5e-4.
    assert mixed.u.dtype == mixed.kernel.dtype == "float32"


def test_more_power_iterations_in_one_call():
    one, three = (_normalized(*LAYERS["Conv2D"], power_iterations=n) for n in (1, 3))
    three(IMAGES, training=True)
    for _ in range(3):
        one(IMAGES, training=True)
    np.testing.assert_allclose(three.u, one.u, atol=1e-6)


def test_rejects_other_layers_and_no_power_iterations():
    for layer in (keras.layers.BatchNormalization(), keras.layers.Conv1D(2, 3), "Dense"):
        with pytest.raises(TypeError, match="must be a Dense, Conv2D or Embedding"):
            SpectralNormalization(layer)
    with pytest.raises(ValueError, match="power_iterations=0"):
        SpectralNormalization(keras.layers.Dense(1), power_iterations=0)
