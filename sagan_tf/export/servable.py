"""A generator as TensorFlow objects, for servers and hubs."""

import tensorflow as tf

_LABELS = tf.TensorSpec((None,), tf.int32, name="labels")


def make_servable(generator):
    """What `tf.saved_model.save` takes: a reusable SavedModel, and a dict of its signatures."""
    functions = _Functions(generator)
    root = tf.train.Checkpoint(
        __call__=functions.traced_call(),
        generate=functions.traced_generate(),
        variables=[weight.value for weight in generator.weights],
        trainable_variables=[weight.value for weight in generator.trainable_weights],
        regularization_losses=[],
    )
    latents = tf.TensorSpec((None, generator.latent_dim), tf.float32, name="latents")
    seeds = tf.TensorSpec((None,), tf.int32, name="seeds")
    drawn = seeds, tf.TensorSpec((None,), tf.float32, name="truncation")
    signatures = {
        "serving_default": with_labels(generator, functions.images, latents),
        "generate": with_labels(generator, functions.generated, *drawn),
        "generate_png": with_labels(generator, functions.png, *drawn),
    }
    if generator.gates:
        root.attention = with_labels(generator, functions.maps, latents)
        signatures["attention"] = root.attention
        signatures["generate_attention"] = with_labels(generator, functions.drawn_maps, *drawn)
    return root, signatures


def with_labels(generator, function, *specs):
    """A `tf.function` of tensors like `specs` and `labels`; an unconditional one has no labels."""
    if generator.num_classes is not None:
        return tf.function(function, input_signature=[*specs, _LABELS])

    def of_latents(latents):
        return function(latents, _no_labels(latents))

    def of_seeds(seeds, truncation):
        return function(seeds, truncation, _no_labels(seeds))

    return tf.function(of_latents if len(specs) == 1 else of_seeds, input_signature=specs)


def _no_labels(inputs):
    """The labels that an unconditional generator ignores, one per row of the inputs."""
    return tf.zeros(tf.shape(tf.ensure_shape(inputs, inputs.shape))[:1], tf.int32)


