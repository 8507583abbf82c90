"""What the update rule needs of TensorFlow or JAX, beyond `keras.ops`."""

import keras

if keras.backend.backend() == "jax":
    from sagan_tf.models.backend.jax import (
        after,
        all_mean,
        clip_by_global_norm,
        compiled,
        fold_in,
        gradients,
        image_gradient,
        inverse_normal,
        may_have_shape,
        num_replicas,
        random_integers,
        rank,
        replica_index,
        with_shape,
    )
else:
    from sagan_tf.models.backend.tensorflow import (
        after,
        all_mean,
        clip_by_global_norm,
        compiled,
        fold_in,
        gradients,
        image_gradient,
        inverse_normal,
        may_have_shape,
        num_replicas,
        random_integers,
        rank,
        replica_index,
        with_shape,
    )

__all__ = [
    "after",
    "all_mean",
    "clip_by_global_norm",
    "compiled",
    "fold_in",
    "gradients",
    "image_gradient",
    "inverse_normal",
    "may_have_shape",
    "num_replicas",
    "random_integers",
    "rank",
    "replica_index",
    "with_shape",
]
