import keras
import numpy as np
import pytest
from keras import ops

from sagan_tf.layers import ConditionalBatchNorm
from sagan_tf.layers.conditional_batch_norm import moments
from tests.autodiff import gradients, value_and_gradients
from tests.layer_checks import built, check_layer

RNG = np.random.default_rng(11)
FEATURES = (2 + 3 * RNG.standard_normal((4, 3, 2, 5))).astype("float32")
LABELS = np.array([2, 0, 1, 2], "int32")


@pytest.mark.parametrize(
    ("num_classes", "inputs", "parameters"),
    [(3, (FEATURES, LABELS), 2 * 3 * 5), (None, FEATURES, 2 * 5)],
)
def test_layer(num_classes, inputs, parameters, tmp_path):
    def make():
        return ConditionalBatchNorm(num_classes, momentum=0.8, epsilon=1e-3)

    check_layer(make, inputs, tmp_path, parameters=parameters, state=2 * 5)


@pytest.mark.parametrize("training", [True, False])
def test_equals_the_formula(training):
    inputs = (FEATURES, LABELS)
    layer = built(lambda: ConditionalBatchNorm(3, momentum=0.8, epsilon=1e-2), inputs)
    gamma, beta, old_mean, old_variance = layer.get_weights()
    mean, variance = FEATURES.mean(axis=(0, 1, 2)), FEATURES.var(axis=(0, 1, 2))
    used = (mean, variance) if training else (old_mean, old_variance)
    images = (FEATURES - used[0]) / np.sqrt(used[1] + 1e-2)
    pairs = zip(images, LABELS, strict=True)
    expected = np.stack([gamma[label] * image + beta[label] for image, label in pairs])
    np.testing.assert_allclose(layer(inputs, training=training), expected, atol=1e-5)
    weight = 0.2 if training else 0
    *_, new_mean, new_variance = layer.get_weights()
    for new, old, value in ((new_mean, old_mean, mean), (new_variance, old_variance, variance)):
        np.testing.assert_allclose(new, old + weight * (value - old), rtol=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_weights_mix_the_scales_and_shifts_of_classes(training):
    layer = built(lambda: ConditionalBatchNorm(3), (FEATURES, LABELS))
    one_hot = np.eye(3, dtype="float32")
    of_labels = ops.convert_to_numpy(layer((FEATURES, LABELS), training=training))
    found = layer((FEATURES, one_hot[LABELS]), training=training)
    np.testing.assert_allclose(found, of_labels, rtol=1e-6, atol=1e-6)
    # The output is linear in the weights.
    of_others = ops.convert_to_numpy(layer((FEATURES, (LABELS + 1) % 3), training=training))
    mixes = 0.25 * one_hot[LABELS] + 0.75 * one_hot[(LABELS + 1) % 3]
    expected = 0.25 * of_labels + 0.75 * of_others
    tolerance = 1e-5 if training else 1e-6
    found = layer((FEATURES, mixes), training=training)
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def test_without_classes_equals_batch_normalization():
    ours = ConditionalBatchNorm()
    keras_own = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-5)
    for scale in (1, 2, 3):
        outputs = [layer(scale * FEATURES, training=True) for layer in (ours, keras_own)]
        np.testing.assert_allclose(*outputs, atol=1e-5)
    for ours_weight, keras_weight in zip(ours.weights, keras_own.weights, strict=True):
        assert ours_weight.path.split("/")[-1] == keras_weight.path.split("/")[-1]
        np.testing.assert_allclose(ours_weight, keras_weight, rtol=1e-5)
    np.testing.assert_allclose(ours(FEATURES), keras_own(FEATURES), atol=1e-5)

    gradients, expected = (
        value_and_gradients(
            lambda layer=layer: ops.sum(layer(FEATURES, training=True) ** 3),
            layer.trainable_variables,
        )[1]
        for layer in (ours, keras_own)
    )
    np.testing.assert_allclose(gradients, expected, rtol=1e-4, atol=1e-3)


def test_statistics_are_float32_under_mixed_bfloat16():
    features = ops.cast(10 + RNG.standard_normal((8, 32, 32, 3)), "bfloat16")
    layer = ConditionalBatchNorm(momentum=0.0, dtype="mixed_bfloat16")
    outputs = layer(features, training=True)
    assert keras.backend.standardize_dtype(outputs.dtype) == "bfloat16"
    rounded = ops.convert_to_numpy(ops.cast(features, "float32")).astype("float64")
    # Sums of 8192 values in bfloat16 would be wrong in the first digit.
    np.testing.assert_allclose(layer.moving_mean, rounded.mean(axis=(0, 1, 2)), rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance, rounded.var(axis=(0, 1, 2)), rtol=1e-3)


def test_rejects_no_classes_and_missing_labels():
    with pytest.raises(ValueError, match="num_classes=0"):
        ConditionalBatchNorm(num_classes=0)
    with pytest.raises(ValueError, match=r"called on `\(features, labels\)`.*num_classes=3"):
        ConditionalBatchNorm(num_classes=3).build(FEATURES.shape)


def plain_moments(features):
    mean = ops.mean(features, axis=(0, 1, 2))
    return mean, ops.mean(ops.square(features - mean), axis=(0, 1, 2))


def test_gradients_of_the_moments_are_those_of_automatic_differentiation():
    weights = [ops.convert_to_tensor(RNG.standard_normal(5).astype("float32")) for _ in range(2)]

    def first(function):
        def value(features):
            mean, variance = function(features)
            return ops.sum(ops.sin(mean) * weights[0] + ops.square(variance) * weights[1])

        return lambda features: gradients(value, [features])[0]

    def second(function):
        return lambda features: gradients(
            lambda tensor: ops.sum(ops.square(first(function)(tensor))), [features]
        )[0]

    features = ops.convert_to_tensor(FEATURES)
    for derivative in (first, second):
        found = ops.convert_to_numpy(derivative(moments)(features))
        expected = ops.convert_to_numpy(derivative(plain_moments)(features))
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())
