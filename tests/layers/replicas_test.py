"""Layers on two replicas of a `tf.distribute` strategy."""

import keras
import numpy as np
import pytest

from sagan_tf.layers import ConditionalBatchNorm, SpectralNormalization
from tests.autodiff import TENSORFLOW
from tests.layer_checks import built
from tests.two_replicas import two_replicas

pytestmark = pytest.mark.skipif(not TENSORFLOW, reason="tf.distribute is TensorFlow's")

RNG = np.random.default_rng(17)
FEATURES = (3 + 2 * RNG.standard_normal((6, 4, 4, 3))).astype("float32")
FEATURES[3:] -= 5  # The halves differ, so that replicas without synchronization show.
LABELS = np.array([0, 1, 1, 2, 0, 2], "int32")
COTANGENT = RNG.standard_normal(FEATURES.shape).astype("float32")
MATRIX = RNG.standard_normal((6, 5)).astype("float32")


@pytest.fixture(scope="module")
def run():
    with two_replicas() as run:
        yield run


def _batch_norm(**options):
    return built(lambda: ConditionalBatchNorm(num_classes=3, **options), (FEATURES, LABELS))


def _batch_norm_step(layer, features, labels, cotangent):
    """Returns outputs and gradients by inputs and weights of one training pass."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(features)
        outputs = layer((features, labels), training=True)
        loss = tf.reduce_sum(outputs**3 * cotangent)
    weights = [variable.value for variable in layer.trainable_variables]
    gradients = tape.gradient(loss, [*weights, features])
    gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
    return outputs, gradients[-1], gradients[:-1]


def _batch_norm_on_two(strategy, synchronized=True):
    import tensorflow as tf

    with strategy.scope():
        layer = _batch_norm(synchronized=synchronized)
    distribute = strategy.experimental_distribute_values_from_function
    halves = [
        distribute(lambda replica, parts=parts: parts[replica.replica_id_in_sync_group])
        for parts in (tf.split(array, 2) for array in (FEATURES, LABELS, COTANGENT))
    ]
    step = tf.function(lambda *values: _batch_norm_step(layer, *values))
    outputs, inputs_gradient, gradients = strategy.run(step, args=halves)

    def whole(values):
        return np.concatenate(strategy.experimental_local_results(values))

    summed = [strategy.reduce("SUM", gradient, axis=None).numpy() for gradient in gradients]
    copies = [strategy.experimental_local_results(weight.value) for weight in layer.weights]
    for copy in copies:
        np.testing.assert_array_equal(*copy)
    weights = [copy[0].numpy() for copy in copies]
    return [whole(outputs), whole(inputs_gradient), *summed, *weights]


def test_batch_norm_on_two_halves_equals_the_whole_batch(run):
    import tensorflow as tf

    layer = _batch_norm()
    outputs, inputs_gradient, gradients = _batch_norm_step(
        layer, *(tf.constant(array) for array in (FEATURES, LABELS, COTANGENT))
    )
    expected = [outputs, inputs_gradient, *gradients, *layer.get_weights()]
    for ours, whole in zip(run(_batch_norm_on_two), expected, strict=True):
        np.testing.assert_allclose(ours, whole, rtol=1e-4, atol=1e-4)
    # Without synchronization each half would be normalized by itself.
    alone = layer((FEATURES[:3], LABELS[:3]), training=True)
    assert np.abs(outputs[:3] - alone).max() > 0.5


def test_each_replica_may_have_statistics_of_its_own(run):
    outputs, *_ = run(_batch_norm_on_two, False)
    halves = np.split(outputs, 2), np.split(FEATURES, 2), np.split(LABELS, 2)
    for found, features, labels in zip(*halves, strict=True):
        expected = _batch_norm()((features, labels), training=True)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def _normalized():
    return built(lambda: SpectralNormalization(keras.layers.Dense(4)), MATRIX)


def _u_on_two(strategy):
    """Returns the first u, and its copies after three training passes on different halves."""
    import tensorflow as tf

    with strategy.scope():
        layer = _normalized()
    start = layer.u.numpy()

    @tf.function
    def step():
        index = tf.distribute.get_replica_context().replica_id_in_sync_group
        layer(tf.gather(MATRIX.reshape(2, 3, 5), index), training=True)

    for _ in range(3):
        strategy.run(step)
    return start, [copy.numpy() for copy in strategy.experimental_local_results(layer.u.value)]


def test_u_is_equal_on_two_replicas(run):
    start, (first, second) = run(_u_on_two)
    np.testing.assert_array_equal(first, second)
    alone = _normalized()
    np.testing.assert_array_equal(alone.u, start)
    for _ in range(3):
        alone(MATRIX, training=True)
    np.testing.assert_allclose(first, alone.u, atol=1e-6)
    assert np.abs(first - start).max() > 1e-2


def _drifting_assignments(strategy):
    """Returns what replicas hold after they assigned 1 and 2 to the same variable."""
    import tensorflow as tf

    with strategy.scope():
        norm, normalized = _batch_norm(), _normalized()
    variables = [normalized.u, norm.moving_mean, norm.moving_variance]

    @tf.function
    def step():
        index = tf.distribute.get_replica_context().replica_id_in_sync_group
        for variable in variables:
            variable.assign(tf.fill(variable.shape, tf.cast(index + 1, "float32")))

    strategy.run(step)
    copies = [strategy.experimental_local_results(variable.value) for variable in variables]
    return [[set(copy.numpy().ravel()) for copy in each] for each in copies]


def test_replicas_cannot_drift_apart(run):
    """All have the first one's u, and the mean of the moving statistics."""
    assert run(_drifting_assignments) == [[{1.0}] * 2, [{1.5}] * 2, [{1.5}] * 2]
