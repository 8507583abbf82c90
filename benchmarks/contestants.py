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
}


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
    model = {
        "image_size": image_size,
        "channels": channels,
        "num_classes": num_classes,
        "base_channels": base_channels,
    }
    networks = {
        "generator": sagan_tf.Generator(**model),
        "discriminator": sagan_tf.Discriminator(**model),
    }
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

    flops = count_flops(tf.function(sagan.train_step).get_concrete_function((images, labels)))
    facts = {
        "parameters": {
            name: sum(math.prod(weight.shape) for weight in network.trainable_weights)
            for name, network in networks.items()
        },
        "flops_per_image": sum(flops.values()) / batch_size,
        "flops_by_operation": flops,
    }
    return step, facts


def convolutions(size, channels, batch_size, precision="float32"):
    """Some 3x3 convolutions, forward and backward, for `Contestant`."""
    import tensorflow as tf

    from benchmarks.flops import count_flops

    dtype = "bfloat16" if precision == "mixed_bfloat16" else "float32"
    random = tf.random.Generator.from_seed(0)
    images = tf.cast(random.normal((batch_size, size, size, channels)), dtype)
    kernel = tf.cast(random.normal((3, 3, channels, channels)), dtype)

    @tf.function
    def forward_and_backward():
        with tf.GradientTape() as tape:
            tape.watch([images, kernel])
            outputs = tf.nn.conv2d(images, kernel, 1, "SAME")
        return outputs, *tape.gradient(outputs, [images, kernel], output_gradients=images)

    flops = count_flops(forward_and_backward.get_concrete_function())
    return forward_and_backward, {"flops": sum(flops.values())}


def sample(image_size, channels, base_channels, batch_size, num_classes=10):
    """One batch from the exported SavedModel, for `Contestant`."""
    import tempfile

    import numpy as np
    import tensorflow as tf

    import sagan_tf

    model = {
        "image_size": image_size,
        "channels": channels,
        "num_classes": num_classes,
        "base_channels": base_channels,
    }
    sagan = sagan_tf.SAGAN(sagan_tf.Generator(**model), sagan_tf.Discriminator(**model))
    with tempfile.TemporaryDirectory() as directory:
        served = tf.saved_model.load(sagan_tf.export.export_saved_model(sagan, directory))
    latents = tf.random.normal((batch_size, sagan.generator.latent_dim))
    labels = tf.constant(np.arange(batch_size) % num_classes, tf.int32)
    serve = served.signatures["serving_default"]
    return lambda: serve(latents=latents, labels=labels)["images"].numpy(), {}
