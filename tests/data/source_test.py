import numpy as np
import pytest

from sagan_tf.data import Relabeled, Source, Subset, find_dataset, load
from tests.data.samples import Numbered


def test_the_number_of_classes_follows_from_their_names_or_is_unknown():
    numbered = Numbered(3)
    assert (numbered.num_classes, numbered.class_names[:2]) == (10, ("0", "1"))
    Source.__init__(numbered, "unlabeled", None)
    assert numbered.class_names is numbered.num_classes is None
    with pytest.raises(TypeError, match="abstract"):
        Source("name", None)


def test_a_subset_is_a_source_of_the_chosen_images_in_the_chosen_order(digits_dir):
    digits = find_dataset("digits", data_dir=digits_dir)
    subset = Subset(digits, np.array([5, 0, 5]))
    assert len(subset) == 3
    assert (subset.name, subset.class_names) == (digits.name, digits.class_names)
    assert subset.read(0) == subset.read(2) == digits.read(5)
    assert subset.read(1) == digits.read(0)
    options = {"image_size": 16, "channels": 1, "shuffle": False, "repeat": False}
    everything, labels = next(load(digits, batch_size=8, **options).as_numpy_iterator())
    part, of_part = next(load(subset, batch_size=4, **options).as_numpy_iterator())
    np.testing.assert_array_equal(part, everything[[5, 0, 5]])
    np.testing.assert_array_equal(of_part, labels[[5, 0, 5]])


def test_labels_may_be_those_of_other_classes():
    numbered = Numbered(12)
    labels, names = [19 - label for label in range(10)], [f"class {label}" for label in range(20)]
    relabeled = Relabeled(numbered, labels, names)
    assert (len(relabeled), relabeled.name, relabeled.num_classes) == (12, numbered.name, 20)
    for index in range(12):
        example = numbered.read(index)
        assert relabeled.read(index) == example._replace(label=19 - example.label)
    assert relabeled.digest() != numbered.digest()
