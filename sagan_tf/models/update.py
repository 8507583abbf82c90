"""The update rule: what one training step does to the networks, on TensorFlow and on JAX.

The course of a step is drawn in docs/how_a_step_works.md.
"""

import operator

from keras import ops, tree

from sagan_tf.losses import PENALTIES
from sagan_tf.losses.augmentation import NUMBERS, augment, inconsistency
from sagan_tf.models import backend


def update(sagan, images, labels):
    """Updates the discriminator `discriminator_steps` times, the generator and its average once.

    Args:
        sagan: A `SAGAN`, compiled.
        images: Float32 tensor `(batch, height, width, channels)` of this replica's real images, as
            `check_batch` makes them.
        labels: Int32 tensor `(batch,)`.

    Returns:
        Dict from the names of the model's metrics to their values; those of the discriminator are
        means over its updates.
    """
    steps, slices = sagan.discriminator_steps, sagan.accumulation_steps
    size = _count(images)
    randomness = StepRandomness(sagan, size // (steps * slices))
    reports = [
        _update_discriminator(sagan, *real, randomness)
        for real in zip(ops.split(images, steps), ops.split(labels, steps), strict=True)
    ]
    report = {name: _add([each[name] for each in reports]) / steps for name in reports[0]}
    # The last of the labels, as many as the generator's update has latents.
    report["generator_loss"] = _update_generator(sagan, ops.split(labels, steps)[-1], randomness)
    _update_average(sagan)
    if sagan.adaptive_augmentation:
        real_sign = report.pop("real_sign")
        report["augmentation_probability"] = _adapt_augmentation(sagan, real_sign, size)
    return {**report, **sagan.gates}


def measure(sagan, images, labels, seen):
    """Measures the losses of held-out images, after `seen` other ones, and of as many fake ones.

    It returns a dict from the names of some of the model's metrics to their values.
    """
    randomness = StepRandomness(sagan, _count(images), seen)
    (latents,) = randomness.latents()
    (fake_labels,) = _labels_to_generate(sagan, [labels], randomness)
    fake_images = sagan.generator((latents, fake_labels), training=False)
    real_logits = sagan.discriminator((images, labels), training=False)
    fake_logits = sagan.discriminator((fake_images, fake_labels), training=False)
    loss = sagan.adversarial_loss
    return {
        "discriminator_loss": loss.discriminator(real_logits, fake_logits),
        "generator_loss": loss.generator(fake_logits),
        "real_logits": ops.mean(real_logits),
        "fake_logits": ops.mean(fake_logits),
    }


def _count(images):
    """How many images there are, an int where it is known."""
    return images.shape[0] or ops.shape(images)[0]


def _add(tensors):
    total = tensors[0]
    for each in tensors[1:]:
        total = total + each
    return total


def _step(sagan):
    return ops.cast(sagan.generator_optimizer.iterations.value, "int32")


def _update_discriminator(sagan, images, labels, randomness):
    discriminator, slices = sagan.discriminator, sagan.accumulation_steps
    real_labels = ops.split(labels, slices)
    variables = discriminator.trainable_weights

    def report_and_gradients(index, real_images, real_labels, latents, fake_labels, mix, numbers):
        # All slices see the same sigma: the power iterations advance with the last one.
        advance_power_iteration = index == slices - 1
        fake_images = sagan.generator((latents, fake_labels), training=True)
        seen_real_images = _augment(sagan, real_images, numbers, 0)
        seen_fake_images = _augment(sagan, fake_images, numbers, 1)

        def loss_and_report():
            # The penalty comes first, so that it is of the discriminator that makes the logits.
            penalty = _penalty(sagan, seen_real_images, real_labels, seen_fake_images, mix)
            views = [(seen_real_images, real_labels), (seen_fake_images, fake_labels)]
            if sagan.consistency_weight:
                views += [(real_images, real_labels), (fake_images, fake_labels)]
            logits = discriminator(
                tuple(ops.concatenate(each, axis=0) for each in zip(*views, strict=True)),
                training=advance_power_iteration,
            )
            real_logits, fake_logits, *as_they_are = ops.split(logits, len(views))
            loss = sagan.adversarial_loss.discriminator(real_logits, fake_logits) + penalty
            for pair in zip((real_logits, fake_logits), as_they_are, strict=False):
                loss += sagan.consistency_weight * inconsistency(*pair)
            report = {
                "discriminator_loss": loss,
                "real_logits": ops.mean(real_logits),
                "fake_logits": ops.mean(fake_logits),
            }
            if sagan.adaptive_augmentation:
                report["real_sign"] = ops.mean(ops.sign(real_logits))
            return loss, report

        report, gradients = backend.gradients(sagan, loss_and_report, variables)
        report["real_variance"] = _variance(real_images)
        report["fake_variance"] = _variance(fake_images)
        return report, gradients

    report, gradients = _mean_over_slices(
        report_and_gradients,
        range(slices),
        ops.split(images, slices),
        real_labels,
        randomness.latents(),
        _labels_to_generate(sagan, real_labels, randomness),
        randomness.uniform((1, 1, 1)),
        randomness.augmentation(of=2),
    )
    _apply(sagan, sagan.discriminator_optimizer, gradients, variables)
    return report


def _labels_to_generate(sagan, real_labels, randomness):
    """Labels of generated images, a tensor per slice: drawn uniformly, or those of real images."""
    drawn = randomness.labels()  # It is a draw in any case, so that the others stay the same.
    return real_labels if sagan.label_distribution == "data" else drawn


def _penalty(sagan, real_images, real_labels, fake_images, mix):
    if sagan.penalty_name is None:
        return 0.0
    penalty = PENALTIES[sagan.penalty_name]
    gradients = backend.image_gradient(
        lambda images: sagan.discriminator((images, real_labels), training=False),
        penalty.at(real_images, fake_images, mix),
    )
    return sagan.penalty_weight * penalty.of(gradients)


def _augment(sagan, images, numbers, index):
    """What the discriminator sees of images, by the numbers of `StepRandomness.augmentation`."""
    if not sagan.augmentation:
        return images
    adaptive = sagan.adaptive_augmentation
    probability = sagan.augmentation_probability.value if adaptive else None
    return augment(images, numbers[:, index], sagan.augmentation, probability)


def _adapt_augmentation(sagan, real_sign, images_per_replica):
    """Moves the probability of augmentation by a step; returns that of this step."""
    num_images = ops.cast(images_per_replica * backend.num_replicas(), "float32")
    before = ops.copy(sagan.augmentation_probability.value)
    sagan.augmentation_probability.follow(backend.all_mean(real_sign), num_images)
    return before


def _variance(images):
    """Averages the variance of each pixel over the batch; it is 0 if all images are the same."""
    return ops.mean(ops.var(images, axis=0))


def _update_generator(sagan, real_labels, randomness):
    generator = sagan.generator
    variables = generator.trainable_weights

    def loss_and_gradients(latents, labels, numbers):
        def loss_twice():
            fake_images = generator((latents, labels), training=True)
            # `training=False` holds the discriminator's power iterations, which advance with its
            # own updates only.
            seen_images = _augment(sagan, fake_images, numbers, 0)
            fake_logits = sagan.discriminator((seen_images, labels), training=False)
            loss = sagan.adversarial_loss.generator(fake_logits)
            return loss, loss

        return backend.gradients(sagan, loss_twice, variables)

    real_labels = ops.split(real_labels, sagan.accumulation_steps)
    latents, labels = randomness.latents(), _labels_to_generate(sagan, real_labels, randomness)
    inputs = latents, labels, randomness.augmentation(of=1)
    loss, gradients = _mean_over_slices(loss_and_gradients, *inputs)
    _apply(sagan, sagan.generator_optimizer, gradients, variables)
    return loss


def _mean_over_slices(function, *inputs):
    """Averages what `function` returns for one item of each input, one slice after the other."""
    total = None
    for slice_ in zip(*inputs, strict=True):
        # The next slice waits for the gradients of the one before, so its memory can be reused.
        with backend.after(tree.flatten(total) if total is not None else []):
            result = function(*slice_)
            total = result if total is None else tree.map_structure(operator.add, total, result)
    return tree.map_structure(lambda tensor: tensor / len(inputs[0]), total)


def _apply(sagan, optimizer, gradients, variables):
    if sagan.global_clipnorm is not None:
        gradients = backend.clip_by_global_norm(backend.all_mean(gradients), sagan.global_clipnorm)
    optimizer.apply(_scale_for_sum(gradients, backend.num_replicas()), variables)


def _scale_for_sum(gradients, replicas):
    """Makes the sum over replicas, which Keras optimizers take, the mean."""
    if replicas == 1:
        return gradients
    return [gradient / replicas for gradient in gradients]


def average_decay(ema_decay, step):
    """Lowers the decay of the average at first, so that it forgets the initial weights."""
    return ops.minimum(ema_decay, (1.0 + step) / (10.0 + step))


def _update_average(sagan):
    # The optimizer has counted this step already.
    decay = average_decay(sagan.ema_decay, ops.cast(_step(sagan) - 1, "float32"))
    for weight, average in zip(sagan.generator.weights, sagan.ema_generator.weights, strict=True):
        if weight.trainable:
            average.assign_sub((1.0 - decay) * (average - weight))
        else:
            average.assign(weight)


class StepRandomness:
    """The random numbers of one step, in the order in which they are asked for.

    They are a function of the model's seed, the step and the number of the draw, and of nothing
    else, so a resumed run draws what it would have drawn. Each draw is made for all slices and
    replicas together; a method returns the part of this replica as a list with one tensor per
    slice. All begin as Philox integers, which are the same on every device, under XLA and on JAX;
    TensorFlow's own uniform and normal numbers are not. After `held_out` images of an evaluation
    there are numbers of their own, whatever the step, in one slice.
    """

    def __init__(self, sagan, images_per_slice, held_out=None):
        self._sagan = sagan
        self._size = images_per_slice
        self._draws = self._augmentation_draws = 0
        if held_out is None:
            self._slices, stream, step = sagan.accumulation_steps, 0, _step(sagan)
        else:
            self._slices, stream, step = 1, 1, held_out
        self._seed = backend.fold_in((sagan.seed, stream), step)

    def latents(self):
        slices = self.uniform((self._sagan.generator.latent_dim,))
        return [backend.inverse_normal(numbers) for numbers in slices]

    def labels(self):
        return self._integers((), self._sagan.generator.num_classes or 1)

    def uniform(self, shape):
        """Draws numbers in (0, 1), in steps of 2**-24 that float32 holds exactly."""
        return _uniform(self._integers(shape, 2**23))

    def augmentation(self, of):
        """Draws the numbers by which `of` images are augmented, such as a real and a fake one.

        A slice has shape `(batch, of, augmentations, NUMBERS)`; without augmentation it is `None`.
        These draws have negative numbers, so that augmentation changes no other draw.
        """
        sagan = self._sagan
        if not sagan.augmentation:
            return [None] * self._slices
        self._augmentation_draws -= 1
        shape = (of, len(sagan.augmentation), NUMBERS)
        return _uniform(self._integers(shape, 2**23, self._augmentation_draws))

    def _integers(self, shape, bound, draw=None):
        if draw is None:
            draw = self._draws
            self._draws += 1
        parts = (self._slices, backend.num_replicas())
        everything = backend.random_integers(
            backend.fold_in(self._seed, draw), (*parts, self._size, *shape), bound
        )
        return ops.unstack(everything[:, backend.replica_index()], self._slices)


def _uniform(slices):
    return [(2.0 * ops.cast(numbers, "float32") + 1.0) / 2**24 for numbers in slices]
