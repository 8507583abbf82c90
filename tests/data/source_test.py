import pytest

from sagan_tf.data import Source
from tests.data.samples import Numbered


def test_number_of_classes_follows_from_their_names():
    assert Numbered(3).num_classes == 10
    assert Numbered(3).class_names[:2] == ("0", "1")


def test_classes_may_be_unknown():
    class Unlabelled(Numbered):
        def __init__(self):
            Source.__init__(self, "unlabelled", None)

    assert Unlabelled().class_names is None
    assert Unlabelled().num_classes is None


def test_a_source_must_read():
    with pytest.raises(TypeError, match="abstract"):
        Source("name", None)
