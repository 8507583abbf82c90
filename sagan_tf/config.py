"""Settings as frozen dataclasses, each declared once: name, type, default, range and help."""

import dataclasses
import difflib
import math
import typing

# Settings are fewer, classes may be thousands.
_LISTED = 60


def setting(default, help, *, choices=None, minimum=None, above=None, maximum=None, below=None):
    """A field of a `Settings` class, with all that checks, messages and flags need to know of it.

    Args:
        default: Default value.
        help: str, a sentence that says what the setting is. Its range is added to it.
        choices: Sequence of the values, or of the items of a tuple, that are allowed. Defaults to
            `None`, any.
        minimum: Least allowed number. Defaults to `None`, none.
        above: Number below all allowed ones. Defaults to `None`, none.
        maximum: Largest allowed number. Defaults to `None`, none.
        below: Number above all allowed ones. Defaults to `None`, none.

    Returns:
        A `dataclasses.Field`.
    """
    if choices is not None:
        rule = " or ".join(filter(None, (", ".join(map(str, choices[:-1])), str(choices[-1]))))
    elif maximum is None and below is None:
        rule = "" if minimum is None else f"at least {minimum}"
        rule = rule if above is None else f"more than {above}"
    else:
        start = f"[{minimum}" if above is None else f"({above}"
        rule = f"in {start}, {below})" if maximum is None else f"in {start}, {maximum}]"

    def allowed(value):
        return (
            (choices is None or all(item in choices for item in _items(value)))
            and (minimum is None or value >= minimum)
            and (above is None or value > above)
            and (maximum is None or value <= maximum)
            and (below is None or value < below)
        )

    metadata = {"help": help, "rule": rule, "choices": choices, "allowed": allowed}
    return dataclasses.field(default=default, metadata=metadata)


class Settings:
    """The base of frozen dataclasses of settings, which checks types and ranges.

    Fields are made by `setting`. An int is a fine float, and a list a fine tuple.

    Raises:
        TypeError: for a value of the wrong type.
        ValueError: for a value out of its range.
    """

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = _of_type(field, getattr(self, field.name))
            object.__setattr__(self, field.name, value)
            rule, allowed = field.metadata["rule"], field.metadata["allowed"]
            if value is not None and not allowed(value):
                if isinstance(value, (str, tuple)):
                    choices = field.metadata["choices"]
                    wrong = next(item for item in _items(value) if item not in choices)
                    raise unknown_name(field.name, wrong, choices)
                rule += " or None" if type(None) in typing.get_args(field.type) else ""
                raise ValueError(f"`{field.name}` must be {rule}. Received: {value}")
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"`{field.name}` must be finite. Received: {value}")

    def replace(self, **changes):
        """A copy with some fields changed.

        Raises:
            ValueError: for an unknown name (with the nearest valid ones) or a value out of range.
            TypeError: for a value of the wrong type.
        """
        names = [field.name for field in dataclasses.fields(self)]
        for name in changes:
            if name not in names:
                raise unknown_name("setting", name, names)
        return dataclasses.replace(self, **changes)

    def differences(self, other, there="there", here="here"):
        """Dict from the names of fields that differ from another's to texts that say how.

        Args:
            other: Settings of the same class, which are `there`.
            there: str, a word for where the others are.
            here: str, a word for where these are.
        """
        pairs = {
            field.name: (getattr(other, field.name), getattr(self, field.name))
            for field in dataclasses.fields(self)
        }
        return {
            name: f"{name}={theirs} {there}, {ours} {here}"
            for name, (theirs, ours) in pairs.items()
            if theirs != ours
        }


