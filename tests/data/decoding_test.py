import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from sagan_tf.data.decoding import decode_image
from tests.data.samples import encoded


def plain(mode, color, file_format="PNG", **options):
    """An image file of one color, 12 pixels high and 20 wide."""
    image = Image.new(mode, (20, 12), color)
    if mode == "P":
        image.putpalette([200, 0, 0, 0, 0, 200])
    return encoded(image, file_format, **options)


def plain_16_bit(*color):
    return tf.io.encode_png(np.full((12, 20, len(color)), color, np.uint16)).numpy()


@pytest.mark.parametrize(
    ("data", "rgb"),
    [
        pytest.param(plain("L", 100), (100, 100, 100), id="gray"),
        pytest.param(plain("1", 1), (255, 255, 255), id="1-bit"),
        pytest.param(plain("P", 1), (0, 0, 200), id="palette"),
        pytest.param(plain("P", 1, transparency=1), (255, 255, 255), id="palette, transparent"),
        pytest.param(plain("P", 0, transparency=1), (200, 0, 0), id="palette, opaque"),
        pytest.param(plain("RGBA", (255, 0, 0, 128)), (255, 127, 127), id="rgba, half"),
        pytest.param(plain("LA", (0, 128)), (127, 127, 127), id="gray and alpha"),
        pytest.param(plain("L", 9, transparency=9), (255, 255, 255), id="gray, transparent"),
        pytest.param(plain_16_bit(40000), (156, 156, 156), id="16-bit gray"),
        pytest.param(plain_16_bit(65535), (255, 255, 255), id="16-bit white"),
        pytest.param(plain_16_bit(257 * 70, 257 * 8, 257 * 9), (70, 8, 9), id="16-bit rgb"),
        pytest.param(plain_16_bit(257 * 7, 65535), (7, 7, 7), id="16-bit gray and alpha"),
        pytest.param(plain("CMYK", (0, 255, 255, 0), "JPEG"), (255, 0, 0), id="cmyk"),
        pytest.param(plain("RGB", (10, 20, 30), "JPEG"), (10, 20, 30), id="jpeg"),
    ],
)
def test_every_mode_becomes_rgb_or_gray(data, rgb):
    luma = np.dot(rgb, (0.299, 0.587, 0.114))  # ITU-R 601-2, Pillow's and JPEG's.
    for channels, color in ((3, rgb), (1, luma)):
        image = decode_image(data, 8, channels)
        assert image.shape == (8, 8, channels)
        assert image.dtype == np.uint8
        np.testing.assert_allclose(image, np.broadcast_to(color, image.shape), atol=2)


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (3, 5), (1000, 17)])
@pytest.mark.parametrize("file_format", ["PNG", "JPEG"])
def test_any_size_becomes_square(size, file_format):
    image = decode_image(encoded(Image.new("RGB", size, (50, 60, 70)), file_format), 16)
    np.testing.assert_allclose(image, np.broadcast_to((50, 60, 70), (16, 16, 3)), atol=2)


def of_thirds(width, height):
    """A picture whose thirds from left to right, or from top to bottom, are red, green, blue."""
    image = np.tile(255 * np.eye(3, dtype=np.uint8)[:, None], (1, 3, 1))
    image = image.swapaxes(0, 1) if width > height else image
    return Image.fromarray(image).resize((width, height), Image.Resampling.NEAREST)


@pytest.mark.parametrize(
    ("fit", "colors"),
    [("crop", "ggg"), ("pad", "wrgbw"), ("stretch", "rgb")],
)
@pytest.mark.parametrize("file_format", ["PNG", "JPEG"])
def test_a_picture_that_is_no_square_becomes_one(fit, colors, file_format):
    values = {"r": (255, 0, 0), "g": (0, 255, 0), "b": (0, 0, 255), "w": (255, 255, 255)}
    for width, height in ((90, 30), (30, 90)):
        options = {"quality": 100, "subsampling": 0} if file_format == "JPEG" else {}
        data = encoded(of_thirds(width, height), file_format, **options)
        image = decode_image(data, 30, fit=fit)
        line = image[15] if width > height else image[:, 15]
        across = image[:, 15] if width > height else image[15]
        if fit == "pad":
            # The whole picture is 10 high in the middle of white.
            found = [across[2], line[5], line[15], line[25], across[27]]
        else:
            found = [line[place] for place in (5, 15, 25)]
        expected = [values[color] for color in colors]
        np.testing.assert_allclose(found, expected, atol=3)
        square = encoded(of_thirds(30, 30))
        np.testing.assert_array_equal(decode_image(square, 16, fit=fit), decode_image(square, 16))


@pytest.mark.parametrize("fit", ["pad", "stretch"])
@pytest.mark.parametrize("size", [(1, 5000), (5000, 1), (3, 5)])
def test_any_proportions_fit(fit, size):
    image = decode_image(encoded(Image.new("L", size, 7)), 16, 1, fit)
    assert image.shape == (16, 16, 1)
    assert 7 in image


def test_a_picture_is_turned_before_it_is_fitted():
    exif = Image.Exif()
    exif[0x0112] = 6  # A quarter turn clockwise.
    picture = of_thirds(90, 30)
    turned = picture.transpose(Image.Transpose.ROTATE_270)
    for fit in ("crop", "pad", "stretch"):
        expected = decode_image(encoded(turned), 16, fit=fit)
        data = encoded(picture, exif=exif)
        np.testing.assert_array_equal(decode_image(data, 16, fit=fit), expected)


