"""The update rule: what one training step does to the networks.

`SAGAN.train_step` imports this module, and TensorFlow with it, when it is called. The course of a
step is drawn in docs/how_a_step_works.md.
"""

import tensorflow as tf

from sagan_tf.losses import LOSSES, PENALTIES


# Nothing here needs AutoGraph, whose conversion takes a sixth of the tracing.
@tf.autograph.experimental.do_not_convert
def train_step(sagan, images, labels):
    """Updates the discriminator `discriminator_steps` times, the generator and its average once.

    The images and labels are those of this replica. It returns a dict from the names of the model's
    metrics to their values; those of the discriminator are means over its updates.
    """
    steps, slices = sagan.discriminator_steps, sagan.accumulation_steps
    size = images.shape[0] or tf.shape(images)[0]
    if isinstance(size, int) and size % (steps * slices):
        raise ValueError(
            f"A batch must divide into discriminator_steps={steps} times accumulation_steps="
            f"{slices} parts. Received: {size} images per replica"
        )
    randomness = StepRandomness(sagan, size // (steps * slices))

    reports = [
        _update_discriminator(sagan, *real, randomness)
        for real in zip(tf.split(images, steps), tf.split(labels, steps), strict=True)
    ]
    report = {name: tf.add_n([each[name] for each in reports]) / steps for name in reports[0]}
    report["generator_loss"] = _update_generator(sagan, randomness)
    _update_average(sagan)
    return {**report, **sagan.gates}


def _update_discriminator(sagan, images, labels, randomness):
    discriminator, slices = sagan.discriminator, sagan.accumulation_steps
    variables = discriminator.trainable_weights

    def report_and_gradients(index, real_images, real_labels, latents, fake_labels, mix):
        # All slices see the same sigma: the power iterations advance with the last one.
        advance_power_iteration = index == slices - 1
        fake_images = sagan.generator((latents, fake_labels), training=True)
        with tf.GradientTape() as tape:
            # The penalty comes first, so that it is of the discriminator that makes the logits.
            penalty = _penalty(sagan, real_images, real_labels, fake_images, mix)
            logits = discriminator(
                (
                    tf.concat([tf.cast(real_images, fake_images.dtype), fake_images], axis=0),
                    tf.concat([tf.cast(real_labels, "int32"), fake_labels], axis=0),
                ),
                training=advance_power_iteration,
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
        range(slices),
        tf.split(images, slices),
        tf.split(labels, slices),
        randomness.latents(),
        randomness.labels(),
        randomness.uniform((1, 1, 1)),
    )
    _apply(sagan, sagan.discriminator_optimizer, gradients, variables)
    return report


def _penalty(sagan, real_images, real_labels, fake_images, mix):
    if sagan.penalty_name is None:
        return 0.0
    penalty = PENALTIES[sagan.penalty_name]
    images = penalty.at(real_images, fake_images, mix)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(images)
        logits = sagan.discriminator((images, real_labels), training=False)
    return sagan.penalty_weight * penalty.of(tape.gradient(logits, images))


def _variance(images):
    """Averages the variance of each pixel over the batch; it is 0 if all images are the same."""
    return tf.reduce_mean(tf.math.reduce_variance(tf.cast(images, "float32"), axis=0))


def _update_generator(sagan, randomness):
    generator = sagan.generator
    variables = generator.trainable_weights

    def loss_and_gradients(latents, labels):
        with tf.GradientTape() as tape:
            fake_images = generator((latents, labels), training=True)
            # `training=False` holds the discriminator's power iterations, which advance with its
            # own updates only.
            fake_logits = sagan.discriminator((fake_images, labels), training=False)
            loss = LOSSES[sagan.loss_name].generator(fake_logits)
        return loss, tape.gradient(loss, variables)

    inputs = randomness.latents(), randomness.labels()
    loss, gradients = _mean_over_slices(loss_and_gradients, *inputs)
    _apply(sagan, sagan.generator_optimizer, gradients, variables)
    return loss


def _mean_over_slices(function, *inputs):
    """Averages what `function` returns for one item of each input, one slice after the other."""
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
    """Makes the sum over replicas, which Keras optimizers take, the mean."""
    if replicas == 1:
        return gradients
    return [gradient / replicas for gradient in gradients]


def _update_average(sagan):
    for weight, average in zip(sagan.generator.weights, sagan.ema_generator.weights, strict=True):
        if weight.trainable:
            average.assign_sub((1.0 - sagan.ema_decay) * (average - weight))
        else:
            average.assign(weight)


class StepRandomness:
    """The random numbers of one step, in the order in which they are asked for.

    They are a function of the model's seed, the step and the number of the draw, and of nothing
    else, so a resumed run draws what it would have drawn. Each draw is made for all slices and
    replicas together; a method returns the part of this replica as a list with one tensor per
    slice. All begin as Philox integers, which are the same on every device and under XLA;
    TensorFlow's own uniform and normal numbers are not.
    """

    def __init__(self, sagan, images_per_slice):
        self._sagan = sagan
        self._size = images_per_slice
        self._draws = 0
        step = tf.cast(sagan.generator_optimizer.iterations.value, "int32")
        self._seed = tf.random.fold_in(tf.constant([sagan.seed, 0], "int32"), step, "philox")

    def latents(self):
        slices = self.uniform((self._sagan.generator.latent_dim,))
        return [tf.math.ndtri(numbers) for numbers in slices]

    def labels(self):
        return self._integers((), self._sagan.generator.num_classes or 1)

    def uniform(self, shape):
        """Draws numbers in (0, 1), in steps of 2**-24 that float32 holds exactly."""
        slices = self._integers(shape, 2**23)
        return [(2.0 * tf.cast(numbers, "float32") + 1.0) / 2**24 for numbers in slices]

    def _integers(self, shape, bound):
        replica = tf.distribute.get_replica_context()
        parts = (self._sagan.accumulation_steps, replica.num_replicas_in_sync)
        everything = tf.random.stateless_uniform(
            (*parts, self._size, *shape),
            seed=tf.random.fold_in(self._seed, self._draws, "philox"),
            minval=0,
            maxval=bound,
            dtype="int32",
            alg="philox",
        )
        self._draws += 1
        return tf.unstack(everything[:, replica.replica_id_in_sync_group])