class _Functions:
    """The functions of a generator. They always take labels, which unconditional ones ignore.

    They check all shapes, because a server does not compare them with the signature.
    """

    def __init__(self, generator):
        self._generator = generator

    def traced_call(self):
        """`__call__(inputs, training=False)`; Keras passes inputs as a list."""
        latents = tf.TensorSpec((None, self._generator.latent_dim), tf.float32, name="latents")

        @tf.function
        def call(inputs, training=False):
            latents, *labels = tf.nest.flatten(inputs)
            (labels,) = labels or [_no_labels(latents)]
            if not training:
                return self._run(latents, labels)
            return self._generator(self._checked(latents, labels, minimum=1), training=True)

        unconditional = self._generator.num_classes is None
        for inputs in [latents] if unconditional else [(latents, _LABELS), [latents, _LABELS]]:
            call.get_concrete_function(inputs, training=False)
            call.get_concrete_function(inputs, training=True)
        return call

    def traced_generate(self):
        """`generate(labels, truncation=1.0, seed=0)`, of `num_images` if there are no labels."""
        first, function = _LABELS, self._seeded
        if self._generator.num_classes is None:
            first, function = tf.TensorSpec((), tf.int32, name="num_images"), self._counted
        truncation = tf.TensorSpec((), tf.float32, name="truncation")
        seed = tf.TensorSpec((), tf.int32, name="seed")
        return tf.function(function, input_signature=[first, truncation, seed])

    def _seeded(self, labels, truncation=1.0, seed=0):
        count = tf.size(labels)
        latents = self._draw(seed + tf.range(count), tf.fill((count,), truncation), labels)
        return self._run(latents, labels)

    def _counted(self, num_images, truncation=1.0, seed=0):
        check = tf.debugging.assert_non_negative(num_images, "num_images must be at least 0")
        with tf.control_dependencies([check]):
            num_images = tf.identity(num_images)
        return self._seeded(tf.zeros((num_images,), tf.int32), truncation, seed)

    def images(self, latents, labels):
        return {"images": self._run(latents, labels)}

    def maps(self, latents, labels):
        return self._run(latents, labels, return_attention=True)[1]

    def generated(self, seeds, truncation, labels):
        return {"images": self._run(self._draw(seeds, truncation, labels), labels)}

    def drawn_maps(self, seeds, truncation, labels):
        return self.maps(self._draw(seeds, truncation, labels), labels)

    def png(self, seeds, truncation, labels):
        images = self._run(self._draw(seeds, truncation, labels), labels)
        pixels = tf.cast(tf.round((tf.clip_by_value(images, -1, 1) + 1) * 127.5), tf.uint8)
        file = tf.TensorSpec((), tf.string)
        return {"image_bytes": tf.map_fn(tf.io.encode_png, pixels, fn_output_signature=file)}

    def _draw(self, seeds, truncation, labels):
        seeds, truncation = tf.ensure_shape(seeds, (None,)), tf.ensure_shape(truncation, (None,))
        _check_same_batch(seeds=seeds, truncation=truncation, labels=labels)
        in_range = tf.reduce_all((truncation > 0) & (truncation <= 1))
        tf.debugging.Assert(in_range, ["truncation must be in (0, 1]. Received:", truncation])
        # There is a draw per row: what a row gives must not depend on who shares its batch.
        row = tf.TensorSpec((self._generator.latent_dim,), tf.float32)
        latents = tf.map_fn(
            lambda seed: tf.random.stateless_normal(row.shape, tf.stack([seed, 0]), alg="philox"),
            seeds,
            fn_output_signature=row,
        )
        return latents * truncation[:, None]

    def _run(self, latents, labels, return_attention=False):
        latents, labels = self._checked(latents, labels)
        # TensorFlow's convolutions of an empty batch have the wrong shape: add a row, cut it off.
        batch = tf.shape(latents)[0]
        padding = tf.cast(tf.equal(batch, 0), tf.int32)
        inputs = tf.pad(latents, [[0, padding], [0, 0]]), tf.pad(labels, [[0, padding]])
        outputs = self._generator(inputs, training=False, return_attention=return_attention)
        return tf.nest.map_structure(lambda output: output[:batch], outputs)

    def _checked(self, latents, labels, minimum=0):
        """Both inputs, computed after all checks of them."""
        latents = tf.ensure_shape(latents, (None, self._generator.latent_dim))
        labels = tf.ensure_shape(labels, (None,))
        num_classes = self._generator.num_classes or 1
        in_range = tf.reduce_all((labels >= 0) & (labels < num_classes))
        message = f"labels must be in [0, {num_classes}). Received:"
        too_few = f"latents must have at least {minimum} rows"
        checks = [
            *_check_same_batch(latents=latents, labels=labels),
            tf.debugging.Assert(in_range, [message, labels], summarize=8),
            # Normal numbers are below 10; sums of products of very large ones overflow.
            tf.debugging.Assert(
                tf.reduce_all(tf.abs(latents) <= 1e6), ["latents must be finite, 1e6 at most"]
            ),
            tf.debugging.assert_greater_equal(tf.shape(latents)[0], minimum, too_few),
        ]
        # Without the order, an invalid label would fail inside the embedding without naming the
        # input, and an invalid batch would already have updated the moving statistics.
        with tf.control_dependencies(checks):
            return tf.identity(latents), tf.identity(labels)


def _check_same_batch(**inputs):
    (first, reference), *others = inputs.items()
    return [
        tf.debugging.assert_equal(
            tf.shape(tensor)[0],
            tf.shape(reference)[0],
            message=f"{name} and {first} must have the same number of rows",
        )
        for name, tensor in others
    ]
