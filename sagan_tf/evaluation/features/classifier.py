"""Features from a classifier of the data set itself."""

import collections
import contextlib
import itertools
import json
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
from absl import logging

from sagan_tf.data import Subset, load
from sagan_tf.data.decoding import decode_image, fit_key
from sagan_tf.evaluation.features.classifier_network import (
    CLASSIFIER_NETWORKS,
    SEED,
    dtype_policy,
    shifted,
)
from sagan_tf.evaluation.features.features import Features, cache_directory
from sagan_tf.files import digest, one_line, read_json, replacing, write_json
from sagan_tf.images import check_channels
from sagan_tf.models.backend import compiled
from sagan_tf.models.model_folder import bundled_path, save_weights
from sagan_tf.settings import unknown_name

# Whoever changes the network, its training, or how images are resized and scaled raises the number,
# so that no older classifier is found.
VERSION = 1
BUNDLED_CLASSIFIERS = ("digits_classifier", "cifar10_classifier")
"""Names of the classifiers that come with the package."""
_CONFIG, _WEIGHTS = "classifier.json", "classifier.weights.h5"
_HELD_OUT, _MAX_HELD_OUT = 0.2, 5000  # A share of the images, and how many are enough.
_MAX_LABELS, _MAX_EXAMPLES = 2**16, 1000  # Larger data sets are sampled evenly.


