"""The generator, the discriminator and the game between them."""

import dataclasses

import keras
import numpy as np

from sagan_tf.config import Config, ModelConfig, Recipe
from sagan_tf.labels import check_class_weights, check_labels, repeat_labels
from sagan_tf.models.adversarial_model import AdversarialModel
from sagan_tf.models.build import describe_networks, make_networks
from sagan_tf.models.copies import with_standing_statistics
from sagan_tf.models.model_folder import (
    check_weights,
    find_model,
    read_config,
    read_weights,
    write_preset,
)
from sagan_tf.models.presets import PRESETS
from sagan_tf.models.sampling import draw_inputs, run_generator, run_in_batches
from sagan_tf.models.transfer import transfer_weights

# What a model knows of itself beside its networks, as the fields of a `Config`.
_DESCRIPTION = ("recipe", "reference", "class_names")


@keras.saving.register_keras_serializable(package="sagan_tf")
class SAGAN(AdversarialModel):
    """Self-Attention GAN: train with `fit`, sample with `generate`.

    Args:
        generator: A `Generator`.
        discriminator: A `Discriminator` for the same images and classes.
        ema_decay: float in [0, 1), decay of the exponential moving average of the generator's
            trainable weights; its other weights are copied. Defaults to `0.999`.
        discriminator_steps: int, discriminator updates per step; a batch given to `train_step`
            is split into as many parts. Defaults to `1`.
        seed: int, of the latents, labels and penalties of training, which are a function of it
            and of the step. It is at least 0. Defaults to `0`.
        **kwargs: `name`.

    Attributes:
        recipe: The `Recipe` by which the model is trained, `None` if it is not known.
        class_names: Tuple of the classes' names in the order of the labels, `None` if they are
            not known.
        reference: str, the source of the numbers. All three travel with the weights.

    Raises:
        ValueError: if an argument is out of range, or the networks do not fit each other.

    Example:

    ```python
    sagan = sagan_tf.SAGAN(generator, discriminator)
    sagan.compile()
    sagan.fit(dataset, steps_per_epoch=1000)
    images = sagan.generate(labels=[3, 7], seed=0)  # (2, height, width, channels) in [-1, 1]
    ```

    Reference:
        [Zhang et al., 2019](https://arxiv.org/abs/1805.08318).
    """

    def __init__(
        self, generator, discriminator, ema_decay=0.999, discriminator_steps=1, seed=0, **kwargs
    ):
        super().__init__(**kwargs)
        for name in ("image_size", "channels", "num_classes", "attention_layer"):
            ours, theirs = getattr(generator, name), getattr(discriminator, name)
            if ours != theirs:
                raise ValueError(
                    f"Generator and discriminator must have the same `{name}`. "
                    f"Received: {ours} and {theirs}"
                )
        ModelConfig(ema_decay=ema_decay, discriminator_steps=discriminator_steps)  # checks them
        self.generator = generator
        self.discriminator = discriminator
        self.ema_decay = ema_decay
        self.discriminator_steps = discriminator_steps
        self.seed = Recipe(seed=int(seed) if isinstance(seed, np.integer) else seed).seed
        self.recipe = None
        self.class_names = None
        self.reference = ""
        self.ema_generator = type(generator).from_config(
            {**generator.get_config(), "name": "ema_generator"}
        )
        self.ema_generator.set_weights(generator.get_weights())
        self.ema_generator.trainable = False
        self._make_trackers(self.gates)
        self.built = True

    @property
    def gates(self):
        """Dict from `"generator_gate_<resolution>"`, and the discriminator's, to the gates."""
        return {
            f"{network}_{name.replace('attention', 'gate')}": gate
            for network in ("generator", "discriminator")
            for name, gate in getattr(self, network).gates.items()
        }

    def call(self, inputs, training=False):
        """Images of the averaged generator, for `(latents, labels)`."""
        return self.ema_generator(inputs, training=training)

    def generate(
        self,
        labels=None,
        num_images=None,
        truncation=1.0,
        seed=None,
        use_ema=True,
        return_attention=False,
        latents=None,
    ):
        """Draws images.

        Args:
            labels: Sequence of ints in `[0, num_classes)`, or of names of classes, one per image;
                fewer than `num_images` are repeated in turn, and one alone is a sequence of one.
                A float array `(num_images, num_classes)` mixes classes by weights whose sum is 1.
                `None` draws them uniformly.
            num_images: int. Defaults to the number of latents, of labels, or 16.
            truncation: float in (0, 1], factor of the latents: less varied, more typical images.
                Defaults to `1.0`.
            seed: int, at least 0; the same seed gives the same latents and labels, and more images
                continue fewer. `None` draws a new one.
            use_ema: bool, whether to use the averaged weights. Defaults to `True`.
            return_attention: bool, whether to return the attention maps as well. Defaults to
                `False`.
            latents: Float array `(num_images, latent_dim)` to use; `None` draws them.

        Returns:
            Float32 array `(num_images, height, width, channels)` in [-1, 1]. With
            `return_attention` a tuple of it and a dict from `"attention_<resolution>"` to float32
            arrays `(num_images, resolution^2, resolution^2 / 4)`.

        Raises:
            ValueError: if an argument is out of range.
        """
        inputs = self._inputs(labels, num_images, truncation, seed, use_ema, latents)
        return run_generator(*inputs, return_attention)

    def generate_batches(
        self, labels=None, num_images=None, truncation=1.0, seed=None, use_ema=True
    ):
        """Draws the images of `generate`, a part at a time; see there for the arguments.

        Memory does not grow with their number, but for the latents.

        Returns:
            Iterator of `(images, labels)`: float32 `(count, height, width, channels)` in [-1, 1],
            and int32 `(count,)`, all 0 for an unconditional model; or weights, if these are
            given. The count is at most 64.

        Raises:
            ValueError: if an argument is out of range.
        """
        network, latents, labels = self._inputs(labels, num_images, truncation, seed, use_ema)
        parts = run_in_batches(network, latents, labels)
        return ((images, labels[part]) for part, images in parts)

    def _inputs(self, labels, num_images, truncation, seed, use_ema, latents=None):
        """The network that is to draw, the latents and the labels; see `generate`."""
        if labels is not None and np.ndim(labels) == 0:
            labels = [labels]
        given = latents if latents is not None else labels
        if num_images is None:
            num_images = 16 if given is None else len(given)
        if num_images < 0:
            raise ValueError(f"`num_images` must not be negative. Received: {num_images=}")
        if not 0 < truncation <= 1:
            raise ValueError(f"`truncation` must be in (0, 1]. Received: {truncation=}")
        if seed is not None and seed < 0:
            raise ValueError(f"`seed` must be at least 0. Received: {seed=}")
        drawn_latents, drawn_labels = draw_inputs(self.generator, num_images, seed)
        latents = drawn_latents if latents is None else np.asarray(latents)
        if latents.shape != drawn_latents.shape:
            raise ValueError(
                f"`latents` must have shape {drawn_latents.shape}. Received: {latents.shape}"
            )
        if labels is None:
            labels = drawn_labels
        elif np.ndim(labels) == 2:
            labels = check_class_weights(labels, num_images, self.generator.num_classes)
        else:
            labels = check_labels(labels, self.generator.num_classes, self.class_names)
            labels = repeat_labels(labels, num_images)
        network = self.ema_generator if use_ema else self.generator
        return network, truncation * latents, labels

    def recalibrate(self, num_batches=16, truncation=1.0, seed=None):
        """Gives the averaged generator batch-norm statistics that fit its weights.

        Those that it copies in training are of the generator's weights, not of their average. Here
        they become the means over batches of 64; see `with_standing_statistics`.

        Args:
            num_batches: int, at least 1. Defaults to `16`.
            truncation: float in (0, 1], factor of the latents. Defaults to `1.0`.
            seed: int, seed of latents and labels. Defaults to `None`, that of the model.
        """
        seed = self.seed if seed is None else seed
        copy = with_standing_statistics(self.ema_generator, num_batches, truncation, seed)
        self.ema_generator.set_weights(copy.get_weights())

    def save_preset(self, directory):
        """Writes `config.json` and `model.weights.h5`, the average included, into a folder."""
        write_preset(self, directory)

    def export(self, filepath, *args, **kwargs):
        """Says what exports a generator: a `keras.Model` does not know its signatures."""
        raise NotImplementedError(
            f"Use `sagan_tf.export.export_saved_model(sagan, {str(filepath)!r})`, or "
            "`export_lite` for phones"
        )

    @classmethod
    def from_preset(cls, preset_name, load_weights=True, **changes):
        """A model from a named preset, a model folder, or the folder of a run.

        Args:
            preset_name: str, such as `"sagan_digits_16"`; or the path of a folder that
                `save_preset` wrote, of a run, for what came out of it if it is finished and for the
                newest of its checkpoints otherwise, or of one of its checkpoints.
            load_weights: bool, whether to load the weights; without, they are random. Defaults to
                `True`.
            **changes: Fields of `ModelConfig` to change, such as `num_classes`. The weights that
                still fit are taken, see `transfer_weights`, which says which they are.

        Raises:
            ValueError: if there is no such model, it has no weights though they are asked for, its
                files are damaged, or a change is out of range.
        """
        if not load_weights and str(preset_name) in PRESETS:
            sagan = cls.from_settings(PRESETS[preset_name])
        else:
            sagan = cls._from_folder(preset_name, load_weights)
        config = sagan.config
        model = config.model.replace(**changes)
        if model == config.model:
            return sagan
        names = config.class_names if model.num_classes == config.model.num_classes else None
        config = dataclasses.replace(config, model=model, class_names=names)
        changed = cls.from_settings(config, sagan.seed)
        if load_weights:
            transfer_weights(sagan, changed)
        return changed

    @classmethod
    def _from_folder(cls, name, load_weights):
        made = None
        while True:
            directory = find_model(name)
            try:
                config, state = (check_weights if load_weights else read_config)(directory)
                # To make the networks takes longer than a checkpoint may be there.
                if made != (config, state["seed"]):
                    made, sagan = (config, state["seed"]), cls.from_settings(config, state["seed"])
                if load_weights:
                    read_weights(sagan, directory)
                return sagan
            except ValueError:
                # A run that is going on removes its older checkpoints: there is a newer one.
                if directory.exists():
                    raise

    @classmethod
    def from_settings(cls, config, seed=None):
        """A model with random weights.

        Args:
            config: A `Config`.
            seed: int, seed of training. Defaults to `None`, that of the recipe, or 0.
        """
        model = config.model
        if seed is None:
            seed = config.recipe.seed if config.recipe else 0
        sagan = cls(*make_networks(model), model.ema_decay, model.discriminator_steps, seed)
        sagan._describe(config)
        return sagan

    def _describe(self, config):
        for name in _DESCRIPTION:
            setattr(self, name, getattr(config, name))

    @property
    def config(self):
        """The `Config` from which `from_settings` makes such a model."""
        model = describe_networks(self.generator, self.discriminator).replace(
            ema_decay=self.ema_decay, discriminator_steps=self.discriminator_steps
        )
        return Config(model, self.recipe, self.reference, self.class_names)

    def without_optimizers(self):
        """A `keras.Model` of the three networks, for files of weights without optimizers."""
        networks = keras.Model(name=self.name)
        for name in ("generator", "discriminator", "ema_generator"):
            setattr(networks, name, getattr(self, name))
        networks.built = True
        return networks

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        described = self.config.to_dict()
        return {
            **super().get_config(),
            "generator": serialize(self.generator),
            "discriminator": serialize(self.discriminator),
            "ema_decay": self.ema_decay,
            "discriminator_steps": self.discriminator_steps,
            "seed": self.seed,
            # Keras keeps the flag of whole networks, not that of their layers.
            "frozen_blocks": [
                index
                for index, block in enumerate(self.discriminator.blocks)
                if not block.trainable
            ],
            **{name: described[name] for name in _DESCRIPTION},
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        deserialize = keras.saving.deserialize_keras_object
        networks = {
            name: deserialize(config[name], custom_objects=custom_objects)
            for name in ("generator", "discriminator")
        }
        config = {"frozen_blocks": (), **config, **networks}
        frozen = config.pop("frozen_blocks")
        description = {name: config.pop(name) for name in _DESCRIPTION if name in config}
        sagan = cls(**config)
        for index in frozen:
            sagan.discriminator.blocks[index].trainable = False
        sagan._describe(Config.from_dict({**sagan.config.to_dict(), **description}))
        return sagan
