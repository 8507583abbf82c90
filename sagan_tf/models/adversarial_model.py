"""How Keras trains two networks that play against each other."""

import keras

from sagan_tf.config import Recipe
from sagan_tf.losses import LOSSES, AdversarialLoss
from sagan_tf.models.augmentation_probability import AugmentationProbability
from sagan_tf.models.optimizers import OptimizerPair, check_optimizers

STEP_METRICS = (
    "discriminator_loss",
    "generator_loss",
    "real_logits",
    "fake_logits",
    "real_variance",
    "fake_variance",
)
"""The metrics of a training step, in this order; those of the gates follow, and with adaptive
augmentation its probability, `"augmentation_probability"`."""


class AdversarialModel(keras.Model):
    """`compile`, `fit` and `evaluate` of a generator and a discriminator.

    A subclass sets `generator`, `discriminator`, `ema_generator` and what `SAGAN` documents, and
    then calls `_make_trackers`.

    Attributes:
        augmentation_probability: An `AugmentationProbability`, the state of adaptive augmentation;
            `None` without.
    """

    augmentation_probability = None

    def _make_trackers(self, gates):
        self._trackers = {name: keras.metrics.Mean(name) for name in (*STEP_METRICS, *gates)}

    @property
    def metrics(self):
        return list(self._trackers.values())

    def compile(
        self,
        generator_optimizer=None,
        discriminator_optimizer=None,
        loss="hinge",
        penalty=None,
        penalty_weight=10.0,
        accumulation_steps=1,
        global_clipnorm=None,
        augmentation=(),
        adaptive_augmentation=False,
        consistency_weight=0.0,
        label_distribution="uniform",
        **kwargs,
    ):
        """Configures training, and builds all its variables.

        Args:
            generator_optimizer: A Keras optimizer, or the name of one. Defaults to Adam with
                learning rate 1e-4, beta_1 0 and beta_2 0.9 (section 5 of the paper).
            discriminator_optimizer: The like, another object. Defaults to the same with 4e-4.
            loss: `"hinge"`, `"wasserstein"`, `"non_saturating"`, `"least_squares"`, or an
                `AdversarialLoss`, which a `.keras` file does not keep: its model is loaded without
                being compiled. Defaults to `"hinge"`.
            penalty: `None`, `"gradient_penalty"` (between real and fake images) or `"r1"` (at
                real images), added to the discriminator's loss. Defaults to `None`.
            penalty_weight: float, the penalty's factor. Defaults to `10.0`.
            accumulation_steps: int, slices into which each update divides its images to save
                memory. Their gradients are averaged and applied at once; the generator's batch
                norm and power iterations see, and move with, each slice. Defaults to `1`.
            global_clipnorm: float, bound of the norm of all gradients of an update together,
                averaged over replicas and slices; `None` for none. Defaults to `None`.
            augmentation: Sequence of `"color"`, `"translation"` and `"cutout"`, which happen in
                this order to all images that the discriminator sees in training, real and
                generated. Defaults to `()`. See `sagan_tf.losses.augmentation`.
            adaptive_augmentation: bool, whether each of them happens to an image with a
                probability only, which starts at 0 and grows while the discriminator overfits. This
                is judged by the sign of the logits of real images, so the loss must be one that
                makes them positive. Defaults to `False`, all happen to all images.
            consistency_weight: float, factor of the squared difference between the logits of
                augmented images and of the same images as they are, in the discriminator's loss.
                Defaults to `0.0`.
            label_distribution: `"uniform"`, or `"data"` for generated images of the classes of the
                real ones in the same batch, which are as frequent as in the data. Defaults to
                `"uniform"`.
            **kwargs: `run_eagerly`, `jit_compile` and `steps_per_execution` of `Model.compile`.

        Raises:
            TypeError: for an argument that only other Keras models have.
            ValueError: for an unknown loss, penalty, augmentation or distribution of labels, a
                value out of range, adaptive augmentation with the loss `"wasserstein"` or
                `"least_squares"`, consistency or adaptive augmentation without augmentation, an
                optimizer that itself accumulates or clips gradients (it would before they are
                averaged) or scales the loss, one optimizer for both networks, or networks in
                float16.
        """
        _check_arguments(loss, kwargs)
        recipe = Recipe(  # checks them
            loss=loss if isinstance(loss, str) else "hinge",
            penalty=penalty,
            penalty_weight=penalty_weight,
            accumulation_steps=accumulation_steps,
            global_clipnorm=global_clipnorm,
            augmentation=augmentation,
            adaptive_augmentation=adaptive_augmentation,
            consistency_weight=consistency_weight,
            label_distribution=label_distribution,
        )
        adam, get = keras.optimizers.Adam, keras.optimizers.get
        pair = OptimizerPair(
            get(generator_optimizer) or adam(1e-4, 0.0, 0.9),
            get(discriminator_optimizer) or adam(4e-4, 0.0, 0.9),
        )
        check_optimizers(pair, self)
        # Without `optimizer=None` Keras installs an RMSprop of its own.
        super().compile(optimizer=None, **kwargs)
        self.compiles_step = self.jit_compile
        if keras.backend.backend() == "tensorflow":
            # The step compiles what may be: Keras would take its checks along, which XLA drops.
            self.jit_compile = False
        self.optimizer = pair
        self.generator_optimizer, self.discriminator_optimizer = pair.both
        self.loss_name = loss if isinstance(loss, str) else None
        self.adversarial_loss = LOSSES[loss] if isinstance(loss, str) else loss
        self.penalty_name = penalty
        self.penalty_weight = penalty_weight
        self.accumulation_steps = accumulation_steps
        self.global_clipnorm = global_clipnorm
        self.augmentation = recipe.augmentation
        self.adaptive_augmentation = adaptive_augmentation
        self.consistency_weight = consistency_weight
        self.label_distribution = label_distribution
        self._make_augmentation_probability()
        # A distribution strategy cannot create variables inside the compiled step.
        self.generator_optimizer.build(self.generator.trainable_weights)
        self.discriminator_optimizer.build(self.discriminator.trainable_weights)

    def _make_augmentation_probability(self):
        name = "augmentation_probability"
        if not self.adaptive_augmentation:
            self._trackers.pop(name, None)
            return
        if self.augmentation_probability is None:
            self.augmentation_probability = AugmentationProbability()
        # Keras does not forget a layer that another one replaces.
        self.augmentation_probability.value.assign(0.0)
        self._trackers[name] = keras.metrics.Mean(name)

    def get_compile_config(self):
        if not self.compiled or self.loss_name is None:
            return None
        serialize = keras.optimizers.serialize
        return {
            "generator_optimizer": serialize(self.generator_optimizer),
            "discriminator_optimizer": serialize(self.discriminator_optimizer),
            "loss": self.loss_name,
            "penalty": self.penalty_name,
            "penalty_weight": self.penalty_weight,
            "accumulation_steps": self.accumulation_steps,
            "global_clipnorm": self.global_clipnorm,
            "augmentation": self.augmentation,
            "adaptive_augmentation": self.adaptive_augmentation,
            "consistency_weight": self.consistency_weight,
            "label_distribution": self.label_distribution,
        }

    def compile_from_config(self, config):
        optimizers = {
            name: keras.optimizers.deserialize(config[name])
            for name in ("generator_optimizer", "discriminator_optimizer")
        }
        self.compile(**{**config, **optimizers})

    @property
    def step(self):
        """int, number of generator updates so far; 0 before `compile`."""
        if not self.compiled:
            return 0
        if keras.backend.backend() == "jax":
            self.jax_state_sync()  # During `fit` Keras keeps the values elsewhere.
        return int(keras.ops.convert_to_numpy(self.generator_optimizer.iterations))

    # No property: Keras reads those of a model that it saves, which one worker alone may do.
    def images_seen(self):
        """Int32 scalar tensor, how many images the present evaluation has measured so far."""
        return keras.ops.cast(self._trackers["real_logits"].count, "int32")

    def train_step(self, *args):
        """Updates the discriminator `discriminator_steps` times, and the generator once.

        Args:
            *args: On TensorFlow `data`, `(images, labels)`, images of shape
                `(discriminator_steps * batch, height, width, channels)`, floats in [-1, 1] or
                uint8, labels ints of shape `(discriminator_steps * batch,)`; an unconditional model
                takes images alone too. On JAX `state` comes before, and the new one is returned
                with the metrics, as Keras does it there.
        """
        return _step().train_step(self, *args)

    def test_step(self, *args):
        """Measures the losses of held-out images of any number, and of as many fake ones.

        Evaluation draws the same latents and labels each time. Both networks are those that are
        trained, at inference, without the penalty. The arguments are those of `train_step`.
        """
        return _step().test_step(self, *args)

    def make_train_function(self, force=False):
        before = self.train_function
        super().make_train_function(force)
        if self.train_function is not before:
            self.train_function = _step().checked(self.train_function, self)

    def make_test_function(self, force=False):
        before = self.test_function
        super().make_test_function(force)
        if self.test_function is not before:
            self.test_function = _step().checked(self.test_function, self)

    def report(self, values, weight=None):
        """Takes measured values into the metrics; returns a dict of the means so far."""
        for name, value in values.items():
            self._trackers[name].update_state(value, weight)
        return {name: self._trackers[name].result() for name in self._trackers if name in values}


def _step():
    """The module of the backend's steps; it imports TensorFlow, or JAX, when training begins."""
    if keras.backend.backend() == "jax":
        from sagan_tf.models import jax_step as step
    else:
        from sagan_tf.models import tensorflow_step as step
    return step


def _check_arguments(loss, kwargs):
    if "optimizer" in kwargs:
        raise TypeError(
            "Two networks are trained, each by an optimizer of its own: pass `generator_optimizer` "
            "and `discriminator_optimizer` in place of `optimizer`"
        )
    for name in ("metrics", "weighted_metrics", "loss_weights"):
        if name in kwargs:
            raise TypeError(
                f"`{name}` has no meaning for a GAN, which has no targets: losses, logits and "
                "gates are measured in any case, and images are scored by "
                "`sagan_tf.evaluation.Evaluation`"
            )
    if not isinstance(loss, (str, AdversarialLoss)):
        raise TypeError(
            f"`loss` must be one of {', '.join(LOSSES)}, or a `sagan_tf.losses.AdversarialLoss` of "
            "two functions: of (real_logits, fake_logits) for the discriminator and of "
            f"(fake_logits) for the generator. Received: {loss!r}"
        )
