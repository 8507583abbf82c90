"""Spectral normalization as a reparameterization of the wrapped layer's kernel."""

import keras
from keras import ops

_EPSILON = 1e-12


@keras.saving.register_keras_serializable(package="sagan_tf")
class SpectralNormalization(keras.layers.Wrapper):
    """Runs a layer with its kernel divided by the kernel's largest singular value.

    The raw kernel `W` stays the trainable variable. Every forward pass, at training and at
    inference, uses `W / sigma` with `sigma = v W u^T`, where `u` and `v` come from power iteration
    on `W` reshaped to `(-1, output features)` and are constants to the gradient. The gradient does
    flow through `sigma`, so once the power iteration has converged `dL/dW` is orthogonal to `W`.

    This differs from `keras.layers.SpectralNormalization`, which overwrites the kernel with
    `W / sigma`, has no gradient through `sigma` and does not normalize at inference.

    Power iteration and division run in float32 (float64 for a float64 layer) in any case.

    Args:
        layer: A `Dense`, `Conv2D` or `Embedding` layer, or one of a subclass.
        power_iterations: int, iterations per call. Defaults to `1`.
        **kwargs: `name` and `trainable`. The dtype follows from the wrapped layer.

    Call arguments:
        inputs: The inputs of the wrapped layer.
        training: bool, whether the advanced `u` is stored, not only used. Defaults to `False`.

    Output shape:
        The output shape of the wrapped layer.

    Raises:
        TypeError: if `layer` is of another type.
        ValueError: if `power_iterations` is less than 1.

    Example:

    ```python
    conv = SpectralNormalization(keras.layers.Conv2D(64, 3, padding="same"))
    features = conv(images, training=True)
    ```

    Reference:
        [Miyato et al., 2018](https://arxiv.org/abs/1802.05957), Algorithm 1 and equation 12.
    """

    def __init__(self, layer, power_iterations=1, **kwargs):
        supported = (keras.layers.Dense, keras.layers.Conv2D, keras.layers.Embedding)
        if not isinstance(layer, supported):
            raise TypeError(
                "`layer` must be a Dense, Conv2D or Embedding layer. "
                f"Received: layer={layer} of type {type(layer).__name__}"
            )
        if power_iterations < 1:
            raise ValueError(
                f"`power_iterations` must be at least 1. Received: {power_iterations=}"
            )
        kwargs["dtype"] = keras.backend.result_type(layer.variable_dtype, "float32")
        # With autocasting, a bfloat16 scope around this layer would round the kernel it reads.
        super().__init__(layer, autocast=False, **kwargs)
        self.power_iterations = power_iterations

    def build(self, input_shape=None):
        super().build(input_shape)
        self.u = self.add_weight(
            name="u",
            shape=(1, self.kernel.shape[-1]),
            initializer=keras.initializers.RandomNormal(stddev=1.0),
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",
        )

    def call(self, inputs, training=False):
        kernel, u = self.normalized_kernel()
        if training:
            self.u.assign(u)
        raw_kernel = self.kernel
        # All variables are mapped: JAX would take the unmapped ones from outside its transform.
        state = [
            (variable, kernel if variable is raw_kernel else variable.value)
            for variable in self.layer.variables
        ]
        with keras.StatelessScope(state):
            return self.layer(inputs)

    def normalized_kernel(self):
        """Computes `W / sigma`, and `u` `(1, output features)` after the iterations of one call.

        No variable changes. A zero kernel gives zeros and leaves `u` as it was.
        """
        raw = self.kernel.value
        matrix = ops.reshape(ops.cast(raw, self.variable_dtype), (-1, raw.shape[-1]))
        u = ops.convert_to_tensor(self.u.value)
        for _ in range(self.power_iterations):
            v = ops.matmul(u, ops.transpose(matrix))
            v = ops.stop_gradient(v * _inverse_norm(v))
            product = ops.matmul(v, matrix)
            # The norm of v W is sigma = v W u^T for the u that it gives, and so is its gradient.
            inverse_sigma = _inverse_norm(product)
            advanced = ops.stop_gradient(product * inverse_sigma)
            u = ops.where(inverse_sigma < 1 / _EPSILON, advanced, u)
        kernel = ops.reshape(matrix * inverse_sigma, raw.shape)
        return ops.cast(kernel, raw.dtype), u

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    @property
    def kernel(self):
        """The raw kernel `W` of the wrapped layer."""
        # An attribute that holds it would be saved a second time.
        if isinstance(self.layer, keras.layers.Embedding):
            return self.layer.embeddings
        return self.layer.kernel

    def get_config(self):
        return {**super().get_config(), "power_iterations": self.power_iterations}


def spectrally_normalized(layer, enabled=True):
    """Wraps `layer` in a `SpectralNormalization` of the same name, or returns it as it is."""
    return SpectralNormalization(layer, name=layer.name) if enabled else layer


def _inverse_norm(vector):
    return ops.rsqrt(ops.maximum(ops.sum(ops.square(vector)), _EPSILON**2))
