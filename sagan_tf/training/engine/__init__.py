"""What runs several training steps at once, with TensorFlow or JAX."""

import keras

if keras.backend.backend() == "jax":
    from sagan_tf.training.engine.jax import Engine
else:
    from sagan_tf.training.engine.tensorflow import Engine

__all__ = ["Engine"]
