"""Over which devices to train, with TensorFlow or JAX."""

import keras

if keras.backend.backend() == "jax":
    from sagan_tf.training.strategy.jax import (
        describe_strategy,
        draws,
        is_chief,
        make_from_chief,
        make_strategy,
        peak_device_memory,
    )
else:
    from sagan_tf.training.strategy.tensorflow import (
        describe_strategy,
        draws,
        is_chief,
        make_from_chief,
        make_strategy,
        peak_device_memory,
    )

__all__ = [
    "describe_strategy",
    "draws",
    "is_chief",
    "make_from_chief",
    "make_strategy",
    "peak_device_memory",
]
