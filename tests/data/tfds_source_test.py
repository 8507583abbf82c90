import json
import shutil
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
import tensorflow as tf
import tensorflow_datasets as tfds

from sagan_tf.data import tfds_source
from sagan_tf.data.decoding import decode_image
from sagan_tf.data.tfds_source import TfdsSource, prepared_builder


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError(f"Tried to reach the network: {args}")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    for name in ("create_connection", "getaddrinfo", "gethostbyname"):
        monkeypatch.setattr(socket, name, refuse)
    # Buckets are read in C++, past these sockets.
    monkeypatch.setattr("tensorflow_datasets.core.utils.gcs_utils.exists", refuse)


def pets(folder, split="train", name="tiny_pets/labels"):
    return TfdsSource(prepared_builder(name, folder), split)


def values_and_labels(source):
    examples = [source.read(index) for index in range(len(source))]
    return [(int(decode_image(e.encoded, 1, 1)[0, 0, 0]), e.label) for e in examples]


@pytest.fixture(params=["array_record", "tfrecord"])
def folder(pets_dir, request):
    """A TFDS folder of each format."""
    return pets_dir(file_format=request.param)


def test_reads_encoded_images_and_labels(pets_dir, no_network, folder):
    source = pets(folder)
    assert source.class_names == ("cat", "dog")
    assert source.name == "tiny_pets/labels/1.2.0 train"
    encoded, label, name = source.read(3)
    assert isinstance(encoded, bytes) and isinstance(label, int)
    assert name == "tiny_pets/labels/1.2.0 train example 3"
    assert tf.io.decode_image(encoded).shape == (6, 4, 3)
    found = values_and_labels(source)
    assert sorted(found) == [(index, index % 2) for index in range(10)]
    assert found == values_and_labels(pets(pets_dir()))  # Formats agree on the order.


def test_many_threads_may_read(folder):
    source = pets(folder)
    with ThreadPoolExecutor(8) as threads:
        examples = list(threads.map(source.read, list(range(10)) * 50))
    assert len({example.name for example in examples}) == 10
    assert examples == examples[:10] * 50


def test_splits_and_slices(folder):
    assert sorted(values_and_labels(pets(folder, "test")))[0] == (10, 0)
    whole = values_and_labels(pets(folder))
    assert values_and_labels(pets(folder, "train[:80%]")) == whole[:8]
    assert values_and_labels(pets(folder, "train[-3:]")) == whole[-3:]
    assert len(pets(folder, "train+test")) == 14
    assert {label for _, label in values_and_labels(pets(folder, "unlabeled"))} == {-1}
    for split in ("validation", "trian[:50%]", "train[", ""):
        with pytest.raises(ValueError, match=r"Unknown split of tiny_pets.* Valid: test, train, u"):
            pets(folder, split)


def test_a_number_may_be_the_label(pets_dir):
    source = pets(pets_dir("numbers"), name="tiny_pets/numbers")
    assert source.class_names is source.num_classes is None
    assert sorted(values_and_labels(source))[:2] == [(0, 0), (1, 1)]


@pytest.mark.parametrize(
    ("config", "found"), [("captions", "caption, image, mask"), ("depths", "image, label, mask")]
)
def test_other_features_are_an_error(pets_dir, config, found):
    message = f"tiny_pets/{config}/1.2.0 must have an `image` and an integer `label`. It has: "
    with pytest.raises(ValueError, match=message) as caught:
        pets(pets_dir(config), name=f"tiny_pets/{config}")
    assert sorted(str(caught.value).partition("It has: ")[2].split(", ")) == found.split(", ")


