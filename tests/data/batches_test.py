"""Batches without TensorFlow are those of its pipeline."""

import importlib.util
import itertools
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from sagan_tf.data import Arrays, find_dataset, load, pipeline
from sagan_tf.data.digits_arrays import DigitsArrays


@pytest.fixture
def on_jax(monkeypatch):
    """`load` makes what it makes where JAX is the backend."""
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")


def source(count=23):
    random = np.random.default_rng(0)
    return Arrays(
        random.integers(256, size=(count, 12, 16, 3)).astype("uint8"), np.arange(count) % 4
    )


CASES = {
    "shuffled": {"seed": 3},
    "flipped": {"flip": True, "seed": 2**62},
    "from a later one": {"start": 9},
    "of several epochs": {"batch_size": 60},
    "one epoch": {"repeat": False},
    "the rest of one epoch": {"repeat": False, "start": 2, "shuffle": False},
    "none left": {"repeat": False, "start": 9},
}


@pytest.mark.parametrize("limit", [pipeline.MAX_BYTES_IN_MEMORY, 0], ids=["memory", "disk"])
@pytest.mark.parametrize("case", CASES)
def test_they_are_the_same(request, monkeypatch, tmp_path, case, limit):
    monkeypatch.setattr(pipeline, "MAX_BYTES_IN_MEMORY", limit)
    options = {"batch_size": 5, **CASES[case]}
    expected = load(source(), 8, **options).as_numpy_iterator()
    expected = list(itertools.islice(expected, 12))
    request.getfixturevalue("on_jax")
    for decoded_dir in (None, tmp_path):
        batches = load(source(), 8, decoded_dir=decoded_dir, **options)
        found = list(itertools.islice(batches, 12))
        assert len(found) == len(expected)
        for ours, theirs in zip(found, expected, strict=True):
            for each, other in zip(ours, theirs, strict=True):
                assert each.dtype == other.dtype
                np.testing.assert_array_equal(each, other)
        # Keras asks for them by number.
        for number, theirs in enumerate(expected):
            np.testing.assert_array_equal(batches[number][0], theirs[0])
        assert batches.num_batches == (None if options.get("repeat", True) else len(expected))


@pytest.mark.parametrize("split", ["train", "train[:90%]", "train[5:20]+train[-3:]"])
def test_the_digits_are_those_of_tfds(split):
    ours, theirs = DigitsArrays(split), find_dataset("digits", split)
    assert (ours.name, ours.digest(), ours.describe(), ours.class_names) == (
        theirs.name,
        theirs.digest(),
        theirs.describe(),
        theirs.class_names,
    )
    ours, theirs = (
        load(each, 16, len(each), channels=1, shuffle=False, repeat=False)
        for each in (ours, theirs)
    )
    for one, other in zip(next(iter(ours)), next(iter(theirs)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_digits_have_one_split():
    with pytest.raises(ValueError, match="Unknown split of digits/1.0.0: test"):
        DigitsArrays("test")


@pytest.mark.skipif(importlib.util.find_spec("jax") is None, reason="needs JAX")
def test_without_tensorflow(tmp_path):
    program = """
import sys
sys.modules["tensorflow"] = None  # Importing it raises ImportError.
from sagan_tf.data import find_dataset, load
images, labels = load("digits", 16, 8, channels=1)[0]
assert images.shape == (8, 16, 16, 1) and labels.shape == (8,)
try:
    find_dataset("cifar10")
except ValueError as error:
    assert "There is no folder cifar10 here" in str(error)
else:
    raise AssertionError
assert not any(name.startswith("tensorflow.") for name in sys.modules)
"""
    environment = {**os.environ, "KERAS_BACKEND": "jax", "HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)
