"""The state of adaptive augmentation."""

import keras

from sagan_tf.losses.augmentation import adapt_probability


class AugmentationProbability(keras.layers.Layer):
    """The probability of each augmentation of an image, which follows the discriminator.

    It begins at 0 and is the same on all replicas. As a layer it is saved with the weights of the
    model that it belongs to.

    Attributes:
        value: Float32 scalar variable, in [0, 1].
    """

    def __init__(self, **kwargs):
        super().__init__(dtype="float32", **kwargs)
        self.value = self.add_weight(
            name="value",
            initializer="zeros",
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",
        )
        self.built = True

    def follow(self, mean_sign, num_images):
        """Moves the probability as `adapt_probability` does, to which the arguments are given."""
        self.value.assign(adapt_probability(self.value, mean_sign, num_images))
