"""A generator as TensorFlow objects, for servers and hubs."""

import tensorflow as tf


def make_servable(generator):
    """What `tf.saved_model.save` takes.

    Args:
        generator: A built `Generator`.

    Returns:
        `(root, signatures)`: a trackable object with the interface of a
        [reusable SavedModel](https://www.tensorflow.org/hub/reusable_saved_models), and a dict of
        functions whose inputs all have the batch as their first dimension.
    """
    functions = _Functions(generator)
    root = tf.train.Checkpoint(
        __call__=functions.call,
        generate=functions.generate,
        variables=[weight.value for weight in generator.weights],
        trainable_variables=[weight.value for weight in generator.trainable_weights],
        regularization_losses=[],
    )
    signatures = {
        "serving_default": functions.serving_default,
        "generate": functions.serving_generate,
        "generate_png": functions.serving_png,
    }
    if functions.attention is not None:
        root.attention = signatures["attention"] = functions.attention
    return root, signatures


class _Functions:
    """The functions of a generator; an unconditional one's have no `labels`."""

    def __init__(self, generator):
        self._generator = generator
        latents = tf.TensorSpec((None, generator.latent_dim), tf.float32, name="latents")
        seeds = tf.TensorSpec((None,), tf.int32, name="seeds")
        truncation = tf.TensorSpec((None,), tf.float32, name="truncation")
        labels = [tf.TensorSpec((None,), tf.int32, name="labels")]
        first = labels[0]
        if generator.num_classes is None:
            labels, first = [], tf.TensorSpec((), tf.int32, name="num_images")

        def signature(function, *specs):
            return tf.function(function, input_signature=[*specs, *labels])

        self.serving_default = signature(self._images, latents)
        self.serving_generate = signature(self._generated, seeds, truncation)
        self.serving_png = signature(self._png, seeds, truncation)
        self.attention = None
        if generator.gates:
            self.attention = signature(self._maps, latents)
        self.call = self._traced_call([latents, *labels])
        self.generate = tf.function(
            self._seeded,
            input_signature=[
                first,
                tf.TensorSpec((), tf.float32, name="truncation"),
                tf.TensorSpec((), tf.int32, name="seed"),
            ],
        )

    def _traced_call(self, specs):
        """`__call__(inputs, training=False)`; Keras passes inputs as a list."""

        @tf.function
        def call(inputs, training=False):
            if not training:
                return self._run(*tf.nest.flatten(inputs))
            latents, labels = self._checked(*tf.nest.flatten(inputs), minimum=1)
            return self._generator((latents, labels), training=True)

        for structure in (tuple, list) if len(specs) > 1 else (lambda specs: specs[0],):
            for training in (False, True):
                call.get_concrete_function(structure(specs), training=training)
        return call

    def _images(self, latents, labels=None):
        return {"images": self._run(latents, labels)}

    def _maps(self, latents, labels=None):
        return self._run(latents, labels, return_attention=True)[1]

    def _generated(self, seeds, truncation, labels=None):
        latents = self._draw(seeds, truncation, labels)
        images, maps = self._run(latents, labels, return_attention=True)
        return {"images": images, **maps}

    def _png(self, seeds, truncation, labels=None):
        images = self._run(self._draw(seeds, truncation, labels), labels)
        pixels = tf.cast(tf.round((tf.clip_by_value(images, -1, 1) + 1) * 127.5), tf.uint8)
        encoded = tf.map_fn(
            tf.io.encode_png, pixels, fn_output_signature=tf.TensorSpec((), tf.string)
        )
        return {"image_bytes": encoded}

    def _seeded(self, labels, truncation=1.0, seed=0):
        conditional = self._generator.num_classes is not None
        if conditional:
            count = tf.size(labels)
        else:
            check = tf.debugging.assert_non_negative(labels, "num_images must be at least 0")
            with tf.control_dependencies([check]):
                count = tf.identity(labels)
        seeds = seed + tf.range(count)
        latents = self._draw(seeds, tf.fill((count,), truncation))
        return self._run(latents, labels if conditional else None)

    def _draw(self, seeds, truncation, labels=None):
        seeds, truncation = _of_rank(seeds, 1), _of_rank(truncation, 1)
        _check_same_batch(seeds=seeds, truncation=truncation, labels=labels)
        in_range = tf.reduce_all((truncation > 0) & (truncation <= 1))
        tf.debugging.Assert(in_range, ["truncation must be in (0, 1]. Received:", truncation])
        # One draw per row: what a row gives must not depend on who shares its batch.
        latent_dim = self._generator.latent_dim
        latents = tf.map_fn(
            lambda seed: tf.random.stateless_normal(
                (latent_dim,), seed=tf.stack([seed, 0]), alg="philox"
            ),
            seeds,
            fn_output_signature=tf.TensorSpec((latent_dim,), tf.float32),
        )
        return latents * truncation[:, None]

    def _run(self, latents, labels=None, return_attention=False):
        latents, labels = self._checked(latents, labels)
        # TensorFlow's convolutions of an empty batch have the wrong shape: add a row, cut it off.
        batch = tf.shape(latents)[0]
        padding = tf.cast(tf.equal(batch, 0), tf.int32)
        inputs = tf.pad(latents, [[0, padding], [0, 0]]), tf.pad(labels, [[0, padding]])
        outputs = self._generator(inputs, training=False, return_attention=return_attention)
        return tf.nest.map_structure(lambda output: output[:batch], outputs)

    def _checked(self, latents, labels=None, minimum=0):
        """Both inputs, which are not there before all checks are."""
        latents = tf.ensure_shape(latents, (None, self._generator.latent_dim))
        batch = tf.shape(latents)[0]
        checks = []
        if minimum:
            message = f"latents must have at least {minimum} rows"
            checks.append(tf.debugging.assert_greater_equal(batch, minimum, message))
        if labels is None:
            labels = tf.zeros((batch,), tf.int32)
        else:
            num_classes = self._generator.num_classes
            labels = _of_rank(labels, 1)
            checks += _check_same_batch(latents=latents, labels=labels)
            in_range = tf.reduce_all((labels >= 0) & (labels < num_classes))
            message = f"labels must be in [0, {num_classes}). Received:"
            checks.append(tf.debugging.Assert(in_range, [message, labels], summarize=8))
        # Or a look-up of classes would fail first, with a message that names no input, or moving
        # statistics would take what is refused.
        with tf.control_dependencies(checks):
            return tf.identity(latents), tf.identity(labels)


def _of_rank(tensor, rank):
    # A server does not check the shapes of a signature.
    return tf.ensure_shape(tensor, (None,) * rank)


def _check_same_batch(**inputs):
    (first, reference), *others = inputs.items()
    return [
        tf.debugging.assert_equal(
            tf.shape(tensor)[0],
            tf.shape(reference)[0],
            message=f"{name} and {first} must have the same number of rows",
        )
        for name, tensor in others
        if tensor is not None
    ]
