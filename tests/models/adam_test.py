"""The fused update against Keras's own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from sagan_tf.models.adam import Adam
from tests.two_replicas import two_replicas

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="On other backends it is Keras's own"
)


def trained(optimizer, jit_compile=False):
    """Values of two variables after some updates, and the optimizer's own variables."""
    random = np.random.default_rng(0)
    variables = [keras.Variable(random.normal(size=shape)) for shape in ((3, 4), ())]
    gradients = [[random.normal(size=each.shape) for each in variables] for _ in range(5)]
    optimizer.build(variables)
    apply = tf.function(
        lambda *arrays: optimizer.apply(list(arrays), variables), jit_compile=jit_compile
    )
    for arrays in gradients:
        apply(*[tf.constant(array, "float32") for array in arrays])
    return [keras.ops.convert_to_numpy(each) for each in (*variables, *optimizer.variables)]


@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "XLA"])
@pytest.mark.parametrize(
    "options",
    [
        {"learning_rate": 0.1, "beta_1": 0.0, "beta_2": 0.9},
        {"learning_rate": 0.1, "beta_1": 0.5, "epsilon": 1e-3},
        {"learning_rate": keras.optimizers.schedules.PolynomialDecay(0.1, 4)},
        {"learning_rate": 0.1, "weight_decay": 0.01},
        {"learning_rate": 0.1, "amsgrad": True},
    ],
    ids=["SAGAN", "epsilon", "schedule", "decay", "amsgrad"],
)
def test_updates_are_those_of_keras(options, jit_compile):
    ours = trained(Adam(**options), jit_compile)
    theirs = trained(keras.optimizers.Adam(**options))
    for found, expected in zip(ours, theirs, strict=True):
        # TensorFlow takes 1 - beta_2 in float32: of 0.999 it is off by 5e-5.
        np.testing.assert_allclose(found, expected, rtol=5e-5, atol=1e-5)


def test_variables_are_named_as_those_of_keras():
    optimizers = Adam(name="one"), keras.optimizers.Adam(name="one")
    variable = keras.Variable(np.zeros(3), name="kernel")
    paths = []
    for optimizer in optimizers:
        optimizer.build([variable])
        paths.append([each.path for each in optimizer.variables])
    assert paths[0] == paths[1]


def test_config_round_trip():
    optimizer = Adam(1e-3, beta_1=0.0, beta_2=0.9, epsilon=1e-6, name="other")
    again = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    assert type(again) is Adam
    assert again.get_config() == optimizer.get_config()


def on_replicas(strategy):
    with strategy.scope():
        variable = keras.Variable(np.ones(3))
        optimizer = Adam(0.1, 0.0, 0.9)
        optimizer.build([variable])

    @tf.function
    def step():
        def update():
            replica = tf.distribute.get_replica_context().replica_id_in_sync_group
            optimizer.apply([tf.constant([1.0, -2.0, 3.0]) * tf.cast(replica, "float32")])

        strategy.run(update)

    for _ in range(3):
        step()
    return [component.numpy() for component in variable.value.values]


def test_replicas_stay_equal():
    with two_replicas() as run:
        first, second = run(on_replicas)
    variable = keras.Variable(np.ones(3))
    optimizer = keras.optimizers.Adam(0.1, 0.0, 0.9)
    optimizer.build([variable])
    for _ in range(3):
        optimizer.apply([tf.constant([1.0, -2.0, 3.0])])
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first, variable.numpy(), rtol=1e-6)
