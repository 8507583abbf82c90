"""What is measured: steps, samplers and the machine's peak, each for `interleave.Contestant`."""

import math

CASES = {
    "digits": {
        "image_size": 16,
        "channels": 1,
        "base_channels": 16,
        "batch_size": 32,
        "discriminator_steps": 2,
    },
    "32x32 base 32": {"image_size": 32, "channels": 3, "base_channels": 32, "batch_size": 64},
    "128x128 base 16": {"image_size": 128, "channels": 3, "base_channels": 16, "batch_size": 8},
    "128x128 base 64": {"image_size": 128, "channels": 3, "base_channels": 64, "batch_size": 4},
}
QUICK_CASES = list(CASES)[:2]


def train_step(
    image_size,
    channels,
    base_channels,
    batch_size,
    num_classes=10,
    precision="float32",
    discriminator_steps=1,
):
    """One step of `SAGAN.fit`, for `Contestant`."""
    import keras
    import numpy as np
    import tensorflow as tf

    import sagan_tf
    from benchmarks.flops import count_flops

    keras.config.set_dtype_policy(precision)
    keras.utils.set_random_seed(0)
    networks = _networks(image_size, channels, base_channels, num_classes)
    sagan = sagan_tf.SAGAN(**networks, discriminator_steps=discriminator_steps)
    sagan.compile()
    random = np.random.default_rng(0)
    count = batch_size * discriminator_steps
    images = random.uniform(-1, 1, (count, image_size, image_size, channels)).astype("float32")
    labels = random.integers(num_classes, size=count, dtype="int32")
    batches = iter(tf.data.Dataset.from_tensors((images, labels)).repeat())
    sagan.make_train_function()

    def step():
        for value in sagan.train_function(batches).values():
            float(value)

    def facts():
        traced = tf.function(sagan.train_step).get_concrete_function((images, labels))
        flops = count_flops(traced)
        return {
            "parameters": {
                name: sum(math.prod(weight.shape) for weight in network.trainable_weights)
                for name, network in networks.items()
            },
            "flops_per_image": sum(flops.values()) / batch_size,
            "flops_by_operation": flops,
        }

    return step, facts


def convolutions(precision="float32"):
    """A 3x3 convolution, forward and backward, for `Contestant`."""
    import tensorflow as tf

    from benchmarks.flops import count_flops

    images = _normal((64, 32, 32, 128), precision)
    kernel = _normal((3, 3, 128, 128), precision)

    @tf.function
    def forward_and_backward():
        with tf.GradientTape() as tape:
            tape.watch([images, kernel])
            outputs = tf.nn.conv2d(images, kernel, 1, "SAME")
        return outputs, *tape.gradient(outputs, [images, kernel], output_gradients=images)

    flops = count_flops(forward_and_backward.get_concrete_function())
    return forward_and_backward, lambda: {"flops": sum(flops.values())}


def matrix_product(precision="float32"):
    """A product of square matrices, for `Contestant`."""
    import tensorflow as tf

    size = 2048
    matrix = _normal((size, size), precision)
    return tf.function(lambda: tf.matmul(matrix, matrix)), lambda: {"flops": 2 * size**3}


def sample(image_size, channels, base_channels, batch_size, num_classes=10):
    """One batch from the exported SavedModel, for `Contestant`."""
    import tempfile

    import numpy as np
    import tensorflow as tf

    import sagan_tf

    sagan = sagan_tf.SAGAN(**_networks(image_size, channels, base_channels, num_classes))
    with tempfile.TemporaryDirectory() as directory:
        served = tf.saved_model.load(sagan_tf.export.export_saved_model(sagan, directory))
    latents = tf.random.normal((batch_size, sagan.generator.latent_dim))
    labels = tf.constant(np.arange(batch_size) % num_classes, tf.int32)
    serve = served.signatures["serving_default"]
    return lambda: serve(latents=latents, labels=labels)["images"].numpy(), dict


def layer(name, fused, batch_size, size, channels):
    """Forward and backward pass of a layer, or of what it replaces, for `Contestant`.

    Args:
        name: `"upsample"`, `"downsample"` or `"attention"`.
        fused: bool, whether it is the layer itself.
        batch_size: int.
        size: int, height and width of the input.
        channels: int.
    """
    import tensorflow as tf
    from keras import layers

    from sagan_tf.layers import DownsampleConv2D, SelfAttention, UpsampleConv2D

    def plain_convolution():
        return layers.Conv2D(channels, 3, padding="same")

    if name == "attention":
        parts = [SelfAttention(gate_initializer="ones")]
    elif fused:
        parts = [{"upsample": UpsampleConv2D, "downsample": DownsampleConv2D}[name](channels)]
    elif name == "upsample":
        parts = [layers.UpSampling2D(2), plain_convolution()]
    else:
        parts = [plain_convolution(), layers.AveragePooling2D(2)]
    inputs = tf.random.stateless_normal((batch_size, size, size, channels), seed=(0, 0))
    shape = inputs.shape
    for part in parts:
        part.build(shape)
        shape = part.compute_output_shape(shape)
    weights = [weight.value for part in parts for weight in part.trainable_weights]

    @tf.function
    def forward_and_backward():
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            outputs = inputs
            for part in parts:
                # Who asks for the map gets it as a whole.
                whole = {"return_attention": True} if name == "attention" and not fused else {}
                outputs = part(outputs, **whole)
            outputs = outputs[0] if isinstance(outputs, tuple) else outputs
        return tape.gradient(outputs, [inputs, *weights], output_gradients=outputs)

    return forward_and_backward, dict


def _normal(shape, precision):
    import tensorflow as tf

    dtype = "bfloat16" if precision == "mixed_bfloat16" else "float32"
    return tf.cast(tf.random.stateless_normal(shape, seed=(0, 0)), dtype)


def _networks(image_size, channels, base_channels, num_classes):
    """Arguments of `SAGAN`."""
    import sagan_tf

    options = {
        "image_size": image_size,
        "channels": channels,
        "num_classes": num_classes,
        "base_channels": base_channels,
    }
    return {
        "generator": sagan_tf.Generator(**options),
        "discriminator": sagan_tf.Discriminator(**options),
    }
