"""Features of the real digits, which are kept."""

import dataclasses

import numpy as np
import pytest

from sagan_tf.data import Subset, find_dataset
from sagan_tf.evaluation import Evaluation, Protocol
from tests.evaluation.pixels import Pixels
from tests.tiny import tiny


class Counting(Pixels):
    """Features that know how many images they have seen."""

    @property
    def count(self):
        return sum(map(len, self.seen))


@pytest.fixture(scope="module")
def digits():
    return find_dataset("digits")


def make(source, directory, network=None, num_classes=10, image_size=16, fit="crop", **changes):
    fields = {"num_images": 100, "num_subsets": 2, "metrics": ("fid", "kid", "prdc", "intra_fid")}
    protocol = Protocol(allow_few_images=True, **fields | changes)
    network = network or Counting(predicts_labels=False)
    options = {"cache_dir": directory, "fit": fit}
    return Evaluation(source, network, protocol, image_size, 1, num_classes, **options)


@pytest.mark.parametrize("num_classes", [10, None])
def test_scores_are_the_same_and_nothing_is_computed_again(digits, tmp_path, num_classes):
    metrics = ("fid", "kid", "prdc", *(("intra_fid",) if num_classes else ()))
    scorers = [
        make(digits, directory, num_classes=num_classes, metrics=metrics)
        for directory in (None, tmp_path / "new", tmp_path / "new")
    ]
    assert [scorer.features.count for scorer in scorers] == [100, 100, 0]
    first, *others = (scorer.score(tiny(num_classes)) for scorer in scorers)
    for scores in others:
        assert dataclasses.asdict(scores) == dataclasses.asdict(first)


def test_what_features_depend_on_makes_others(digits, tmp_path):
    def count(source=digits, **changes):
        return make(source, tmp_path, **changes).features.count

    assert count() == 100
    # These do not matter to the features, but to what is computed of them.
    for same in ({"metrics": ("kid",)}, {"max_compared": 100}, {"num_subsets": 3}):
        assert count(**same) == 0, same
    for change in (
        {"seed": 1},
        {"num_real_images": 99},
        {"network": Counting(fingerprint="4567", predicts_labels=False)},
        {"num_classes": 11, "metrics": ("fid",)},
        {"source": Subset(digits, np.arange(1797)[::-1])},
        {"fit": "pad"},
        # Not all of them would be kept.
        {"max_compared": 99},
    ):
        assert count(**change) > 0, change
    assert count(max_compared=99) > 0
    assert count() == 0


def test_an_image_that_has_changed_is_another(make_folder, tmp_path_factory):
    folder = make_folder(*(f"{name}/{number}.bmp" for name in "ab" for number in range(3)))
    cache = tmp_path_factory.mktemp("cache")

    def count():
        options = {"num_classes": 2, "num_images": 6, "metrics": ("kid",)}
        return make(find_dataset(folder), cache, **options).features.count

    assert (count(), count()) == (6, 0)
    path = folder / "a" / "1.bmp"
    content = bytearray(path.read_bytes())
    content[-4] ^= 255
    path.write_bytes(content)
    assert (count(), count()) == (6, 0)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-2000]),
        lambda path: path.write_bytes(b"no archive"),
        lambda path: np.savez(path, features=np.zeros(3)),
        lambda path: np.savez(path, **dict(np.load(path)) | {"labels": np.full(100, 99)}),
        lambda path: np.savez(
            path, **dict(np.load(path)) | {"features": np.full((100, 16), np.nan)}
        ),
        lambda path: np.savez(
            path, **dict(np.load(path)) | {"features": np.array([[object()]])}, allow_pickle=True
        ),
    ],
)
def test_what_is_damaged_is_computed_again(digits, tmp_path, caplog, damage):
    make(digits, tmp_path)
    (path,) = tmp_path.iterdir()
    before = path.read_bytes()
    damage(path)
    assert make(digits, tmp_path).features.count == 100
    assert f"{path} is damaged, and the features are computed again" in caplog.text
    assert path.read_bytes() == before
    assert make(digits, tmp_path).features.count == 0


def test_where_nothing_can_be_kept_there_is_a_warning(digits, tmp_path, caplog):
    (tmp_path / "file").write_text("")
    assert make(digits, tmp_path / "file" / "cache").features.count == 100
    assert f"The features cannot be kept in {tmp_path / 'file' / 'cache'}" in caplog.text
