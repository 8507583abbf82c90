"""Zip archives that are torn, made to fill the memory, or hold names that lead elsewhere."""

import io
import resource
import struct
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from sagan_tf.data import ImageFolder, find_dataset
from sagan_tf.data.image_reader import ImageReader
from tests.hostile.images_test import encoded


def archive_of(members, method=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def whole():
    return archive_of({f"cat/{number}.png": encoded("PNG") for number in range(3)})


def test_a_torn_archive_is_one_line_wherever_it_is_torn(whole, tmp_path):
    path = tmp_path / "torn.zip"
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"\A.*torn\.zip is no zip archive, or a torn one.*\Z"):
            find_dataset(path)


def test_damage_costs_a_line_or_an_image(whole, tmp_path):
    path = tmp_path / "damaged.zip"
    random = np.random.default_rng(0)
    ends, messages = set(), []
    for _ in range(300):
        content = bytearray(whole)
        for position in random.integers(len(content), size=3):
            content[position] ^= 1 << int(random.integers(8))
        path.write_bytes(content)
        try:
            images, _ = ImageReader(ImageFolder(path), 16, skip_corrupt=True).read_all()
            ends.add(f"{len(images)} images")
        except ValueError as error:
            messages.append(str(error))
    assert messages
    # Python quotes any number of bytes.
    assert all(len(text.splitlines()) == 1 and len(text) < 1000 for text in messages)
    assert "3 images" in ends


def test_a_part_that_is_missing_in_the_middle(whole, tmp_path):
    path = tmp_path / "x.zip"
    path.write_bytes(whole[:100] + whole[200:])
    with pytest.raises(ValueError, match="is no zip archive, or a torn one|Cannot read|no images"):
        ImageReader(ImageFolder(path), 16).read_all()


def with_size(archive, size):
    """The archive of one file, which now claims to have another size."""
    directory = archive.index(b"PK\x01\x02")
    field = struct.pack("<I", size)
    return archive[: directory + 24] + field + archive[directory + 28 :]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: with_size(archive_of({"a.png": bytes(10**6)}), 100), "The archive is damaged"),
        (lambda: with_size(archive_of({"a.png": b"?"}), 100), "The archive is damaged"),
        (lambda: with_size(archive_of({"a.png": b"?"}), 2**32 - 2), "At most 268435456 are read"),
        (lambda: archive_of({"a.png": bytes(2**28 + 1)}), "At most 268435456 are read"),
        (
            lambda: archive_of({"a.png": bytes(99)}, zipfile.ZIP_BZIP2),
            "neither stored nor deflated",
        ),
        (lambda: archive_of({"a.png": bytes(99)}, zipfile.ZIP_LZMA), "neither stored nor deflated"),
    ],
)
def test_no_more_is_unpacked_than_a_file_may_have(make, message, tmp_path):
    path = tmp_path / "x.zip"
    path.write_bytes(make())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match=rf"^Cannot read {path}/a\.png: .*{message}"):
        ImageReader(ImageFolder(path), 16).read_all()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 2**10


READ = """
import sys
from sagan_tf.data import ImageFolder
from sagan_tf.data.image_reader import ImageReader
try:
    ImageReader(ImageFolder(sys.argv[1]), 16).read_all()
except ValueError as error:
    print(error)
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def test_a_bomb_does_not_fill_the_memory(tmp_path):
    # It claims to be a byte, and would unpack to 400 MB.
    (tmp_path / "bomb.zip").write_bytes(with_size(archive_of({"a.png": bytes(4 * 10**8)}), 1))
    found = subprocess.run(
        [sys.executable, "-c", READ, tmp_path / "bomb.zip"], capture_output=True, text=True
    )
    error, kibibytes = found.stdout.splitlines()
    assert "The archive is damaged" in error
    assert int(kibibytes) < 200 * 2**10


def test_names_lead_nowhere(tmp_path):
    (tmp_path / "secret.png").write_bytes(encoded("PNG"))
    names = ("../secret.png", f"{tmp_path}/secret.png", "cat/../../secret.png", "..\\secret.png")
    path = tmp_path / "x.zip"
    path.write_bytes(archive_of({**dict.fromkeys(names, b"?"), "cat/0.png": encoded("PNG")}))
    folder = ImageFolder(path)
    assert folder.describe() == "1 images in 1 class: cat 1; passed over: 4 files (odd name 4)"
    assert ImageReader(folder, 16)(0)[1] == 0


def test_other_archives_are_one_line(tmp_path):
    path = tmp_path / "x.zip"
    twice = archive_of({"a.png": b"1", "b.png": b"2"}).replace(b"b.png", b"a.png")
    flags = bytearray(archive_of({"a.png": b"1"}))
    flags[flags.index(b"PK\x01\x02") + 8] |= 1
    deep = archive_of({"a/" * 40 + "b.png": b"1"})
    for content, message in (
        (twice, "holds two files of the name a.png"),
        (bytes(flags), "is encrypted: a.png cannot be read"),
        (deep, "lies more than 32 folders deep"),
        (archive_of({}), "holds no images. Expected <class>"),
        (archive_of({"a.png": b"1", "labels.csv": b"a.png,1\nb.png,2"}), "names 1 image that is"),
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            ImageFolder(path)
