import numpy as np
import pytest

from sagan_tf.labels import check_class_weights, check_labels

PETS = ("cat", "dog", "great white shark")


@pytest.mark.parametrize(
    ("labels", "num_classes", "message"),
    [
        ([0, 10], 10, r"in \[0, 10\). Received: 10"),
        ([-1], 10, "Received: -1"),
        ([0.5], 10, "list of ints"),
        ([[1]], 10, "list of ints"),
        ([0], None, "unconditional"),
        (["3"], 3, r"in \[0, 3\). Received: 3"),
        (["--1"], 3, "classes have no names here. Received: --1"),
        (["cat"], 3, "classes have no names here. Received: cat"),
    ],
)
def test_wrong_labels_are_named(labels, num_classes, message):
    with pytest.raises(ValueError, match=message):
        check_labels(labels, num_classes)


@pytest.mark.parametrize(
    ("labels", "names", "numbers"),
    [
        (["dog", "cat", 2, "2", "great white shark"], PETS, [1, 0, 2, 2, 2]),
        (np.array(["dog", "cat"]), PETS, [1, 0]),
        (["2", 1, "0"], ("0", "1", "2"), [2, 1, 0]),
        # A text is a name before it is a number; an int never is.
        (["7", "3", 1], ("3", "7", "9"), [1, 0, 1]),
        (["1"], None, [1]),
    ],
)
def test_names_and_numbers(labels, names, numbers):
    found = check_labels(labels, 3, names)
    assert found.dtype == np.int32
    assert found.tolist() == numbers


@pytest.mark.parametrize(
    ("label", "names", "message"),
    [
        ("dgo", PETS, "Unknown class: dgo. Did you mean dog"),
        ("Cat", PETS, "Did you mean cat"),
        ("5", ("3", "7", "9"), "Unknown class: 5. Valid: 3, 7, 9"),
        ("1", ("3", "7", "9"), "Unknown class: 1. Valid: 3, 7, 9"),
        ("x", [f"kind {i}" for i in range(1000)], "and 940 more"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(label, names, message):
    with pytest.raises(ValueError, match=message):
        check_labels([label], len(names), names)


@pytest.mark.parametrize(
    ("weights", "num_classes", "message"),
    [
        ([[1, 0]], 2, r"must have shape \(2, 2\). Received: \(1, 2\)"),
        ([[0, 1], [0.5, 0.6]], 2, r"whose sum is 1. Received: \[0.5, 0.6.*\] for image 1"),
        ([[1.5, -0.5], [0, 1]], 2, "at least 0.* for image 0"),
        ([[np.nan, 1], [0, 1]], 2, "for image 0"),
        ([[1], [1]], None, "unconditional"),
    ],
)
def test_wrong_weights_of_classes_are_named(weights, num_classes, message):
    with pytest.raises(ValueError, match=message):
        check_class_weights(weights, 2, num_classes)
