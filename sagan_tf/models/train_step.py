"""The body of `SAGAN.train_step`, which imports this module, and TensorFlow with it, when called.

Every random number is a function of the model's seed, the step and the draw, and of nothing else:
replicas take their slices of one global draw, and a resumed run draws what it would have drawn.
"""

import tensorflow as tf

from sagan_tf.losses import LOSSES, PENALTIES


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
    parts = sagan.discriminator_steps
    if images.shape[0] is not None and images.shape[0] % parts:
        raise ValueError(
            f"A batch must divide into discriminator_steps={parts} parts. "
            f"Received: {images.shape[0]} images per replica"
        )
    batch = tf.shape(images)[0] // parts
    draws = _Draws(sagan, batch)

    reports = []
    for real_images, real_labels in zip(
        tf.split(images, parts), tf.split(labels, parts), strict=True
    ):
        reports.append(_update_discriminator(sagan, real_images, real_labels, draws))
    report = {name: tf.add_n([r[name] for r in reports]) / parts for name in reports[0]}
    report["generator_loss"] = _update_generator(sagan, draws)
    _update_average(sagan)
    return {**report, **sagan.gates}


def _update_discriminator(sagan, real_images, real_labels, draws):
    discriminator = sagan.discriminator
    fake_labels = draws.labels()
    fake_images = sagan.generator((draws.latents(), fake_labels), training=True)
    variables = discriminator.trainable_weights
    with tf.GradientTape() as tape:
        logits = discriminator(
            (
                tf.concat([tf.cast(real_images, fake_images.dtype), fake_images], axis=0),
                tf.concat([tf.cast(real_labels, "int32"), fake_labels], axis=0),
            ),
            training=True,
        )
        real_logits, fake_logits = tf.split(logits, 2)
        loss = LOSSES[sagan.loss_name].discriminator(real_logits, fake_logits)
        if sagan.penalty_name == "r1":
            loss += _penalty(sagan, real_images, real_labels)
        elif sagan.penalty_name == "gradient_penalty":
            share = draws.uniform((1, 1, 1))
            between = share * real_images + (1.0 - share) * fake_images
            loss += _penalty(sagan, between, real_labels)
    _apply(sagan.discriminator_optimizer, tape.gradient(loss, variables), variables)
    return {
        "discriminator_loss": loss,
        "real_logits": tf.reduce_mean(real_logits),
        "fake_logits": tf.reduce_mean(fake_logits),
    }


def _penalty(sagan, images, labels):
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(images)
        logits = sagan.discriminator((images, labels), training=False)
    return sagan.penalty_weight * PENALTIES[sagan.penalty_name](tape.gradient(logits, images))


def _update_generator(sagan, draws):
    generator = sagan.generator
    latents, labels = draws.latents(), draws.labels()
    variables = generator.trainable_weights
    with tf.GradientTape() as tape:
        fake_images = generator((latents, labels), training=True)
        # Not training: the discriminator's power iterations advance with its own updates only.
        fake_logits = sagan.discriminator((fake_images, labels), training=False)
        loss = LOSSES[sagan.loss_name].generator(fake_logits)
    _apply(sagan.generator_optimizer, tape.gradient(loss, variables), variables)
    return loss


def _apply(optimizer, gradients, variables):
    # Keras optimizers sum gradients over replicas; the loss is a mean over the global batch.
    # Those of per-class parameters come as IndexedSlices, which know no division.
    replicas = tf.distribute.get_replica_context().num_replicas_in_sync
    gradients = [tf.convert_to_tensor(gradient) / replicas for gradient in gradients]
    optimizer.apply(gradients, variables)


def _update_average(sagan):
    for weight, average in zip(sagan.generator.weights, sagan.ema_generator.weights, strict=True):
        if weight.trainable:
            average.assign_sub((1.0 - sagan.ema_decay) * (average - weight))
        else:
            average.assign(weight)


class _Draws:
    """The random numbers of one step, in the order in which they are asked for."""

    def __init__(self, sagan, batch):
        self._sagan = sagan
        self._batch = batch
        self._count = 0
        step = tf.cast(sagan.generator_optimizer.iterations.value, "int32")
        self._seed = tf.random.fold_in(tf.constant([sagan.seed, 0], "int32"), step)

    def latents(self):
        return self._slice(tf.random.stateless_normal, (self._sagan.generator.latent_dim,))

    def labels(self):
        classes = self._sagan.generator.num_classes or 1
        return self._slice(tf.random.stateless_uniform, (), minval=0, maxval=classes, dtype="int32")

    def uniform(self, shape):
        return self._slice(tf.random.stateless_uniform, shape)

    def _slice(self, distribution, shape, **kwargs):
        replica = tf.distribute.get_replica_context()
        seed = tf.random.fold_in(self._seed, self._count)
        self._count += 1
        everything = distribution(
            (self._batch * replica.num_replicas_in_sync, *shape), seed=seed, **kwargs
        )
        start = self._batch * replica.replica_id_in_sync_group
        return everything[start : start + self._batch]
