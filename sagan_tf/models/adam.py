"""Adam with a fused update."""

import keras


@keras.saving.register_keras_serializable(package="sagan_tf")
class Adam(keras.optimizers.Adam):
    """`keras.optimizers.Adam`, which updates a variable by one operation of TensorFlow.

    Keras spells the update out in a dozen operations, each of which passes over the memory of the
    variable. The formula, the variables and their names are the same. On other backends, and with
    `amsgrad`, it is Keras's.

    All arguments are those of `keras.optimizers.Adam`.

    Reference:
        [Kingma & Ba, 2015](https://arxiv.org/abs/1412.6980), Algorithm 1, with the epsilon of
        section 2's last paragraph.
    """

    def update_step(self, gradient, variable, learning_rate):
        if keras.backend.backend() != "tensorflow" or self.amsgrad:
            super().update_step(gradient, variable, learning_rate)
            return
        import tensorflow as tf

        index = self._get_variable_index(variable)

        def scalar(value):
            return tf.cast(value, variable.dtype)

        updates = scalar(self.iterations + 1)
        beta_1, beta_2 = scalar(self.beta_1), scalar(self.beta_2)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=beta_1**updates,
            beta2_power=beta_2**updates,
            lr=scalar(learning_rate),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=scalar(self.epsilon),
            grad=scalar(gradient),
        )
