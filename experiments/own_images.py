"""Settings for a folder of images, chosen by what lies in it and by the machine."""

import dataclasses
import io
import statistics

from absl import flags
from PIL import Image

from experiments import program, settings_flags, training_flags
from sagan_tf.config import Recipe
from sagan_tf.data.catalog import check_dataset, means_folder
from sagan_tf.data.decoding import FORMATS
from sagan_tf.data.image_folder import ImageFolder
from sagan_tf.models.architecture import architecture
from sagan_tf.models.model_folder import bundled_path
from sagan_tf.models.presets import PRESETS

FLAGS = flags.FLAGS
SIZES = (128, 64, 32, 16)
LARGEST_ON_CPU = 64
MINUTES = 30.0
FEW = 60_000
"""Up to so many images are augmented. Karras et al. (2020, arXiv 2006.06676) found CIFAR-10, which
has so many, to be limited data; Zhao et al. (2020, arXiv 2006.10738) found all of it to gain. The
probability adapts, and stays at 0 while the discriminator does not overfit."""

_LOOKED_AT = 200
# It was made for short runs on two CPU cores.
_QUICK = "sagan_digits_16"


@dataclasses.dataclass(frozen=True)
class Survey:
    """What is known of a folder of images.

    Attributes:
        count: int, number of images.
        sides: Tuple of ints, the shorter sides of those that were looked at.
        is_gray: bool, whether all of these are stored without colors.
    """

    count: int
    sides: tuple[int, ...]
    is_gray: bool


def chosen_config(directory=None):
    """The `Config` for a folder of images where no flag names a preset or other weights.

    What flags say is taken. All else is that of the run in the folder `directory`, or is chosen.

    Returns:
        `(config, adapt_classes, lines)`: what `training_flags.chosen_config` returns, and a list of
        the lines that say what was chosen; `None` if the flags decide without a choice.

    Raises:
        ValueError: if the folder holds no image that can be read.
    """
    is_open = FLAGS["preset"].using_default_value and FLAGS.init_from is None
    if not is_open or FLAGS.dataset is None:
        return None
    check_dataset(FLAGS.dataset)
    if not means_folder(FLAGS.dataset):
        return None
    given = training_flags.chosen_settings()
    recorded = directory and training_flags.to_go_on(directory)
    if recorded:
        lines = [f"Settings that no flag names are those of {directory / 'config.json'}"]
        return recorded.override(**given), False, lines
    survey = look_at(ImageFolder(FLAGS.dataset, given.get("split", "train")))
    accelerator = program.has_nvidia_gpu() or FLAGS.tpu is not None
    base, choices = choose(survey, accelerator, given)
    machine = "an accelerator" if accelerator else "a CPU"
    lines = [f"Chosen for {survey.count} images and {machine}; each flag changes what it names:"]
    for name, (value, reason) in choices.items():
        text = f"--{name}={settings_flags.text_of(value).strip('()')}"
        lines.append(f"  {text:44} {reason}")
    lines.append(f"The learning rates and all else are those of {base}.")
    chosen = {name: value for name, (value, _) in choices.items()}
    config = PRESETS[base].override(**{"steps": Recipe().steps, **chosen, **given})
    reference = f"Chosen for {survey.count} images and {machine}, after {base}."
    return dataclasses.replace(config, reference=reference), "num_classes" not in given, lines


def look_at(source):
    """The `Survey` of an `ImageFolder`, by the headers of at most 200 of its images."""
    sides, modes = [], set()
    for index in range(0, len(source), -(-len(source) // _LOOKED_AT)):
        try:
            encoded = io.BytesIO(source.read(index).encoded)
            with Image.open(encoded, formats=FORMATS) as image:
                sides.append(min(image.size))
                modes.add(image.mode)
        except Exception:  # Broken bytes raise anything; what is broken is said in training.
            continue
    if not sides:
        raise ValueError(f"None of the images in {source.name} that were looked at can be read")
    return Survey(len(source), tuple(sides), all(mode[0] in "1LI" for mode in modes))


def choose(survey, accelerator, given):
    """Chooses what `given` leaves open.

    Args:
        survey: A `Survey`.
        accelerator: bool, whether there is a GPU or TPU.
        given: Dict from the names of settings to the values that stay as they are.

    Returns:
        `(base, choices)`: the name of the preset that decides all else, and a dict from the names
        of settings to pairs of a value and the reason for it, a sentence.
    """
    half = statistics.median_high(survey.sides)
    sizes = [size for size in SIZES if accelerator or size <= LARGEST_ON_CPU]
    size = next((size for size in sizes if size <= half), SIZES[-1])
    bound = f", and a CPU has time for {LARGEST_ON_CPU}" if half >= 2 * size > sizes[0] else ""
    reason = f"Half of {len(survey.sides)} images are at least {half} pixels wide and high{bound}."
    choices = {"image_size": (size, reason)}
    colors = "The images are gray." if survey.is_gray else "The images have colors."
    choices["channels"] = (1 if survey.is_gray else 3, colors)
    size = given.get("image_size", size)
    origin = _nearest_bundled(size, given.get("channels", choices["channels"][0]))
    if origin:
        choices["init_from"] = (origin, "Its weights know something of such images.")
    elif accelerator:
        width = 64 if size <= 64 else 32
        choices["base_channels"] = (width, "It is the unit of the networks' widths.")
        choices["batch_size"] = (64, "It leaves room in the memory of most GPUs.")
        choices["ema_decay"] = (0.999, "The average of the weights is to follow a short run.")
    else:
        choices["base_channels"] = (16, "A CPU has time for networks of these widths.")
        choices["batch_size"] = (32, "A CPU has time for so many images per update.")
    if survey.count <= FEW:
        policy = ("color", "translation", "cutout")
        choices["augmentation"] = (policy, f"There are at most {FEW:,} images.")
    has_sign = given.get("loss", "hinge") in ("hinge", "non_saturating")
    if has_sign and given.get("augmentation", survey.count <= FEW):
        reason = "Its probability grows only while the discriminator overfits."
        choices["adaptive_augmentation"] = (True, reason)
    if "steps" not in given:
        choices["max_minutes"] = (MINUTES, "The run ends then; more make better images.")
    choices["flip"] = (False, "With --flip each image counts as its mirror image too.")
    base = origin or ("sagan_imagenet_64" if accelerator else _QUICK)
    return base, {name: choice for name, choice in choices.items() if name not in given}


def _nearest_bundled(image_size, channels):
    """The preset with weights, of as many channels, that is nearest in size; `None` if all are far.

    Beyond twice or half the size most of its layers are of other resolutions, and where networks
    begin with other widths, of other shapes.
    """
    width = architecture(image_size).generator_widths[0]
    near = {
        name: max(preset.model.image_size, image_size) / min(preset.model.image_size, image_size)
        for name, preset in PRESETS.items()
        if preset.model.channels == channels
        and architecture(preset.model.image_size).generator_widths[0] == width
        and bundled_path(name)
    }
    name = min(near, key=near.__getitem__, default=None)
    return name if name and near[name] <= 2 else None
