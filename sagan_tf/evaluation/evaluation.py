"""Scores of a generator against a data set."""

import dataclasses

import numpy as np
import tqdm

from sagan_tf import data
from sagan_tf.data.image_reader import ImageReader
from sagan_tf.evaluation.attention import attention_numbers
from sagan_tf.evaluation.diversity import nearest_neighbors
from sagan_tf.evaluation.feature_statistics import FeatureStatistics
from sagan_tf.evaluation.protocol import Protocol
from sagan_tf.evaluation.scores import choose_metrics, compare
from sagan_tf.evaluation.standing_statistics import with_standing_statistics
from sagan_tf.images import to_uint8
from sagan_tf.models import draw_inputs

_BATCH = 64
_ATTENTION_IMAGES = 256


class Evaluation:
    """Scores generators against a data set, under one protocol.

    Features of the real images are computed once, when it is made. Nothing of a model changes: no
    weight, no vector of a power iteration, no moving statistic.

    Args:
        source: A `sagan_tf.data.Source` of the real images.
        features: A `Features`.
        protocol: A `Protocol`. Defaults to that of `Protocol()`.
        image_size: int. Defaults to `16`.
        channels: 1 or 3. Defaults to `3`.
        num_classes: int, classes of the generators; `None` for unconditional ones. Defaults to
            `None`.
        skip_corrupt: bool, see `sagan_tf.data.load`. Defaults to `False`.
        verbose: bool, whether to show progress bars. Defaults to `False`.

    Raises:
        ValueError: if there are too few real images, one cannot be read, or a metric does not
            apply.

    Example:

    ```python
    source = sagan_tf.data.find_dataset("digits")
    features = Classifier.trained_on(source, image_size=16, channels=1)
    evaluation = Evaluation(source, features, image_size=16, channels=1, num_classes=10)
    evaluation.score(sagan).figures["fid"]
    evaluation.score_real().figures["fid"]  # of one half of the real images against the other
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
        skip_corrupt=False,
        verbose=False,
    ):
        protocol = protocol or Protocol()
        self.source = source
        self.features = features
        self.protocol = protocol.for_data(source.name, len(source), num_classes)
        self.image_size = image_size
        self.channels = channels
        self.num_classes = num_classes
        self.skip_corrupt = skip_corrupt
        self.verbose = verbose
        order = np.random.default_rng(self.protocol.seed).permutation(len(source))
        self._real_indices = order[: self.protocol.num_real_images]
        self._real = self._statistics_of_real(self._real_indices, "real images")
        # Refused before an image is drawn.
        num_images = self.protocol.num_images
        shares = [num_images // num_classes] * num_classes if num_classes else []
        metrics = choose_metrics(protocol, self._real, num_images, shares, self._class_names())
        self.protocol = dataclasses.replace(self.protocol, metrics=metrics)
        self._compiled = None, None

    @property
    def settings(self):
        """Dict, ready for JSON, of the protocol and of whose features: what figures depend on."""
        features = {"features": self.features.name, "fingerprint": self.features.fingerprint}
        return features | dataclasses.asdict(self.protocol)

    def score(self, sagan, seed=None):
        """Scores a model.

        Args:
            sagan: A `SAGAN` for images of the same size, channels and classes.
            seed: int, of latents and labels; with uniform labels the images are those of
                `sagan.generate(num_images=..., seed=seed)`. Defaults to the protocol's.

        Returns:
            A `Scores`.

        Raises:
            ValueError: if the model does not fit, or an image is NaN.
        """
        protocol = self.protocol
        seed = protocol.seed if seed is None else seed
        self._check_fit(sagan.generator)
        generator = sagan.ema_generator if protocol.use_ema else sagan.generator
        if protocol.standing_statistics:
            generator = with_standing_statistics(
                generator, protocol.standing_statistics, protocol.truncation, seed
            )
        latents, labels = draw_inputs(generator, protocol.num_images, seed)
        latents = latents * np.float32(protocol.truncation)
        if protocol.labels == "data":
            labels = np.resize(self._real.labels, len(latents))
        fake = self._new_statistics(len(latents))
        for part in self._parts(len(latents), "generated images"):
            fake.update(self._draw(generator, latents[part], labels[part]), labels[part])
        few = slice(_ATTENTION_IMAGES)
        attention = attention_numbers(generator, latents[few], labels[few])
        scores = compare(self._real, fake, protocol, self._class_names())
        return dataclasses.replace(scores, attention=attention)

    def score_real(self, seed=None):
        """Scores one half of the real images against the other: the floor for any model.

        Args:
            seed: int, of the halves, each of `num_images` at most. Defaults to the protocol's.

        Returns:
            A `Scores`.
        """
        seed = self.protocol.seed if seed is None else seed
        order = np.random.default_rng(seed).permutation(len(self.source))
        half = min(self.protocol.num_images, len(order) // 2)
        first = self._statistics_of_real(order[:half], "one half of the real images")
        second = self._statistics_of_real(order[half : 2 * half], "the other half")
        return compare(first, second, self.protocol, self._class_names())

    def nearest_real(self, images, neighbors=5):
        """The real images that are most like some others, in the space of the features.

        Args:
            images: Float array `(num_images, height, width, channels)` in [-1, 1].
            neighbors: int, how many for each. Defaults to `5`.

        Returns:
            Float32 array `(num_images, neighbors, height, width, channels)`, nearest first, from
            among the first `protocol.max_compared` real ones.
        """
        found = nearest_neighbors(
            self.features.features(to_uint8(images)), self._real.features, neighbors
        )[1]
        # In their order, so that what replaces a corrupt image is the same again.
        read = ImageReader(
            data.Subset(self.source, self._real_indices),
            self.image_size,
            self.channels,
            self.num_classes,
            self.skip_corrupt,
        )
        real = np.stack([read(index)[0] for index in found.ravel()]) / np.float32(127.5) - 1
        return real.reshape((*found.shape, *real.shape[1:]))

    def _class_names(self):
        names = self.source.class_names
        return names if names is not None and len(names) == self.num_classes else None

    def _new_statistics(self, num_images):
        return FeatureStatistics(
            self.features,
            num_images,
            self.num_classes,
            self.protocol.splits,
            self.protocol.max_compared,
            by_class="intra_fid" in self.protocol.metrics,
        )

    def _statistics_of_real(self, indices, name):
        statistics = self._new_statistics(len(indices))
        batches = self._load(indices, _BATCH).as_numpy_iterator()
        for _, (images, labels) in zip(self._parts(len(indices), name), batches, strict=True):
            statistics.update(images, labels)
        return statistics

    def _load(self, indices, batch_size):
        return data.load(
            data.Subset(self.source, indices),
            self.image_size,
            batch_size,
            channels=self.channels,
            num_classes=self.num_classes,
            shuffle=False,
            repeat=False,
            skip_corrupt=self.skip_corrupt,
        )

    def _parts(self, count, name):
        """Slices of a batch each, with a progress bar."""
        with tqdm.tqdm(total=count, desc=name, unit="img", disable=not self.verbose) as bar:
            for start in range(0, count, _BATCH):
                part = slice(start, min(start + _BATCH, count))
                yield part
                bar.update(part.stop - part.start)

    def _draw(self, generator, latents, labels):
        """Images of at most a batch, by a function traced once per generator."""
        if self._compiled[0] is not generator:
            import tensorflow as tf

            call = tf.function(lambda *inputs: generator(inputs, training=False))
            self._compiled = generator, call
        # All calls have the same shape: no retracing, and rows do not depend on each other.
        missing = _BATCH - len(latents)
        inputs = np.pad(latents, ((0, missing), (0, 0))), np.pad(labels, (0, missing))
        return self._compiled[1](*inputs).numpy()[: _BATCH - missing]

    def _check_fit(self, generator):
        for name in ("image_size", "channels", "num_classes"):
            ours, theirs = getattr(self, name), getattr(generator, name)
            if ours != theirs:
                raise ValueError(
                    f"The generator does not fit the evaluation: {name} is {theirs} there, "
                    f"{ours} here"
                )
