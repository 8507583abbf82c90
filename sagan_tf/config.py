"""What a model is, how it is trained, and how a run is watched: all settings, each once."""

import dataclasses

from sagan_tf.settings import Settings, setting, unknown_name

BEST_IF_LARGE = ("is", "precision", "recall", "density", "coverage", "recognized")
BEST_NEAR_ONE = ("diversity", "nearest_ratio")


@dataclasses.dataclass(frozen=True)
class ModelConfig(Settings):
    """What a model is. The fields are arguments of `Generator`, `Discriminator` and `SAGAN`.

    The discriminator has the generator's `base_channels`, `attention_resolutions` and
    `spectral_norm` unless a field of its own says otherwise. Files that were written before a field
    was added are read with its default.
    """

    image_size: int = setting(128, "Height and width of the images: 16, 32, 64, 128 or 256.")
    channels: int = setting(3, "Channels of the images: 1 for gray, 3 for RGB.", choices=(1, 3))
    num_classes: int | None = setting(
        1000, "Number of classes; None for an unconditional model.", minimum=1
    )
    base_channels: int = setting(64, "Unit of the networks' widths.", minimum=1)
    latent_dim: int = setting(128, "Size of the latent vectors.", minimum=1)
    attention_resolutions: tuple[int, ...] | None = setting(
        None, "Resolutions at which to attend; () for none, None for that of the image size."
    )
    attention_layer: str = setting(
        "self_attention",
        "Layer that stands where the networks attend; residual is a residual block with as many "
        "parameters, the control of the SAGAN paper, which has no attention maps.",
        choices=("self_attention", "residual"),
    )
    spectral_norm: bool = setting(True, "Whether kernels are spectrally normalized.")
    discriminator_base_channels: int | None = setting(
        None, "Unit of the discriminator's widths, if it is another one.", minimum=1
    )
    discriminator_attention_resolutions: tuple[int, ...] | None = setting(
        None, "Resolutions at which the discriminator attends, if they are others."
    )
    discriminator_spectral_norm: bool | None = setting(
        None, "Whether the discriminator's kernels are normalized, if that differs."
    )
    generator_widths: tuple[int, ...] | None = setting(
        None,
        "Channels of the generator's 4x4 map and of its blocks; None for multiples of its unit.",
    )
    discriminator_widths: tuple[int, ...] | None = setting(
        None, "Channels of the discriminator's blocks; None for multiples of its unit."
    )
    discriminator_downsampling: int | None = setting(
        None,
        "Number of the discriminator's blocks, its first ones, that halve the resolution; None for "
        "that of the image size.",
        minimum=1,
    )
    discriminator_attention_blocks: tuple[int, ...] | None = setting(
        None,
        "Numbers, from 1, of the discriminator's blocks after which to attend, where a resolution "
        "does not tell them apart.",
    )
    rectified_shortcut: bool = setting(
        False,
        "Whether the discriminator's shortcuts take max(x, 0), as code does whose ReLU works in "
        "place.",
    )
    batch_norm_epsilon: float = setting(1e-5, "What batch norm adds to the variance.", above=0)
    ema_decay: float = setting(
        0.999, "Decay of the average of the generator's weights.", minimum=0, below=1
    )
    discriminator_steps: int = setting(1, "Discriminator updates per generator update.", minimum=1)

    def of_discriminator(self):
        """A copy whose shared fields are the discriminator's own, where it has any."""
        own = {
            name: getattr(self, f"discriminator_{name}")
            for name in ("base_channels", "attention_resolutions", "spectral_norm")
        }
        return self.replace(**{name: value for name, value in own.items() if value is not None})