class Classifier(Features):
    """A small convolutional network, trained to tell the classes of a data set apart.

    It is made by `Classifier.trained_on`, or by `Classifier.bundled` for images of other data.
    Scores can be compared between models that were scored by the same classifier (`fingerprint`),
    and with no others. The features are the means over space
    of the last map, divided by their root mean square over training images.

    It computes in float32 on the CPU, whatever the global dtype policy: on GPUs, two trainings do
    not end with the same weights. Images of another size are resized: bilinear, antialiased, not
    rounded. Gray images get three equal channels if it was trained on colors; images in color are
    an error if it was trained on gray ones.

    Args:
        network: Keras model from images in [-1, 1] to `[features, logits]`.
        name: str. Defaults to `"classifier"`.
        predicts_labels: bool, whether its classes are the labels of the images to score. Defaults
            to `True`.
        **details: What else `description` is to tell, `accuracy` among it: the share of right
            answers among images that were held out.
    """

    def __init__(self, network, name="classifier", predicts_labels=True, **details):
        _, self._size, _, self._channels = network.inputs[0].shape
        features, logits = network.outputs
        super().__init__(
            name,
            dimension=features.shape[-1],
            num_classes=logits.shape[-1],
            fingerprint=digest(f"classifier {VERSION}", *network.get_weights())[:16],
            predicts_labels=predicts_labels,
            input_size=self._size,
            **details,
        )
        self.accuracy = details["accuracy"]
        self._network = network
        self._call = compiled(network)

    @classmethod
    def trained_on(
        cls,
        source,
        image_size,
        channels,
        num_classes=None,
        cache_dir=None,
        architecture=None,
        steps=None,
        skip_corrupt=False,
        fit="crop",
    ):
        """The classifier of a data set: from the package or the cache, or trained now and kept.

        A fifth of the images, 5,000 at most and always the same ones, is held out to measure the
        accuracy. Trainings on as many cores end with the same bits and leave random states alone.

        Args:
            source: A `sagan_tf.data.Source`.
            image_size: int, height and width to train at.
            channels: 1 or 3.
            num_classes: int, bound of the labels. Defaults to `None`, `source.num_classes`.
            cache_dir: Folder of trained classifiers; it is a warning if it cannot be written.
                Defaults to `None`, `$XDG_CACHE_HOME/sagan_tf` or `~/.cache/sagan_tf`.
            architecture: str, a name in `CLASSIFIER_NETWORKS`. Defaults to `None`: that of the
                package, if it has one for these images, or `"plain"`.
            steps: int. Defaults to `None`, as many passes over the data as the network takes.
            skip_corrupt: bool, whether unreadable images are replaced. Defaults to `False`.
            fit: str, see `sagan_tf.data.load`. Defaults to `"crop"`.

        Raises:
            ValueError: if an argument is out of range, the number of classes is not known, there
                are fewer than 2 of them or than 2 images of one, or an image or a label is broken
                (`tf.errors.InvalidArgumentError` if the data set is too large to be kept decoded).
        """
        num_classes = source.num_classes if num_classes is None else num_classes
        if num_classes is None:
            raise ValueError(
                f"The number of classes of {source.name} is not known: pass `num_classes`, or use "
                "features that need no labels"
            )
        if len(source) == 0:
            raise ValueError(f"{source.name} has no images.")
        if architecture not in (None, *CLASSIFIER_NETWORKS):
            raise unknown_name("architecture", architecture, CLASSIFIER_NETWORKS)
        chosen = {"architecture": architecture, "steps": steps}
        chosen = {name: value for name, value in chosen.items() if value is not None}
        architecture = architecture or "plain"
        if steps is None:
            steps = CLASSIFIER_NETWORKS[architecture].steps(len(source))
        check_channels(channels)
        for name, value in {"image_size": image_size, "steps": steps}.items():
            if value < 1:
                raise ValueError(f"`{name}` must be at least 1. Received: {value}")
        if num_classes < 2:
            raise ValueError(
                f"A classifier needs at least 2 classes. Received: num_classes={num_classes} for "
                f"{source.name}"
            )
        # The images are known by their pixels, wherever they lie.
        data = {
            "num_images": len(source),
            "class_names": source.class_names and list(source.class_names),
            "pixels": _digest_of_pixels(source, image_size, channels, fit),
            "image_size": image_size,
            "channels": channels,
            "num_classes": num_classes,
            "skip_corrupt": skip_corrupt,
            **fit_key(fit),
        }
        num_held_out = max(1, min(round(_HELD_OUT * len(source)), _MAX_HELD_OUT))
        training = {"architecture": architecture, "steps": steps, "num_held_out": num_held_out}
        key = {**data, **training, "version": VERSION}
        entry = cache_directory(cache_dir) / f"classifier_{digest(repr(key))[:16]}"
        with keras.device("cpu:0"):
            # A bundled one of the same data is taken, unless another training is asked for.
            wanted = [(bundled_path(name), data | chosen) for name in BUNDLED_CLASSIFIERS]
            for place in (*wanted, (entry, key)):
                if found := _read(*place):
                    break
            else:
                _check_labels(source, num_classes)
                message = "Training a classifier on %s for %d steps, to be kept in %s"
                logging.info(message, source.name, steps, entry.parent)
                trained, details = found = _train(source, key)
                logging.info("It recognizes %.1f %% of held-out images", 100 * details["accuracy"])
                _write(entry, key, trained, details)
        trained, details = found
        return cls(trained, **details, version=VERSION)

    @classmethod
    def bundled(cls, name):
        """A classifier of the package, for images of other data than it was trained on.

        A few images cannot train a classifier that knows much; one of many others tells more.

        Args:
            name: str, one of `BUNDLED_CLASSIFIERS`.

        Raises:
            ValueError: if there is none of that name.
        """
        if name not in BUNDLED_CLASSIFIERS:
            raise unknown_name("classifier", name, BUNDLED_CLASSIFIERS)
        folder = bundled_path(name)
        with keras.device("cpu:0"):
            found = folder and _read(folder, {})
        if not found:
            raise ValueError(f"{name} of the package is missing or damaged: install it again")
        return cls(found[0], name, predicts_labels=False, **found[1], version=VERSION)

    def _run(self, images):
        if images.shape[-1] > self._channels:
            raise ValueError(
                "The classifier was trained on gray images. Received: images with "
                f"{images.shape[-1]} channels"
            )
        with keras.device("cpu:0"):
            size = (self._size, self._size)
            if images.shape[1:3] != size:
                images = keras.ops.image.resize(
                    keras.ops.convert_to_tensor(images, "float32"), size, antialias=True
                )
            images = np.asarray(images, np.float32) / np.float32(127.5) - np.float32(1.0)
            images = np.broadcast_to(images, (*images.shape[:3], self._channels))
            features, logits = self._call(images)
            return features, keras.ops.softmax(logits)


def _check_labels(source, num_classes):
    """Raises a ValueError unless there are two images of each class; `load` checks the rest."""

    def label(index):
        with contextlib.suppress(OSError):
            return source.read(index).label

    counts = collections.Counter(_sample(label, len(source), _MAX_LABELS))
    rare = min(range(num_classes), key=lambda number: counts[number])
    if counts[rare] < 2:
        raise ValueError(
            f"A classifier needs at least 2 images of each class. {source.name} has "
            f"{counts[rare]} of class {rare}"
        )


def _digest_of_pixels(source, image_size, channels, fit):
    """Digest of images and labels, decoded: encoders make other files on other processors."""

    def image_digest(index):
        try:
            example = source.read(index)
            pixels = decode_image(example.encoded, image_size, channels, fit)
            return digest(pixels, str(example.label))
        except (OSError, ValueError):
            return "unreadable"

    return digest(*_sample(image_digest, len(source), _MAX_EXAMPLES))[:16]


def _sample(function, size, maximum):
    """Values of a function of at most `maximum` evenly spaced indices, first and last included."""
    indices = np.unique(np.linspace(0, size - 1, min(size, maximum)).round().astype(int))
    with ThreadPoolExecutor() as threads:
        return list(threads.map(function, indices.tolist()))


