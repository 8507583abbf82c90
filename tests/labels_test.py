import pytest

from sagan_tf.labels import check_labels


@pytest.mark.parametrize(
    ("labels", "num_classes", "message"),
    [
        ([0, 10], 10, r"in \[0, 10\). Received: 10"),
        ([-1], 10, "Received: -1"),
        ([0.5], 10, "list of ints"),
        ([[1]], 10, "list of ints"),
        ([0], None, "unconditional"),
    ],
)
def test_wrong_labels_are_named(labels, num_classes, message):
    with pytest.raises(ValueError, match=message):
        check_labels(labels, num_classes)
