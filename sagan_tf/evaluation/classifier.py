"""Features from a classifier of the data set itself."""

import pathlib

import numpy as np
from absl import logging

from sagan_tf.evaluation import classifier_cache, classifier_training
from sagan_tf.evaluation.features import Features, cache_directory, digest, resize


class Classifier(Features):
    """A small convolutional network, trained to tell the classes of a data set apart.

    Nothing is fetched, and images of any kind are seen by a network that knows them. Scores are
    comparable between models that were scored by the same classifier (`fingerprint`), and with no
    others. The features are the 64 means over space after the last convolution, divided by their
    root mean square over training images.

    It is made by `Classifier.trained_on`. It computes in float32 on the CPU, whatever the global
    dtype policy: on GPUs, two trainings do not end with the same weights.

    Images of another size are resized. Grey images get three equal channels if it was trained on
    colours; images in colour are an error if it was trained on grey ones.

    Args:
        network: Keras model from images in [-1, 1] to `[features, logits]`.
        accuracy: float, its share of right answers among images that were held out.
        **details: What else `description` is to tell, ready for JSON.
    """

    def __init__(self, network, accuracy, **details):
        self.accuracy = accuracy
        self._network = network
        self._call = None
        _, size, _, self._channels = network.inputs[0].shape
        resizer = (
            f"bilinear to {size}x{size} (half-pixel centres, antialiasing, no rounding) unless "
            "that is their size, then x / 127.5 - 1"
        )
        features, logits = network.outputs
        super().__init__(
            "classifier",
            input_size=size,
            resizer=resizer,
            dimension=features.shape[-1],
            num_classes=logits.shape[-1],
            fingerprint=digest(resizer, *network.get_weights())[:16],
            predicts_labels=True,
            accuracy=accuracy,
            **details,
        )

    @classmethod
    def trained_on(
        cls,
        source,
        image_size,
        channels,
        num_classes=None,
        cache_dir=None,
        steps=None,
        skip_corrupt=False,
    ):
        """The classifier of a data set: from the package or the cache, or trained now and kept.

        The package has that of the digits, 16x16 and grey. A fifth of the images, always the same
        ones, is held out to measure the accuracy. Two trainings on as many cores end with the same
        bits, and leave all global random states as they were.

        Args:
            source: A `sagan_tf.data.Source`.
            image_size: int, height and width to train at.
            channels: 1 or 3.
            num_classes: int, bound of the labels. Defaults to `None`, `source.num_classes`.
            cache_dir: Folder of trained classifiers. Defaults to `None`,
                `$XDG_CACHE_HOME/sagan_tf` or `~/.cache/sagan_tf`. One that cannot be written is
                a warning.
            steps: int, of 64 images. Defaults to `None`, four passes over the data, but not fewer
                than 600 steps, nor more than 10,000.
            skip_corrupt: bool, whether unreadable images are replaced. Defaults to `False`.

        Returns:
            A `Classifier`.

        Raises:
            ValueError: if an argument is out of range, the number of classes is not known, there
                are fewer than 2 of them or fewer than 2 images of one, or an image or a label is
                broken.
        """
        import tensorflow as tf

        if num_classes is None:
            num_classes = source.num_classes
        _check(source, image_size, channels, num_classes, steps)
        recipe = classifier_training.recipe(steps, len(source))
        settings = {"image_size": image_size, "channels": channels, "num_classes": num_classes}
        key = classifier_cache.cache_key(
            source, recipe=recipe, skip_corrupt=skip_corrupt, **settings
        )
        directory = pathlib.Path(cache_dir or cache_directory()).expanduser()
        with tf.device("CPU"):
            network = classifier_training.build_network(**settings)
            results = classifier_cache.read(directory, key, network)
            if results is None:
                classifier_training.check_labels(source, num_classes)
                logging.info(
                    "Training a classifier on %s for %d steps, to be kept in %s",
                    source.name,
                    recipe["steps"],
                    directory,
                )
                network, accuracy, num_held_out = classifier_training.train(
                    source, **settings, recipe=recipe, skip_corrupt=skip_corrupt
                )
                logging.info("It recognises %.1f %% of held-out images", 100 * accuracy)
                results = {"accuracy": accuracy, "num_held_out": num_held_out}
                classifier_cache.write(directory, key, network, **results, recipe=recipe)
        return cls(network, **results, recipe=recipe)

    def __call__(self, images):
        return self._in_batches(self._run, images)

    def _run(self, images):
        import tensorflow as tf

        if self._call is None:
            self._call = tf.function(lambda images: self._network(images, training=False))
        if images.shape[-1] > self._channels:
            raise ValueError(
                "The classifier was trained on grey images. Received: images with "
                f"{images.shape[-1]} channels"
            )
        with tf.device("CPU"):
            if images.shape[1:3] != (self.input_size, self.input_size):
                images = resize(images, self.input_size)
            images = np.asarray(images, np.float32) / np.float32(127.5) - np.float32(1.0)
            images = np.broadcast_to(images, (*images.shape[:3], self._channels))
            features, logits = self._call(images)
            return features, tf.nn.softmax(logits)


def _check(source, image_size, channels, num_classes, steps):
    if num_classes is None:
        raise ValueError(
            f"The number of classes of {source.name} is not known: pass `num_classes`, or use "
            "features that need no labels"
        )
    if len(source) == 0:
        raise ValueError(f"{source.name} has no images.")
    if channels not in (1, 3):
        raise ValueError(f"`channels` must be 1 or 3. Received: {channels}")
    for name, value in (("image_size", image_size), ("steps", steps)):
        if value is not None and value < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {value}")
