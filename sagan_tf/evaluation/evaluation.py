"""Scores of a generator against a data set."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import tqdm

from sagan_tf.data import Subset
from sagan_tf.data.decoding import fit_key
from sagan_tf.data.image_reader import ImageReader
from sagan_tf.evaluation.attention import attention_numbers
from sagan_tf.evaluation.kept_features import KeptFeatures
from sagan_tf.evaluation.metrics import CLASS_MOMENTS, METRICS, score_names
from sagan_tf.evaluation.metrics.diversity import nearest_neighbors
from sagan_tf.evaluation.protocol import Protocol
from sagan_tf.evaluation.scores import choose_metrics, compare
from sagan_tf.evaluation.statistics import FeatureStatistics
from sagan_tf.images import from_uint8, to_uint8
from sagan_tf.labels import check_class_names
from sagan_tf.models import draw_inputs, with_standing_statistics
from sagan_tf.models.architecture import architecture
from sagan_tf.models.backend import compiled
from sagan_tf.models.sampling import images_per_call

_BATCH = 64
_ATTENTION_IMAGES = 256
_ATTENTION_SCORES = ("distance", "entropy", "effect")


class Evaluation:
    """Scores generators against a data set, under one protocol.

    It computes the features of the real images when it is made, which takes minutes with Inception
    and 10,000 images. It changes nothing of a model: no weight, no vector of a power iteration, no
    moving statistic.

    Args:
        source: A `sagan_tf.data.Source` of the real images.
        features: A `Features`.
        protocol: A `Protocol`. Defaults to `Protocol()`.
        image_size: int. Defaults to `16`.
        channels: 1 or 3. Defaults to `3`.
        num_classes: int, classes of the generators; `None` for unconditional ones. Defaults to
            `None`.
        attention_resolutions: Sequence of int, resolutions at which the generators attend; only
            `score_names` depends on it. Defaults to `None`, that of the image size.
        skip_corrupt: bool, see `sagan_tf.data.load`. Defaults to `False`.
        fit: str, see `sagan_tf.data.load`; that of the generators' training. Defaults to `"crop"`.
        verbose: bool, whether to show progress bars. Defaults to `False`.
        cache_dir: `pathlib.Path` of a folder in which the features of the real images are kept for
            the next evaluation, if all are compared (`max_compared`). Defaults to `None`, which
            keeps nothing.

    Attributes:
        settings: Dict, ready for JSON, of all that scores depend on: the features and the protocol.
        left_out: Dict from the metrics that do not apply, and that nobody asked for, to the reason.

    Raises:
        ValueError: if there are too few real images, one cannot be read, or a metric does not
            apply.

    Example:

    ```python
    source = sagan_tf.data.find_dataset("digits")
    features = Classifier.trained_on(source, image_size=16, channels=1)
    evaluation = Evaluation(source, features, image_size=16, channels=1, num_classes=10)
    evaluation.score(sagan).values["fid"]
    evaluation.score_real().values["fid"]  # One half of the real images against the other.
    ```
    """

    def __init__(
        self,
        source,
        features,
        protocol=None,
        image_size=16,
        channels=3,
        num_classes=None,
        attention_resolutions=None,
        skip_corrupt=False,
        verbose=False,
        cache_dir=None,
        fit="crop",
    ):
        protocol = (protocol or Protocol()).for_data(source.name, len(source), num_classes)
        self.source = source
        self.features = features
        self.protocol = protocol
        self.image_size = image_size
        self.channels = channels
        self.num_classes = num_classes
        self.attention_resolutions = attention_resolutions
        self.skip_corrupt = skip_corrupt
        self.fit = fit
        self.verbose = verbose
        names = source.class_names or ()
        self._class_names = names if len(names) == num_classes else range(num_classes or 0)
        order = np.random.default_rng(protocol.seed).permutation(len(source))
        self._real_indices = order[: protocol.num_real_images]
        self._real = self._statistics_of_real(cache_dir)
        # What cannot be scored is refused before an image is drawn.
        self._asked = protocol.metrics or ()
        metrics, self.left_out = choose_metrics(
            protocol, self._real, protocol.num_images, self._shares(), self._class_names
        )
        self.protocol = protocol.replace(metrics=metrics)
        self.settings = {"features": features.name, "fingerprint": features.fingerprint}
        self.settings |= dataclasses.asdict(self.protocol) | fit_key(fit)
        self._compiled = None, None

    @property
    def score_names(self):
        """List of the names of all that `flat_scores` returns."""
        resolutions = self.attention_resolutions
        if resolutions is None:
            resolutions = (architecture(self.image_size).attention,)
        return score_names(self.protocol.metrics) + [
            f"generator_attention_{resolution}_{number}"
            for resolution in sorted(resolutions)
            for number in _ATTENTION_SCORES
        ]

    def flat_scores(self, sagan):
        """Dict of floats: the values of `score`, and what attention does.

        The latter are `generator_attention_<resolution>_distance`, `_entropy` and `_effect`, see
        `attention_numbers`.
        """
        scores = self.score(sagan)
        return scores.values | {
            f"generator_{name}_{number}": numbers[number]
            for name, numbers in scores.attention.items()
            for number in _ATTENTION_SCORES
        }

    def score(self, sagan, seed=None):
        """The `Scores` of a model.

        Args:
            sagan: A `SAGAN` for images of the same size, channels and classes.
            seed: int, seed of latents and labels; with uniform labels the images are those of
                `sagan.generate(num_images=..., seed=seed)`. Defaults to the protocol's.

        Raises:
            ValueError: if the model does not fit, or an image is NaN.
        """
        protocol = self.protocol
        seed = protocol.seed if seed is None else seed
        if self.num_classes is not None:
            check_class_names(sagan.class_names, self.source.class_names, self.source.name)
        for name in ("image_size", "channels", "num_classes"):
            ours, theirs = getattr(self, name), getattr(sagan.generator, name)
            if ours != theirs:
                raise ValueError(
                    f"The generator does not fit the evaluation: {name} is {theirs} there, "
                    f"{ours} here"
                )
        generator = sagan.ema_generator if protocol.ema else sagan.generator
        if protocol.standing_statistics:
            generator = with_standing_statistics(
                generator, protocol.standing_statistics, protocol.truncation, seed
            )
        latents, labels = draw_inputs(generator, protocol.num_images, seed)
        latents = latents * np.float32(protocol.truncation)
        if protocol.labels_from == "data" and self.num_classes is not None:
            labels = self._labels_as_in_data()
        fake = self._new_statistics()
        size = images_per_call(generator)
        for part in self._parts(len(latents), "generated images", size):
            fake.update(self._draw(generator, latents[part], labels[part], size), labels[part])
        few = slice(_ATTENTION_IMAGES)
        attention = attention_numbers(generator, latents[few], labels[few])
        return dataclasses.replace(
            self._compare(self._real, fake, self._shares()), attention=attention
        )

    def score_images(self, source, seed=None):
        """The `Scores` of images of any origin, in place of a model's.

        Args:
            source: A `sagan_tf.data.Source` of at least `num_images` images, which are read like
                the real ones. If the evaluation has classes, its labels are of these.
            seed: int, seed of the choice of the images. Defaults to the protocol's.

        Raises:
            ValueError: if there are fewer images, one cannot be read, or a label is out of range.
        """
        seed = self.protocol.seed if seed is None else seed
        num_images = self.protocol.num_images
        if num_images > len(source):
            raise ValueError(
                f"{source.name} has {len(source)} images, fewer than the {num_images} to score: "
                "pass fewer `num_images`"
            )
        chosen = np.random.default_rng(seed).permutation(len(source))[:num_images]
        fake = self._statistics_of(source, chosen, "scored images")
        return self._compare(self._real, fake)

    def score_real(self, seed=None):
        """The `Scores` of one half of the real images against the other: the floor for any model.

        The halves have `num_images` at most, and depend on the seed, by default the protocol's.
        """
        seed = self.protocol.seed if seed is None else seed
        order = np.random.default_rng(seed).permutation(len(self.source))
        half = min(self.protocol.num_images, len(order) // 2)
        halves = order[:half], order[half : 2 * half]
        names = "one half of the real images", "the other half"
        first, second = (
            self._statistics_of(self.source, *each) for each in zip(halves, names, strict=True)
        )
        shares = self._real.class_counts * half // self._real.num_images
        return self._compare(first, second, shares)

    def nearest_real(self, images, neighbors=5):
        """The real images that are most like some others by their features.

        Args:
            images: Float array `(num_images, height, width, channels)` in [-1, 1].
            neighbors: int, how many to find for each, among the first `protocol.max_compared` real
                images. Defaults to `5`.

        Returns:
            float32 array `(num_images, neighbors, height, width, channels)`, nearest first.
        """
        features, _ = self.features(to_uint8(images))
        _, found = nearest_neighbors(features, self._real.features, neighbors)
        read = self._reader(self.source, self._real_indices)
        real = from_uint8(np.stack([read(index)[0] for index in found.ravel()]))
        return real.reshape((*found.shape, *real.shape[1:]))

    def _compare(self, real, fake, shares=None):
        return compare(real, fake, self.protocol, self._class_names, shares, self._asked)

    def _labels_as_in_data(self):
        return np.resize(self._real.labels, self.protocol.num_images)

    def _shares(self):
        """How many images of each class a model is asked for; on average, where it is at random."""
        count, classes = self.protocol.num_images, self.num_classes or 0
        if classes and self.protocol.labels_from == "data":
            return np.bincount(self._labels_as_in_data(), minlength=classes)
        return np.full(classes, count // max(1, classes))

    def _new_statistics(self):
        metrics = self.protocol.metrics or METRICS
        by_class = any(METRICS[metric].needs == CLASS_MOMENTS for metric in metrics)
        return FeatureStatistics(
            self.features, self.num_classes, self.protocol.max_compared, by_class
        )

    def _statistics_of_real(self, cache_dir):
        indices = self._real_indices
        if cache_dir is None or len(indices) > self.protocol.max_compared:
            return self._statistics_of(self.source, indices, "real images")
        names = ("image_size", "channels", "num_classes", "skip_corrupt")
        reading = {name: getattr(self, name) for name in names} | fit_key(self.fit)
        kept = KeptFeatures(cache_dir, Subset(self.source, indices), self.features, **reading)
        found = kept.read()
        if found is None:
            statistics = self._statistics_of(self.source, indices, "real images")
            kept.write(statistics.features, statistics.probabilities, statistics.labels)
        else:
            statistics = self._new_statistics()
            statistics.update_features(**found)
        return statistics

    def _statistics_of(self, source, indices, name):
        statistics = self._new_statistics()
        read = self._reader(source, indices)
        with ThreadPoolExecutor() as threads:
            for part in self._parts(len(indices), name):
                images, labels = zip(*threads.map(read, range(len(indices))[part]), strict=True)
                statistics.update(np.stack(images), np.stack(labels))
        return statistics

    def _reader(self, source, indices):
        # What replaces a corrupt image depends on its place in `indices`.
        size, classes = (self.image_size, self.channels), self.num_classes
        return ImageReader(Subset(source, indices), *size, classes, self.skip_corrupt, self.fit)

    def _parts(self, count, name, size=_BATCH):
        """Slices of a batch each, with a progress bar."""
        with tqdm.tqdm(total=count, desc=name, unit="img", disable=not self.verbose) as bar:
            for start in range(0, count, size):
                yield slice(start, start + size)
                bar.update(min(size, count - start))

    def _draw(self, generator, latents, labels, size):
        """Images of at most a batch of `size`, by a function traced once per generator."""
        if self._compiled[0] is not generator:
            self._compiled = generator, compiled(generator)
        # All calls have the same shape: nothing is traced again, and no row depends on another.
        missing = size - len(latents)
        inputs = np.pad(latents, ((0, missing), (0, 0))), np.pad(labels, (0, missing))
        return keras.ops.convert_to_numpy(self._compiled[1](inputs))[: size - missing]