def test_keeps_the_central_square_and_an_image_of_the_right_size_as_it_is():
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    wide = np.pad(pixels, ((0, 0), (16, 16), (0, 0)))
    tall = np.pad(pixels, ((16, 16), (0, 0), (0, 0)))
    for image in (pixels, wide, tall):
        np.testing.assert_array_equal(decode_image(encoded(image), 16), pixels)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG"])
def test_shrinking_averages(file_format):
    checkerboard = np.indices((128, 128)).sum(axis=0) % 2 * 255
    data = encoded(checkerboard.astype(np.uint8), file_format, quality=100)
    np.testing.assert_allclose(decode_image(data, 8, channels=1), 127.5, atol=4)


def test_a_big_jpeg_decoded_at_a_fraction_looks_the_same():
    rows, columns = np.indices((512, 512)) / 512
    waves = 127 + 100 * np.sin(9 * rows) * np.cos(7 * columns)
    pixels = waves.astype(np.uint8)
    jpeg, png = encoded(pixels, "JPEG", quality=95), encoded(pixels)
    difference = decode_image(jpeg, 32).astype(int) - decode_image(png, 32)
    assert np.abs(difference).max() <= 3


@pytest.mark.parametrize("file_format", ["PNG", "JPEG"])
def test_turns_the_image_upright(file_format):
    pixels = np.zeros((16, 16), np.uint8)
    pixels[:, :8] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # This is the orientation: the image is to be turned clockwise.
    image = decode_image(encoded(pixels, file_format, exif=exif), 16, channels=1)
    np.testing.assert_allclose(image[..., 0], pixels.T, atol=2)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_bad_exif_does_no_harm():
    data = plain("RGB", (10, 20, 30), "JPEG", exif=b"Exif\x00\x00II*\x00\x08\x00\x00\x00\xff\x00")
    np.testing.assert_allclose(decode_image(data, 8)[0, 0], (10, 20, 30), atol=2)


NOISE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
JPEG, PNG = encoded(NOISE, "JPEG"), encoded(NOISE)
PROGRESSIVE = encoded(NOISE, "JPEG", progressive=True)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(JPEG[: len(JPEG) // 2], "truncated file", id="half a jpeg"),
        pytest.param(PROGRESSIVE[:-2], "truncated file", id="progressive jpeg without its end"),
        pytest.param(PNG[: len(PNG) // 2], "damaged file|truncated file", id="half a png"),
        pytest.param(PNG[:40] + PNG[60:], "damaged file|not an image", id="hole in a png"),
        pytest.param(b"<html>not found</html>", "not an image", id="web page"),
        pytest.param(b"%!PS-Adobe-3.0 EPSF-3.0\n", "not an image", id="a program for Ghostscript"),
        pytest.param(b"P6 1 1 255 abc", "not an image", id="another format"),
        pytest.param(b"", "empty file", id="nothing"),
    ],
)
def test_broken_bytes_are_one_error(data, reason):
    with pytest.raises(ValueError, match=rf"\A({reason})( \(JPEG, .*\))?\Z"):
        decode_image(data, 8)


def chunk(kind, content, checksum=None):
    total = zlib.crc32(kind + content) if checksum is None else checksum
    return len(content).to_bytes(4) + kind + content + total.to_bytes(4)


HEADER = 33  # Bytes of a PNG up to the end of its first chunk.


@pytest.mark.parametrize(
    ("data", "whole"),
    [
        (JPEG[:-2], JPEG),
        (JPEG[:-1], JPEG),
        (PNG[:-12], PNG),
        (PNG[:-5], PNG),
        (PNG[:HEADER] + chunk(b"tEXt", b"a\0b", checksum=7) + PNG[HEADER:], PNG),
        (PNG[:HEADER] + chunk(b"iCCP", b"no profile") + PNG[HEADER:], PNG),
        (PNG[:HEADER] + chunk(b"eXIf", b"\0\x08\0\x02\x01\x12\0\x03") + PNG[HEADER:], PNG),
        (PNG[:HEADER] + chunk(b"zTXt", b"a\0\0" + 99 * b"?") + PNG[HEADER:], PNG),
        (PNG + b"more", PNG),
    ],
)
def test_damage_beside_the_pixels_does_no_harm(data, whole):
    np.testing.assert_array_equal(decode_image(data, 64), decode_image(whole, 64))


@pytest.mark.parametrize("position", range(60, len(JPEG) - 4, 97))
def test_a_jpeg_that_lacks_pixels_is_never_taken_for_a_whole_one(position):
    with pytest.raises(ValueError, match="file|not an image"):
        decode_image(JPEG[:position], 64)


@pytest.mark.parametrize("file_format", ["WEBP", "BMP", "GIF", "TIFF"])
def test_other_formats(file_format):
    pixels = np.full((16, 16, 3), (250, 10, 90), np.uint8)
    np.testing.assert_allclose(decode_image(encoded(pixels, file_format), 16), pixels, atol=6)


@pytest.mark.parametrize("highest", [255, 1023, 4095, 65535])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_numbers_of_16_bits_are_taken_by_their_range(highest, channels):
    values = np.random.default_rng(0).integers(0, highest, (16, 16, channels), np.uint16)
    values[0, 0, :3] = highest
    values[..., 3:] = 65535
    expected = np.rint(values[..., :3] / highest * 255)
    found = decode_image(tf.io.encode_png(values).numpy(), 16, min(channels, 3))
    # Pillow drops the lower byte of colors where the upper one is used.
    np.testing.assert_allclose(found, expected, atol=1)
