"""What has to be stated for a score to mean something."""

import dataclasses

from sagan_tf.evaluation.metrics import METRICS
from sagan_tf.settings import Settings, setting, unknown_name

MAX_DEFAULT_IMAGES = 10_000


@dataclasses.dataclass(frozen=True)
class Protocol(Settings):
    """How images are drawn and compared.

    Raises:
        TypeError: if a value is of the wrong type.
        ValueError: if a value is out of range, or a metric unknown.
    """

    metrics: tuple[str, ...] | None = setting(
        None,
        "Metrics to compute; None for all that apply. There are "
        + ", ".join(f"{name} ({metric.help})" for name, metric in METRICS.items())
        + ".",
    )
    num_images: int | None = setting(
        None,
        f"Images to generate; None for as many as are real, at most {MAX_DEFAULT_IMAGES:,}.",
        minimum=2,
    )
    num_real_images: int | None = setting(
        None,
        "Real images to compare with, drawn at random without repetition; None for as many as are "
        "generated.",
        minimum=2,
    )
    labels_from: str = setting(
        "uniform",
        "Classes of the generated images: uniform at random, or those of the real images (data).",
        choices=("uniform", "data"),
    )
    truncation: float = setting(
        1.0,
        "Factor of the latents: a smaller one makes images less varied and more typical.",
        above=0,
        maximum=1,
    )
    ema: bool = setting(True, "Whether the averaged weights draw, not the raw ones.")
    standing_statistics: int = setting(
        0,
        "Batches of 64 from which batch norm takes its statistics; 0 for the moving averages of "
        "training.",
        minimum=0,
    )
    seed: int = setting(0, "Seed of latents, labels and choices of images.", minimum=0)
    splits: int = setting(10, "Parts of the Inception score.", minimum=1)
    num_subsets: int = setting(100, "Subsets of the kernel Inception distance.", minimum=1)
    subset_size: int = setting(
        1000,
        "Images of each kind in one of these subsets, but not more than half of those there are: "
        "subsets must differ for a deviation.",
        minimum=2,
    )
    neighbors: int = setting(
        5, "The number of neighbors, k, of precision, recall, density and coverage.", minimum=1
    )
    max_compared: int = setting(
        10_000,
        "Images of each kind whose features are kept, the first ones. KID, precision, recall, "
        "density, coverage and diversity are of these.",
        minimum=2,
    )
    allow_few_images: bool = setting(
        False, "Whether Gaussians may be fitted to fewer images than there are features."
    )

    def __post_init__(self):
        super().__post_init__()
        if self.metrics == ():
            raise ValueError(f"`metrics` must name some of {', '.join(METRICS)}. Received: none")
        for metric in self.metrics or ():
            if metric not in METRICS:
                raise unknown_name("metric", metric, METRICS)

    def for_data(self, name, num_available, num_classes):
        """The protocol with the numbers of images filled in.

        Args:
            name: str, what to call the data set in messages.
            num_available: int, number of its images.
            num_classes: int, classes of the generator; `None` for an unconditional one.

        Raises:
            ValueError: if there are too few real images, or a metric needs classes.
        """
        for metric in self.metrics or ():
            if METRICS[metric].by_class and num_classes is None:
                raise ValueError(f"{metric} needs classes: the generator is unconditional")
        num_images = self.num_images or min(
            MAX_DEFAULT_IMAGES, self.num_real_images or num_available
        )
        num_real_images = self.num_real_images or num_images
        if num_real_images > num_available:
            raise ValueError(
                f"{name} has {num_available} images, fewer than the {num_real_images} to compare "
                f"with: pass `num_real_images`={num_available}, or less, or fewer `num_images`"
            )
        return self.replace(num_images=num_images, num_real_images=num_real_images)