def test_big_tf_records_must_be_converted_first(pets_dir, tmp_path, monkeypatch):
    monkeypatch.setattr(tfds_source, "MAX_BYTES_IN_MEMORY", 100)
    shutil.copytree(pets_dir(file_format="tfrecord"), tmp_path, dirs_exist_ok=True)
    folder = tmp_path / "tiny_pets/labels/1.2.0"
    advice = f"tfds convert_format --dataset_version_dir={folder} --out_file_format=array_record"
    with pytest.raises(ValueError, match=f"GiB of TF records.*{advice}$"):
        pets(tmp_path)
    # `tfds convert_format` leaves both formats in one folder.
    for path in pets_dir().glob("tiny_pets/labels/1.2.0/*.array_record*"):
        shutil.copy(path, folder)
    info = json.loads((folder / "dataset_info.json").read_text())
    info["alternativeFileFormats"] = ["array_record"]
    (folder / "dataset_info.json").write_text(json.dumps(info))
    assert values_and_labels(pets(tmp_path)) == values_and_labels(pets(pets_dir()))


def test_a_data_set_without_its_code_is_read_from_its_files(pets_dir, tmp_path, no_network):
    original = prepared_builder("tiny_pets/labels", pets_dir())
    folder = tmp_path / "our_pets" / "1.2.0"
    shutil.copytree(original.data_dir, folder)
    for path in folder.iterdir():
        if path.suffix == ".json":
            path.write_text(path.read_text().replace("tiny_pets", "our_pets"))
        path.rename(folder / path.name.replace("tiny_pets", "our_pets"))
    source = TfdsSource(prepared_builder("our_pets", tmp_path))
    assert values_and_labels(source) == values_and_labels(TfdsSource(original))


def test_damaged_files_are_an_error(folder, tmp_path):
    folder = shutil.copytree(folder, tmp_path / "copy")
    (records,) = folder.glob("tiny_pets/labels/1.2.0/*train.*record*")
    cut = records.read_bytes()[:-40]
    for damage in (lambda: records.write_bytes(cut), records.unlink):
        damage()
        with pytest.raises(ValueError, match=rf"\ACannot read tiny_pets.* train in {folder}.*\Z"):
            values_and_labels(pets(folder))


def test_only_download_fetches_and_prepares_what_is_missing(tmp_path, no_network):
    expected = rf"cifar10/[\d.]+ is not prepared in {tmp_path}/cifar10.*`data_dir`.*`download=True`"
    with pytest.raises(ValueError, match=expected):
        prepared_builder("cifar10", tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match=r"\A.*not prepare cifar10: .*network.*\Z"):
        prepared_builder("cifar10", tmp_path, download=True)
    assert list(tmp_path.glob("cifar10/*")) == []
    # What is not wanted is said before anything is fetched.
    with pytest.raises(ValueError, match="must have an `image` and an integer `label`. It has: "):
        prepared_builder("tiny_pets/captions", tmp_path, download=True)
    with pytest.raises(ValueError, match=r"`split` must be .*slice.* Received: train\[:9"):
        prepared_builder("tiny_pets/labels", tmp_path, download=True, split="train[:9")
    assert list(tmp_path.glob("tiny_pets/*")) == []
    builder = prepared_builder("tiny_pets/labels", tmp_path, download=True)
    assert builder.info.file_format == tfds.core.FileFormat.ARRAY_RECORD
    assert len(TfdsSource(builder)) == 10


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cifar11", r"'cifar11' is neither a .*\. Did you mean .*cifar10.*\? Valid: digits, "),
        ("data/flowers", "'data/flowers' is neither a folder nor a TFDS data set. Valid: digits"),
        ("my pets", "'my pets' is neither a folder nor a TFDS data set. "),
        ("", "'' is neither a folder nor a TFDS data set. "),
        ("gs://bucket/pets", "'gs://bucket/pets' is neither a folder nor a TFDS data set. "),
        ("huggingface:mnist", "'huggingface:mnist' is neither a folder nor a TFDS data set. "),
        ("tiny_pets/fish", "Cannot open the TFDS data set tiny_pets/fish: BuilderConfig fish not"),
        ("tiny_pets/labels:9.9.9", "Cannot open .*at version 9.9.9, only: 1.2.0."),
    ],
)
def test_unknown_names(tmp_path, no_network, name, message):
    with pytest.raises(ValueError, match=rf"\A{message}.*\Z"):
        prepared_builder(name, tmp_path)
