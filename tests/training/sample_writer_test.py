"""Sample grids, on a model that really trains."""

from PIL import Image

from sagan_tf.training import SampleWriter
from tests.training.small import fit


def test_sample_grids_show_the_classes_in_columns(sagan, tmp_path):
    fit(sagan, 3, SampleWriter(tmp_path, every=2, steps=3))
    assert sorted(path.name for path in (tmp_path / "samples").iterdir()) == [
        "step_0000002.png",
        "step_0000003.png",
    ]
    with Image.open(tmp_path / "samples" / "step_0000003.png") as picture:
        assert picture.height > picture.width  # three columns, six rows