@dataclasses.dataclass(frozen=True)
class Recipe(Settings):
    """How a model is trained. The result is a function of these settings and of the model's."""

    dataset: str = setting(
        "digits",
        "Data set: digits, a TFDS name such as cifar10, or a folder or zip archive of images.",
    )
    split: str = setting("train", "Split of the data set, or a slice of one: train[:90%].")
    skip_corrupt: bool = setting(False, "Whether to replace images that cannot be read.")
    fit: str = setting(
        "crop",
        "How pictures that are no squares become one: crop takes the central square, pad lays the "
        "whole picture on a white one, stretch changes its proportions.",
        choices=("crop", "pad", "stretch"),
    )
    dataset_size: int | None = setting(
        None,
        "Number of images in the split. It is filled in when the data set is opened, and recorded "
        "because the order of the images depends on it.",
        minimum=1,
    )
    dataset_digest: str | None = setting(
        None,
        "Digest of the list of images, by which they are known wherever they lie. It is filled in "
        "when the data set is opened.",
    )
    steps: int = setting(100_000, "Generator updates.", minimum=1)
    max_minutes: float | None = setting(
        None,
        "Minutes of training after which a run ends as if it had reached its last step; None for "
        "no such end.",
        above=0,
    )
    batch_size: int = setting(
        64, "Real images per discriminator update, on all devices together.", minimum=1
    )
    loss: str = setting(
        "hinge",
        "Adversarial loss.",
        choices=("hinge", "wasserstein", "non_saturating", "least_squares"),
    )
    penalty: str | None = setting(
        None, "Penalty on the discriminator's gradients.", choices=("gradient_penalty", "r1")
    )
    penalty_weight: float = setting(10.0, "Factor of the penalty.", minimum=0)
    accumulation_steps: int = setting(
        1, "Slices into which an update divides its batch, to save memory.", minimum=1
    )
    global_clipnorm: float | None = setting(
        None, "Bound of the norm of an update's gradients; None for no bound.", above=0
    )
    generator_learning_rate: float = setting(1e-4, "Adam's learning rate.", above=0)
    discriminator_learning_rate: float = setting(4e-4, "Adam's learning rate.", above=0)
    learning_rate_schedule: str = setting(
        "constant",
        "Course of the learning rates; linear decays to zero at the end of the run: over its "
        "steps, or with max_minutes over its time.",
        choices=("constant", "linear"),
    )
    beta_1: float = setting(0.0, "Adam's beta_1, the same for both optimizers.", minimum=0, below=1)
    beta_2: float = setting(0.9, "Adam's beta_2, the same for both optimizers.", minimum=0, below=1)
    label_distribution: str = setting(
        "uniform",
        "Classes of the images that are generated in training: uniform at random, or as frequent "
        "as in the data.",
        choices=("uniform", "data"),
    )
    flip: bool = setting(False, "Whether to flip real images at random, left to right.")
    augmentation: tuple[str, ...] = setting(
        (),
        "Augmentations of all images that the discriminator sees in training, real and generated, "
        "such as color,translation,cutout for a small data set; () for none.",
        choices=("color", "translation", "cutout"),
    )
    adaptive_augmentation: bool = setting(
        False,
        "Whether each augmentation happens to an image with a probability only, which starts at 0 "
        "and grows while the discriminator overfits.",
    )
    consistency_weight: float = setting(
        0.0,
        "Factor of the squared difference between the discriminator's logits of augmented images "
        "and of the same images as they are, 10 in the literature; it doubles what the "
        "discriminator computes.",
        minimum=0,
    )
    precision: str = setting(
        "float32", "Precision of the computation.", choices=("float32", "mixed_bfloat16")
    )
    init_from: str | None = setting(
        None,
        "Preset, model folder or run whose weights the training begins with; what does not fit "
        "begins at random, and the optimizers begin anew.",
    )
    init_digest: str | None = setting(
        None, "Digest of those weights. It is filled in when the run begins."
    )
    freeze_discriminator: int = setting(
        0, "Number of the discriminator's blocks, its first ones, that are not trained.", minimum=0
    )
    seed: int = setting(
        0,
        "Seed of the weights, the data order, latents, labels, flips and augmentations.",
        minimum=0,
        below=2**31,
    )

    def __post_init__(self):
        super().__post_init__()
        if self.freeze_discriminator and not self.init_from:
            raise ValueError(
                "`freeze_discriminator` keeps blocks as they are in other weights, and needs "
                "`init_from`"
            )
        for name in ("adaptive_augmentation", "consistency_weight"):
            if getattr(self, name) and not self.augmentation:
                raise ValueError(f"`{name}` needs `augmentation`. Received: ()")
        if self.adaptive_augmentation and self.loss not in ("hinge", "non_saturating"):
            raise ValueError(
                "`adaptive_augmentation` goes by the sign of the logits of real images, and needs "
                f"`loss` hinge or non_saturating. Received: {self.loss}"
            )


