"""Trained classifiers on disk."""

import contextlib
import hashlib
import json
import pathlib
import tempfile
from concurrent.futures import ThreadPoolExecutor

from absl import logging

from sagan_tf.data.decoding import decode_image
from sagan_tf.evaluation.classifier_training import spaced
from sagan_tf.evaluation.features import digest
from sagan_tf.models.preset_directory import shipped

_WEIGHTS = "classifier.weights.h5"
_CONFIG = "classifier.json"
_NUM_EXAMPLES = 10_000


def cache_key(source, image_size, channels, **settings):
    """What a trained classifier is kept under: a digest of its settings and of the data.

    The data are pixels and labels, as they train it: TensorFlow's encoder makes other files of the
    same pixels on other processors.

    Args:
        source: A `Source`; all of its images are read, or 10,000 of them, evenly spaced.
        image_size: int.
        channels: 1 or 3.
        **settings: What else the training depends on, ready for JSON.

    Returns:
        64 hexadecimal digits.
    """
    settings |= {"image_size": image_size, "channels": channels}
    settings["source"] = [source.name, len(source), source.class_names]

    def image_digest(index):
        try:
            example = source.read(int(index))
            pixels = decode_image(example.encoded, image_size, channels)
        except (OSError, ValueError):
            return "unreadable"
        return digest(pixels, str(example.label))

    with ThreadPoolExecutor() as threads:
        images = threads.map(image_digest, spaced(len(source), _NUM_EXAMPLES))
        return digest(json.dumps(settings, sort_keys=True), *images)


def read(directory, key, network):
    """Loads the weights that are kept under a key, unless they are damaged: then it warns.

    Args:
        directory: The folder of all classifiers, after those that come with the package.
        key: What `cache_key` returned.
        network: Takes the weights.

    Returns:
        dict of `accuracy` and `num_held_out`; `None` if there is nothing that can be trusted.
    """
    entries = shipped(f"classifiers/{_name(key)}"), pathlib.Path(directory) / _name(key)
    found = (_read(entry, key, network) for entry in entries if entry and entry.exists())
    return next(filter(None, found), None)


def _read(entry, key, network):
    try:
        config = json.loads((entry / _CONFIG).read_text(encoding="utf-8"))
        if config["key"] != key:
            raise ValueError("it is of another key")
        if not 0.0 <= config["accuracy"] <= 1.0 or config["num_held_out"] < 1:
            raise ValueError("its accuracy is out of range")
        if config["sha256"] != _sha256(entry / _WEIGHTS):
            raise ValueError("the weights have another checksum")
        network.load_weights(entry / _WEIGHTS)
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = str(error).strip().split("\n")[0]
        logging.warning("%s is damaged, and the classifier is trained again: %s", entry, reason)
        return None
    return {name: config[name] for name in ("accuracy", "num_held_out")}


def write(directory, key, network, **results):
    """Keeps the weights of a network under a key; if that fails, it warns.

    Several processes may do so at once: the last one wins.

    Args:
        directory: The folder of all classifiers.
        key: What `cache_key` returned.
        network: Has the weights.
        **results: `accuracy`, `num_held_out` and whatever else is to be kept, ready for JSON.
    """
    directory = pathlib.Path(directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=directory, prefix=".writing-") as aside:
            aside = pathlib.Path(aside)
            new = aside / "new"
            new.mkdir()
            network.save_weights(new / _WEIGHTS)
            config = {**results, "key": key, "sha256": _sha256(new / _WEIGHTS)}
            (new / _CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
            _replace(directory / _name(key), new, aside)
    except OSError as error:
        logging.warning("The classifier cannot be kept in %s: %s", directory, error)


def _replace(entry, new, aside):
    """Puts the folder `new` in the place of `entry`, if there is one, which goes `aside`."""
    for attempt in range(10):
        with contextlib.suppress(FileNotFoundError):  # None is there, or not any more.
            entry.rename(aside / f"old_{attempt}")
        try:
            new.rename(entry)
            return
        except OSError as error:
            reason = error  # Another process was faster, or this cannot be done at all.
    raise reason


def _name(key):
    return f"classifier_{key[:16]}"


def _sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()
