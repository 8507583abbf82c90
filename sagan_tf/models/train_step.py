"""The body of `SAGAN.train_step`, which imports this module, and TensorFlow with it, when called.

Every random number is a function of the model's seed, the step and the draw, and of nothing else:
replicas take their slices of one global draw, and a resumed run draws what it would have drawn.
"""

import tensorflow as tf

from sagan_tf.losses import LOSSES, PENALTIES


# Nothing here needs AutoGraph, whose conversion takes a sixth of the tracing.
@tf.autograph.experimental.do_not_convert
def train_step(sagan, images, labels):
    """Updates the discriminator `discriminator_steps` times, the generator and its average once.

    Args:
        sagan: A compiled `SAGAN`.
        images: `(discriminator_steps * batch, height, width, channels)`, this replica's share.
        labels: `(discriminator_steps * batch,)`.

    Returns:
        Dict from the names of the model's metrics to their values in this step; those of the
        discriminator are means over its updates.
    """
    updates, slices = sagan.discriminator_steps, sagan.accumulation_steps
    size = images.shape[0] or tf.shape(images)[0]
    if isinstance(size, int) and size % (updates * slices):
        raise ValueError(
            f"A batch must divide into discriminator_steps={updates} times accumulation_steps="
            f"{slices} parts. Received: {size} images per replica"
        )
    draws = _Draws(sagan, size // (updates * slices))

    reports = [
        _update_discriminator(sagan, *real, draws)
        for real in zip(tf.split(images, updates), tf.split(labels, updates), strict=True)
    ]
    report = {name: tf.add_n([r[name] for r in reports]) / updates for name in reports[0]}
    report["generator_loss"] = _update_generator(sagan, draws)
    _update_average(sagan)
    return {**report, **sagan.gates}


def _update_discriminator(sagan, images, labels, draws):
    discriminator, slices = sagan.discriminator, sagan.accumulation_steps
    variables = discriminator.trainable_weights

    def report_and_gradients(real_images, real_labels, latents, fake_labels, share, moves_u):
        fake_images = sagan.generator((latents, fake_labels), training=True)
        with tf.GradientTape() as tape:
            # Before u moves: the penalty is of the discriminator that the logits are of.
            penalty = 0.0
            if sagan.penalty_name == "r1":
                penalty = _penalty(sagan, real_images, real_labels)
            elif sagan.penalty_name == "gradient_penalty":
                between = share * real_images + (1.0 - share) * fake_images
                penalty = _penalty(sagan, between, real_labels)
            logits = discriminator(
                (
                    tf.concat([tf.cast(real_images, fake_images.dtype), fake_images], axis=0),
                    tf.concat([tf.cast(real_labels, "int32"), fake_labels], axis=0),
                ),
                training=moves_u,
            )
            real_logits, fake_logits = tf.split(logits, 2)
            loss = LOSSES[sagan.loss_name].discriminator(real_logits, fake_logits) + penalty
        report = {
            "discriminator_loss": loss,
            "real_logits": tf.reduce_mean(real_logits),
            "fake_logits": tf.reduce_mean(fake_logits),
            "real_variance": _variance(real_images),
            "fake_variance": _variance(fake_images),
        }
        return report, tape.gradient(loss, variables)

    report, gradients = _mean_over_slices(
        report_and_gradients,
        tf.split(images, slices),
        tf.split(labels, slices),
        draws.latents(),
        draws.labels(),
        draws.uniform((1, 1, 1)),
        # The discriminator's u moves once per update: all slices see the same sigma.
        [False] * (slices - 1) + [True],
    )
    _apply(sagan, sagan.discriminator_optimizer, gradients, variables)
    return report


def _penalty(sagan, images, labels):
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(images)
        logits = sagan.discriminator((images, labels), training=False)
    return sagan.penalty_weight * PENALTIES[sagan.penalty_name](tape.gradient(logits, images))


def _variance(images):
    """Of each pixel over the images, in the mean: 0 when all images are the same."""
    return tf.reduce_mean(tf.math.reduce_variance(tf.cast(images, "float32"), axis=0))


def _update_generator(sagan, draws):
    generator = sagan.generator
    variables = generator.trainable_weights

    def loss_and_gradients(latents, labels):
        with tf.GradientTape() as tape:
            fake_images = generator((latents, labels), training=True)
            # Not training: the discriminator's power iterations advance with its own updates only.
            fake_logits = sagan.discriminator((fake_images, labels), training=False)
            loss = LOSSES[sagan.loss_name].generator(fake_logits)
        return loss, tape.gradient(loss, variables)

    loss, gradients = _mean_over_slices(loss_and_gradients, draws.latents(), draws.labels())
    _apply(sagan, sagan.generator_optimizer, gradients, variables)
    return loss


def _mean_over_slices(function, *inputs):
    """Mean of the function's results over slices, of which only one is in memory at a time.

    Args:
        function: Of one slice of each input; returns a nest of tensors.
        *inputs: Lists of equal length, one item per slice.
    """
    total = None
    for slice_ in zip(*inputs, strict=True):
        # The next slice waits for the gradients of the one before, so its memory can be reused.
        with tf.control_dependencies(tf.nest.flatten(total) if total is not None else []):
            # Gradients of per-class parameters are IndexedSlices, which cannot be added.
            result = tf.nest.map_structure(tf.convert_to_tensor, function(*slice_))
            total = result if total is None else tf.nest.map_structure(tf.add, total, result)
    return tf.nest.map_structure(lambda tensor: tensor / len(inputs[0]), total)


def _apply(sagan, optimizer, gradients, variables):
    replica = tf.distribute.get_replica_context()
    if sagan.global_clipnorm is not None:
        gradients = replica.all_reduce(tf.distribute.ReduceOp.MEAN, gradients)
        gradients, _ = tf.clip_by_global_norm(gradients, sagan.global_clipnorm)
    optimizer.apply(_scale_for_sum(gradients, replica.num_replicas_in_sync), variables)


def _scale_for_sum(gradients, replicas):
    """Keras optimizers sum gradients over replicas; the loss is a mean over the global batch."""
    if replicas == 1:
        return gradients
    return [gradient / replicas for gradient in gradients]


def _update_average(sagan):
    for weight, average in zip(sagan.generator.weights, sagan.ema_generator.weights, strict=True):
        if weight.trainable:
            average.assign_sub((1.0 - sagan.ema_decay) * (average - weight))
        else:
            average.assign(weight)


class _Draws:
    """The random numbers of one step, in the order in which they are asked for.

    Each draw is made for all slices and replicas together; this replica gets the list of its
    shares, one per slice. All begin as Philox integers, which are the same on every device and
    under XLA; TensorFlow's own uniform and normal numbers are not.
    """

    def __init__(self, sagan, images_per_slice):
        self._sagan = sagan
        self._size = images_per_slice
        self._count = 0
        step = tf.cast(sagan.generator_optimizer.iterations.value, "int32")
        self._seed = tf.random.fold_in(tf.constant([sagan.seed, 0], "int32"), step, "philox")

    def latents(self):
        shares = self.uniform((self._sagan.generator.latent_dim,))
        return [tf.math.ndtri(share) for share in shares]

    def labels(self):
        return self._integers((), self._sagan.generator.num_classes or 1)

    def uniform(self, shape):
        """In (0, 1), in steps of 2**-24: exact in float32."""
        shares = self._integers(shape, 2**23)
        return [(2.0 * tf.cast(share, "float32") + 1.0) / 2**24 for share in shares]

    def _integers(self, shape, bound):
        replica = tf.distribute.get_replica_context()
        parts = (self._sagan.accumulation_steps, replica.num_replicas_in_sync)
        everything = tf.random.stateless_uniform(
            (*parts, self._size, *shape),
            seed=tf.random.fold_in(self._seed, self._count, "philox"),
            minval=0,
            maxval=bound,
            dtype="int32",
            alg="philox",
        )
        self._count += 1
        return tf.unstack(everything[:, replica.replica_id_in_sync_group])
