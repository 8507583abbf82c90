"""Configurations as frozen dataclasses: strict, flat and readable as JSON."""

import ast
import dataclasses
import difflib


def setting(default, help, *, choices=None, minimum=None, above=None, maximum=None, below=None):
    """A field of a `Settings` class, with all that checks, messages and flags need to know of it.

    Args:
        default: Default value.
        help: str, a sentence that says what the setting is. Its range is added to it.
        choices: Sequence of the values that are allowed. Defaults to `None`, any.
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
            (choices is None or value in choices)
            and (minimum is None or value >= minimum)
            and (above is None or value > above)
            and (maximum is None or value <= maximum)
            and (below is None or value < below)
        )

    return dataclasses.field(
        default=default, metadata={"help": help, "rule": rule, "allowed": allowed}
    )


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
                rule += " or None" if field.default is None else ""
                raise ValueError(f"`{field.name}` must be {rule}. Received: {value}")

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
class ModelConfig:
    """What the networks are. The fields are arguments of `Generator`, `Discriminator`, `SAGAN`."""

    image_size: int = 128
    channels: int = 3
    num_classes: int | None = 1000
    base_channels: int = 64
    latent_dim: int = 128
    attention_resolutions: tuple[int, ...] | None = None
    spectral_norm: bool = True
    ema_decay: float = 0.999


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """How they are trained.

    Attributes:
        dataset: `"digits"`, the name of a TFDS data set or the path of an image folder.
        split: Its split, or a slice of one.
        skip_corrupt: Whether to replace images that cannot be read.
        num_images: Of the split, `None` until it is opened: another number has another order.
        steps: Generator updates.
        batch_size: Real images per discriminator update, over all replicas.
        discriminator_steps: Discriminator updates per generator update.
        loss: `"hinge"`, `"wasserstein"`, `"non_saturating"` or `"least_squares"`.
        penalty: `None`, `"gradient_penalty"` or `"r1"`.
        penalty_weight: Factor of the penalty.
        accumulation_steps: Slices into which an update divides its batch, to save memory.
        global_clipnorm: Bound of the norm of an update's gradients, `None` for none.
        generator_learning_rate: Adam's learning rate.
        discriminator_learning_rate: Adam's learning rate.
        learning_rate_schedule: `"constant"`, or `"linear"` decay to zero at the end of the run.
        beta_1: Adam's, for both networks.
        beta_2: Adam's, for both networks.
        flip: Whether to flip real images at random, left to right.
        precision: `"float32"` or `"mixed_bfloat16"`.
        seed: Of everything random.
    """

    dataset: str = "digits"
    split: str = "train"
    skip_corrupt: bool = False
    num_images: int | None = None
    steps: int = 100_000
    batch_size: int = 64
    discriminator_steps: int = 1
    loss: str = "hinge"
    penalty: str | None = None
    penalty_weight: float = 10.0
    accumulation_steps: int = 1
    global_clipnorm: float | None = None
    generator_learning_rate: float = 1e-4
    discriminator_learning_rate: float = 4e-4
    learning_rate_schedule: str = "constant"
    beta_1: float = 0.0
    beta_2: float = 0.9
    flip: bool = False
    precision: str = "float32"
    seed: int = 0

    def __post_init__(self):
        if self.precision not in ("float32", "mixed_bfloat16"):
            raise ValueError(
                f"`precision` must be float32 or mixed_bfloat16. Received: {self.precision}"
            )
        if not 0 <= self.seed < 2**31:
            raise ValueError(f"`seed` must be in [0, 2**31). Received: {self.seed}")
        if self.learning_rate_schedule not in ("constant", "linear"):
            raise ValueError(
                "`learning_rate_schedule` must be constant or linear. "
                f"Received: {self.learning_rate_schedule}"
            )
        for name in ("steps", "batch_size", "discriminator_steps", "accumulation_steps"):
            if getattr(self, name) < 1:
                raise ValueError(f"`{name}` must be at least 1. Received: {getattr(self, name)}")
        for name in ("generator_learning_rate", "discriminator_learning_rate"):
            if not getattr(self, name) > 0:
                raise ValueError(f"`{name}` must be positive. Received: {getattr(self, name)}")
        if self.global_clipnorm is not None and not self.global_clipnorm > 0:
            raise ValueError(
                f"`global_clipnorm` must be positive or None. Received: {self.global_clipnorm}"
            )
        for name in ("beta_1", "beta_2"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"`{name}` must be in [0, 1). Received: {getattr(self, name)}")


@dataclasses.dataclass(frozen=True)
class Config:
    """A model and its training, with where the numbers come from."""

    model: ModelConfig
    training: TrainingConfig
    source: str = ""

    def override(self, **changes):
        """A copy with some fields of the model or the training changed, by their flat names.

        Raises:
            ValueError: for an unknown name (with the nearest valid ones) or a value out of range.
            TypeError: for a value of the wrong type.
        """
        parts = {}
        for part in (self.model, self.training):
            names = {field.name for field in dataclasses.fields(part)}
            mine = {name: changes.pop(name) for name in list(changes) if name in names}
            parts[type(part)] = _replace(part, mine)
        if changes:
            raise unknown_name("configuration key", next(iter(changes)), self.keys())
        return dataclasses.replace(self, model=parts[ModelConfig], training=parts[TrainingConfig])

    def override_text(self, assignments):
        """Like `override`, for `"key=value"` texts whose values are Python literals or names.

        Raises:
            ValueError: for an unknown key, or a value that its key cannot have.
        """
        changes = {}
        for assignment in assignments:
            key, separator, text = assignment.partition("=")
            if not separator:
                raise ValueError(f"Expected key=value. Received: {assignment}")
            try:
                changes[key] = ast.literal_eval(text)
            except (ValueError, SyntaxError):
                changes[key] = text
        try:
            return self.override(**changes)
        except TypeError as error:
            raise ValueError(str(error)) from error

    def to_dict(self):
        """`{"model": {...}, "training": {...}, "source": ...}`, ready for JSON."""
        return dataclasses.asdict(self)

    @staticmethod
    def keys():
        """All flat names that `override` takes."""
        return [
            field.name
            for part in (ModelConfig, TrainingConfig)
            for field in dataclasses.fields(part)
        ]


def unknown_name(kind, name, valid):
    """The ValueError for a name that is not one of `valid`: nearest first, then all."""
    near = difflib.get_close_matches(str(name), valid, n=3)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    return ValueError(f"Unknown {kind}: {name}.{hint} Valid: {', '.join(sorted(valid))}")


def _replace(part, changes):
    fields = {field.name: field.type for field in dataclasses.fields(part)}
    checked = {name: _checked(name, value, fields[name]) for name, value in changes.items()}
    return dataclasses.replace(part, **checked)


def _checked(name, value, annotation):
    """`value` as the annotation wants it: an int is a fine float, a list a fine tuple."""
    if annotation in (float, float | None) and type(value) is int:
        return float(value)
    if annotation == tuple[int, ...] | None:
        value = (value,) if type(value) is int else value
        is_tuple = isinstance(value, (tuple, list)) and all(type(item) is int for item in value)
        if value is None or is_tuple:
            return value if value is None else tuple(value)
    elif isinstance(value, annotation) and (type(value) is not bool or annotation is bool):
        return value
    expected = getattr(annotation, "__name__", None) or str(annotation)
    raise TypeError(f"`{name}` must be of type {expected}. Received: {value!r}")


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