@dataclasses.dataclass(frozen=True)
class ModelConfig(Settings):
    """What a model is. The fields are arguments of `Generator`, `Discriminator` and `SAGAN`.

    The discriminator has the generator's `base_channels`, `attention_resolutions` and
    `spectral_norm` unless a field of its own says otherwise. Files that were written before a field
    was added are read with its default.
    """

    image_size: int = setting(128, "Height and width of the images: 16, 32, 64, 128 or 256.")
    channels: int = setting(3, "Channels of the images: 1 for grey, 3 for RGB.", choices=(1, 3))
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
        "digits", "Data set: digits, a TFDS name such as cifar10, or a folder of images."
    )
    split: str = setting("train", "Split of the data set, or a slice of one: train[:90%].")
    skip_corrupt: bool = setting(False, "Whether to replace images that cannot be read.")
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
        "Course of the learning rates; linear decays to zero at the end of the run.",
        choices=("constant", "linear"),
    )
    beta_1: float = setting(0.0, "Adam's beta_1, the same for both optimizers.", minimum=0, below=1)
    beta_2: float = setting(0.9, "Adam's beta_2, the same for both optimizers.", minimum=0, below=1)
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
        if not self.adaptive_augmentation:
            return
        if not self.augmentation:
            raise ValueError("`adaptive_augmentation` needs `augmentation`. Received: ()")
        if self.loss not in ("hinge", "non_saturating"):
            raise ValueError(
                "`adaptive_augmentation` goes by the sign of the logits of real images, and needs "
                f"`loss` hinge or non_saturating. Received: {self.loss}"
            )


@dataclasses.dataclass(frozen=True)
class RunOptions(Settings):
    """How a run is watched, kept and spread over devices. The result does not depend on it."""

    log_every: int = setting(50, "Steps between two records of the metrics.", minimum=1)
    sample_every: int = setting(500, "Steps between two sample grids.", minimum=1)
    checkpoint_every: int = setting(500, "Steps between two checkpoints.", minimum=1)
    evaluate_every: int = setting(
        0, "Steps between two evaluations; 0 for no evaluation.", minimum=0
    )
    evaluate_split: str | None = setting(
        None, "Split by which the run is scored, such as test; None for that of training."
    )
    keep: int = setting(3, "How many of the newest checkpoints are kept.", minimum=1)
    monitor: str | None = setting(
        None, "Metric or score, such as fid, by which the best checkpoint is kept as well."
    )
    mode: str = setting(
        "min", "Which value of the monitored score is best.", choices=("min", "max")
    )
    extend: bool = setting(False, "Whether a run may go on to more steps than it was begun with.")
    strategy: str = setting(
        "auto",
        "Devices on which to train. auto takes the TPU if one is named, the hosts of TF_CONFIG, "
        "all GPUs of this host, or one device.",
        choices=("auto", "none", "mirrored", "multiworker", "tpu"),
    )
    tpu: str | None = setting(None, "Name or address of a TPU; local on the TPU's own host.")
    steps_per_loop: int = setting(1, "Steps per call of TensorFlow.", minimum=1)
    data_dir: str | None = setting(None, "Folder of TFDS data sets.")
    download: bool = setting(
        False, "Whether a data set or a graph that is not there may be fetched."
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
        if not isinstance(content["reference"], str):
            raise TypeError("`reference` must be a string")
        if isinstance(names, str) or not all(isinstance(name, str) for name in names or ()):
            raise TypeError("`class_names` must be a list of strings")
        return cls(
            ModelConfig().replace(**content["model"]),
            None if recipe is None else Recipe().replace(**recipe),
            content["reference"],
            None if names is None else tuple(names),
        )


def unknown_name(kind, name, valid):
    """The ValueError for a name that is not one of `valid`: the nearest, then the others."""
    near = difflib.get_close_matches(str(name), valid, n=3)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    listed = ", ".join(sorted(valid)[:_LISTED])
    more = f" and {len(valid) - _LISTED} more" if len(valid) > _LISTED else ""
    return ValueError(f"Unknown {kind}: {name}.{hint} Valid: {listed}{more}")


def _items(value):
    return value if isinstance(value, tuple) else (value,)


def _of_type(field, value):
    if field.type in (float, float | None) and type(value) is int:
        return float(value)
    for item in (int, str):
        if field.type in (tuple[item, ...], tuple[item, ...] | None):
            value = (value,) if type(value) is item else value
            is_tuple = isinstance(value, (tuple, list)) and all(type(v) is item for v in value)
            if is_tuple or (value is None and field.type != tuple[item, ...]):
                return value if value is None else tuple(value)
            break
    else:
        is_bool = type(value) is bool
        if isinstance(value, field.type) and (not is_bool or field.type in (bool, bool | None)):
            return value
    expected = getattr(field.type, "__name__", None) or str(field.type)
    raise TypeError(f"`{field.name}` must be of type {expected}. Received: {value!r}")