def _read(entry, wanted):
    """What is kept in a folder: a network, and a dict of what is known of it.

    It is `None` if there is nothing, something else than is wanted, or it is not whole.
    """
    if entry is None or not entry.exists():
        return None
    try:
        config = read_json(entry / _CONFIG)
        key = {"architecture": "plain", "fit": "crop", **config["key"]}
        if any(key[name] != value for name, value in wanted.items()):
            return None
        details = {name: config[name] for name in ("accuracy", "num_held_out")}
        details |= {name: key[name] for name in ("architecture", "steps")}
        if not 0.0 <= details["accuracy"] <= 1.0 or details["num_held_out"] < 1:
            raise ValueError("its accuracy is out of range")
        if config["digest"] != _digest_of(config, entry):
            raise ValueError("its digest is another one")
        network = _build(key)
        network.load_weights(entry / _WEIGHTS)
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = "%s is damaged, and not used: %s"
        logging.warning(message, entry, one_line(error))
        return None
    return network, details


def _digest_of(config, entry):
    """The digest of what was measured and of the weights: neither is believed without the other."""
    known = {name: config[name] for name in ("accuracy", "num_held_out", "key")}
    return digest(json.dumps(known, sort_keys=True), (entry / _WEIGHTS).read_bytes())


def _build(key, precision="float32"):
    kind = CLASSIFIER_NETWORKS[key["architecture"]]
    with dtype_policy(precision):
        return kind.build(key["image_size"], key["channels"], key["num_classes"])


def _write(entry, key, network, details):
    """Keeps a trained network in a folder. If that fails, it warns."""
    try:
        with replacing(entry) as new:
            new.mkdir()
            save_weights(network, new / _WEIGHTS)
            config = {**details, "key": key}
            write_json(new / _CONFIG, {**config, "digest": _digest_of(config, new)})
    except OSError as error:
        logging.warning("The classifier cannot be kept in %s: %s", entry.parent, error)


def _split(source, count):
    """The images to train on, and the `count` held out, each in the order of the source."""
    # The stream of a RandomState is the same in all versions of NumPy.
    order = np.random.RandomState(SEED).permutation(len(source))
    return Subset(source, np.sort(order[count:])), Subset(source, np.sort(order[:count]))


def _train(source, key):
    """A trained network, and a dict of its accuracy on the images held out and their number."""
    training, held_out = _split(source, key["num_held_out"])
    kind = CLASSIFIER_NETWORKS[key["architecture"]]
    image_size = key["image_size"]
    options = {name: key[name] for name in ("channels", "num_classes", "skip_corrupt")}
    options["fit"] = key.get("fit", "crop")
    batches = load(
        training, image_size, kind.batch_size, seed=SEED, flip=kind.is_augmented, **options
    )
    given = batches
    if kind.is_augmented and keras.backend.backend() != "tensorflow":
        raise ValueError(
            f"The {key['architecture']} classifier is trained on the TensorFlow backend only; once "
            "it is trained, other ones use it"
        )
    if kind.is_augmented:
        given = batches.enumerate().map(lambda step, data: (shifted(data[0], step), data[1]))
    trained, network = _build(key, kind.precision), _build(key)
    with dtype_policy(kind.precision):
        to_logits = keras.Model(trained.inputs[0], trained.outputs[1], name="to_logits")
        to_logits.compile(
            kind.optimizer(key["steps"]),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=keras.backend.backend() == "jax",
        )
        to_logits.fit(given, steps_per_epoch=key["steps"], shuffle=False, verbose=0)
    network.set_weights(trained.get_weights())
    _scale_features(network, (images for images, _ in itertools.islice(batches, 100)))
    options |= {"shuffle": False, "repeat": False}
    right = sum(
        np.count_nonzero(np.argmax(network(images, training=False)[1], axis=1) == labels)
        for images, labels in load(held_out, image_size, Classifier.batch_size, **options)
    )
    details = {name: key[name] for name in ("architecture", "steps", "num_held_out")}
    return network, {**details, "accuracy": float(right / len(held_out))}


def _scale_features(network, batches):
    """Divides the features by their root mean square over batches, and leaves the logits alone.

    Kernels of distances, that of KID for one, expect numbers of about 1.
    """
    mean_squares = [np.mean(np.square(network(images, training=False)[0])) for images in batches]
    factor = float(np.sqrt(np.mean(mean_squares))) or 1.0
    *_, last, logits = (layer for layer in network.layers if layer.trainable_weights)
    # A ReLU lets positive factors pass.
    for weight in last.trainable_weights:
        weight.assign(weight / factor)
    logits.kernel.assign(logits.kernel * factor)
