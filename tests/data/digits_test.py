import os

import numpy as np
import pytest
import tensorflow_datasets as tfds
from sklearn.datasets import load_digits

from sagan_tf.data.digits import Digits, prepared_digits


def test_is_a_tfds_builder_of_the_digits_of_scikit_learn(digits_dir):
    builder = tfds.builder("digits", data_dir=digits_dir)
    assert isinstance(builder, Digits)
    assert list(builder.info.splits) == ["train"]
    assert builder.info.features["label"].num_classes == 10
    examples = builder.as_dataset(split="train").as_numpy_iterator()
    images, labels = zip(*((e["image"], e["label"]) for e in examples), strict=True)
    digits, images = load_digits(), np.array(images)
    np.testing.assert_array_equal(labels, digits.target)
    assert (images.shape, images.dtype, images.max()) == ((1797, 8, 8, 1), np.uint8, 255)
    np.testing.assert_array_equal(images[..., 0], np.rint(digits.images * 255 / 16))


def test_is_written_only_once_and_in_silence(tmp_path, capfd):
    path = os.path.join(prepared_digits(tmp_path).data_dir, "dataset_info.json")
    before = os.stat(path)
    prepared_digits(tmp_path)
    after = os.stat(path)
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    printed, errors = capfd.readouterr()
    assert printed == ""
    assert "Generating" not in errors


def test_another_process_may_be_first(tmp_path, monkeypatch):
    """The other one starts later and is done before this one has written its images."""
    generate = Digits._generate_examples
    calls = []

    def generate_after_the_other(builder):
        calls.append(builder)
        if len(calls) == 1:
            prepared_digits(tmp_path)
        yield from generate(builder)

    monkeypatch.setattr(Digits, "_generate_examples", generate_after_the_other)
    assert prepared_digits(tmp_path).info.splits["train"].num_examples == 1797
    assert len(calls) == 2
    assert [path.name for path in (tmp_path / "digits").iterdir()] == ["1.0.0"]


def test_a_folder_that_is_taken_or_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "digits" / "1.0.0").mkdir(parents=True)
    with pytest.raises(ValueError, match=r"Cannot write the digits to .*1\.0\.0: something else"):
        prepared_digits(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"Cannot write the digits to .*file/digits.*`data_dir`"):
        prepared_digits(tmp_path / "file")


@pytest.mark.parametrize("text", ["", "{", '{"splits": 5}', "[]"])
def test_a_torn_description_is_one_line_or_does_no_harm(tmp_path, text, monkeypatch):
    builder = prepared_digits(tmp_path)
    (path,) = tmp_path.rglob("dataset_info.json")
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"^The digits in {tmp_path} are damaged .*`data_dir`\.$"):
        prepared_digits(tmp_path)
    monkeypatch.setattr(tfds.core.constants, "DATA_DIR", str(tmp_path))
    assert prepared_digits().info.splits["train"].num_examples == 1797
    assert builder.info.splits
