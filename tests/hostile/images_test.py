"""Image files that are made to fill the memory, to take for ever, or to start a program."""

import io
import os
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from sagan_tf.data import ImageFolder
from sagan_tf.data.decoding import MAX_PIXELS, decode_image
from sagan_tf.data.image_reader import ImageReader


def png(width, height, *chunks, content=b""):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + zlib.crc32(kind + data).to_bytes(4)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(content)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*each) for each in chunks)


def encoded(format, size=(16, 16), color=None, **options):
    buffer = io.BytesIO()
    image = Image.linear_gradient("L").convert("RGB").resize(size)
    if color:
        image.paste(color, (0, 0, *size))
    image.save(buffer, format, **options)
    return buffer.getvalue()


def with_segments(jpeg, count, content):
    segment = b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content
    return jpeg[:2] + count * segment + jpeg[2:]


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 16 16\n%%EndComments\nshowpage\n"
TOO_LARGE = {
    "a narrow one": (png(2, 60_000_000), "too large: 120000000 pixels. At most 67108864 are read"),
    "a square one": (png(8_000, 8_000), "too large: 64000000 pixels in 65 bytes"),
    "webp": (encoded("WEBP", (5_000, 5_000), color="red", lossless=True), "25000000 pixels in"),
    "the largest number": (png(2**31 - 1, 2**31 - 1), "too large"),
}
NO_IMAGE = {
    "a program": (EPS, r"^not an image \(JPEG, PNG, WEBP, BMP, GIF, TIFF\)$"),
    "a vector drawing": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "^not an image"),
    "no size": (png(0, 4), "damaged|not an image"),
}


@pytest.mark.parametrize("name", TOO_LARGE | NO_IMAGE)
def test_it_is_refused_before_a_pixel_is_decoded(name, monkeypatch):
    content, message = (TOO_LARGE | NO_IMAGE)[name]
    monkeypatch.setattr(Image.core, "new", lambda *args: pytest.fail("memory for pixels"))
    with pytest.raises(ValueError, match=message):
        decode_image(content, 16)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_pixels_are_numbers(value):
    buffer = io.BytesIO()
    Image.fromarray(np.array([[0.5, value]], "float32")).save(buffer, "TIFF")
    with pytest.raises(ValueError, match="damaged"):
        decode_image(buffer.getvalue(), 16)


def test_the_largest_image_is_read():
    side = round(MAX_PIXELS**0.5)
    assert decode_image(encoded("JPEG", (side, side // 2)), 16).shape == (16, 16, 3)


HEADERS = 120_000 * b"Exif\0\0"


@pytest.mark.parametrize(
    "content",
    [
        png(16, 16, (b"eXIf", HEADERS), content=16 * bytes(49)),
        png(16, 16, *(20 * [(b"eXIf", HEADERS[:60_000])]), content=16 * bytes(49)),
        with_segments(encoded("JPEG"), 20, HEADERS[:60_000]),
        with_segments(b"\xff\xd8\xff" + encoded("JPEG")[2:], 20, HEADERS[:60_000]),
        encoded("WEBP", exif=HEADERS),
    ],
    ids=["one chunk", "many chunks", "segments", "filled", "webp"],
)
def test_the_time_for_exif_does_not_grow_with_its_square(content, monkeypatch):
    handled = []
    load = Image.Exif.load

    def recorded(self, data):
        handled.append(len(data or b""))
        return load(self, data)

    monkeypatch.setattr(Image.Exif, "load", recorded)
    assert decode_image(content, 16).shape == (16, 16, 3)
    assert max(handled, default=0) <= 2**16 + 8


@pytest.fixture
def folder(tmp_path):
    """An image of each of two classes, beside which hostile files are put."""
    for name in ("cat", "hen"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.png").write_bytes(encoded("PNG"))
    return tmp_path


def test_files_that_are_none_are_passed_over(folder):
    os.mkfifo(folder / "cat" / "pipe.jpg")
    (folder / "cat" / "zero.jpg").symlink_to("/dev/zero")
    (folder / "cat" / "nowhere.jpg").symlink_to(folder / "nowhere")
    source = ImageFolder(folder)
    assert (
        source.describe() == "2 images in 2 classes: cat 1, hen 1; passed over: 3 files (no file 3)"
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (os.mkfifo, "It is not a regular file"),
        (lambda path: path.symlink_to("/dev/zero"), "It is not a regular file"),
        (lambda path: path.touch() or os.truncate(path, 2**40), "At most 268435456 are read"),
        (lambda path: path.mkdir(), "It is not a regular file"),
    ],
)
def test_what_became_of_a_file_since_is_seen(folder, make, message):
    source = ImageFolder(folder)
    path = folder / "cat" / "0.png"
    path.unlink()
    make(path)
    with pytest.raises(ValueError, match=rf"^Cannot read {path}: .*{message}"):
        ImageReader(source, 16).read_all()
    images, _ = ImageReader(source, 16, skip_corrupt=True).read_all()
    np.testing.assert_array_equal(images[0], images[1])


READ = """
import resource, sys
from sagan_tf.data import find_dataset
from sagan_tf.data.image_reader import ImageReader
images, _ = ImageReader(find_dataset(sys.argv[1]), 32, skip_corrupt=True).read_all()
print(len(images), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def test_bombs_do_not_fill_the_memory(folder, tmp_path_factory):
    def peak(path):
        found = subprocess.run(
            [sys.executable, "-c", READ, path], check=True, capture_output=True, text=True
        )
        return [int(number) for number in found.stdout.split()]

    empty = tmp_path_factory.mktemp("empty")
    (empty / "0.png").write_bytes(encoded("PNG"))
    _, usual = peak(empty)
    # As many pixels as a file of its size may have, and whole: it takes its memory.
    whole = encoded("PNG", (4_000, 4_000))
    bombs = [content for content, _ in TOO_LARGE.values()] + [whole]
    for number in range(20):
        (folder / "hen" / f"bomb_{number}.png").write_bytes(bombs[number % len(bombs)])
    count, found = peak(folder)
    assert count == 22
    assert found - usual < 300
