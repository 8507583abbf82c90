"""A classifier of stripes, trained once, and its place on disk."""

import shutil

import pytest

from sagan_tf.evaluation.features import classifier as module
from tests.evaluation.features.stripes import trained


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def classifier(cache):
    return trained(cache)


@pytest.fixture
def entry(cache, classifier, tmp_path):
    """A copy of the one entry of the cache, in `tmp_path`."""
    (entry,) = cache.iterdir()
    return shutil.copytree(entry, tmp_path / entry.name)


@pytest.fixture
def trainings(monkeypatch):
    """A list of the keys of trainings, which are replaced by one that does nothing."""
    found = []

    def train(source, key):
        found.append(key)
        details = {name: key[name] for name in ("architecture", "steps")}
        return module._build(key), {**details, "accuracy": 0.5, "num_held_out": 12}

    monkeypatch.setattr(module, "_train", train)
    return found