@dataclasses.dataclass(frozen=True)
class RunOptions(Settings):
    """How a run is watched, kept and spread over devices.

    The model at a step does not depend on it; `patience` may end a run earlier.
    """

    log_every: int = setting(50, "Steps between two records of the metrics.", minimum=1)
    sample_every: int = setting(500, "Steps between two sample grids.", minimum=1)
    sample_minutes: float | None = setting(
        2.0, "Minutes after which a sample grid comes earlier; None for by steps only.", above=0
    )
    checkpoint_every: int = setting(500, "Steps between two checkpoints.", minimum=1)
    checkpoint_minutes: float | None = setting(
        5.0, "Minutes after which a checkpoint comes earlier; None for by steps only.", above=0
    )
    evaluate_every: int = setting(
        0, "Steps between two evaluations; 0 for no evaluation.", minimum=0
    )
    evaluate_split: str | None = setting(
        None,
        "Split by which the run is scored, such as test; None for what a slice leaves over, as "
        "train[90%:] of train[:90%], or else that of training.",
    )
    keep: int = setting(3, "How many of the newest checkpoints are kept.", minimum=1)
    monitor: str | None = setting(
        None,
        "Metric or score, such as fid, by which the best checkpoint is kept as well, and becomes "
        "the preset at the end.",
    )
    mode: str | None = setting(
        None,
        "Which value of what is monitored is best. None is for what is best of the score; of all "
        "else it is the least.",
        choices=("min", "max"),
    )
    patience: int | None = setting(
        None,
        "Evaluations without a better monitored score after which a run ends; None for no end.",
        minimum=1,
    )
    extend: bool = setting(
        False, "Whether a run may go on to more steps or minutes than it was begun with."
    )
    strategy: str = setting(
        "auto",
        "Devices on which to train. auto takes the TPU if one is named, the hosts of TF_CONFIG, "
        "all GPUs of this host, or one device.",
        choices=("auto", "none", "mirrored", "multiworker", "tpu"),
    )
    tpu: str | None = setting(None, "Name or address of a TPU; local on the TPU's own host.")
    steps_per_loop: int = setting(1, "Steps per call of TensorFlow or JAX.", minimum=1)
    data_dir: str | None = setting(None, "Folder of TFDS data sets.")
    decoded_dir: str | None = setting(
        None,
        "Folder in which the images of a data set of more than 1 GiB of pixels are kept decoded, "
        "for devices that are faster than decoding.",
    )
    download: bool = setting(
        False, "Whether a data set or a graph that is not there may be fetched."
    )

    @property
    def best(self):
        """`"min"` or `"max"`: which value of what is monitored is best."""
        return self.mode or ("max" if self.monitor in BEST_IF_LARGE else "min")

    def __post_init__(self):
        super().__post_init__()
        if self.mode is None and self.monitor in BEST_NEAR_ONE:
            raise ValueError(
                f"`monitor`: {self.monitor} is best near 1, neither the least nor the largest is: "
                "monitor another score, or say by `mode` which is to be kept"
            )
        if self.patience is not None and not (self.evaluate_every and self.monitor):
            raise ValueError(
                "`patience` counts evaluations, and needs `evaluate_every` and a score to "
                "`monitor`, such as fid"
            )


@dataclasses.dataclass(frozen=True)
class Config:
    """A model, how it was or is to be trained, and where the numbers come from.

    Attributes:
        model: A `ModelConfig`.
        recipe: A `Recipe`; `None` if it is not known.
        reference: str, the source of the numbers.
        class_names: Tuple of str, in the order of the labels; `None` if they are not known.
    """

    model: ModelConfig
    recipe: Recipe | None = None
    reference: str = ""
    class_names: tuple[str, ...] | None = None

    def __post_init__(self):
        if not isinstance(self.reference, str):
            raise TypeError(f"`reference` must be a string. Received: {self.reference!r}")
        names = self.class_names
        if isinstance(names, str) or not all(isinstance(name, str) for name in names or ()):
            raise TypeError(f"`class_names` must be a list of strings. Received: {names!r}")

    def override(self, **changes):
        """A copy with some settings of the model or the recipe changed, by their flat names.

        Raises:
            ValueError: for an unknown name (with the nearest valid ones) or a value out of range.
            TypeError: for a value of the wrong type.
        """
        parts = {"model": self.model, "recipe": self.recipe}
        for name, part in parts.items():
            names = {field.name for field in dataclasses.fields(part)}
            own = {key: changes.pop(key) for key in list(changes) if key in names}
            parts[name] = part.replace(**own)
        if changes:
            valid = [field.name for part in parts.values() for field in dataclasses.fields(part)]
            raise unknown_name("setting", next(iter(changes)), valid)
        return dataclasses.replace(self, **parts)

    def to_dict(self):
        """A dict of the fields, ready for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, content):
        """The `Config` that `to_dict` gave.

        Raises:
            KeyError, TypeError, ValueError: if something is missing, unknown or out of range.
        """
        recipe, names = content["recipe"], content["class_names"]
        return cls(
            ModelConfig().replace(**content["model"]),
            None if recipe is None else Recipe().replace(**recipe),
            content["reference"],
            tuple(names) if isinstance(names, list) else names,
        )
