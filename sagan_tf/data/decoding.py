"""From the bytes of an image file to the pixels that a model wants."""

import contextlib
import io
import threading
import warnings
import zlib

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
"""The formats that are read, all by Pillow itself: none of them starts another program."""

FITS = ("crop", "pad", "stretch")
"""How a picture becomes a square: by its central one, on a white square, or by force."""

MAX_PIXELS = 2**26
"""The pixels of the largest image that is read, 8192x8192. They take some 12 bytes each."""

# All threads together decode so many at once, or one larger image. A large one with more than
# `_PIXELS_PER_BYTE` for each byte of its file is refused, as it was made to fill the memory.
_PIXELS_AT_ONCE, _LARGE, _PIXELS_PER_BYTE = 2**24, 2**22, 1024
_ORIENTATION = 0x0112  # Tag of EXIF.
_LONGEST_EXIF = 2**16  # As in JPEG. Pillow's time for longer ones may grow with the square.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_WHITES = (1, 255, 1023, 4095, 65535)  # Of floats, and of 8, 10, 12 and 16 bits.
_PNG, _IEND = b"\x89PNG\r\n\x1a\n", b"\0\0\0\0IEND\xaeB`\x82"
_JPEG, _END_OF_JPEG = b"\xff\xd8", b"\xff\xd9"
_APP1, _START_OF_SCAN = 0xE1, 0xDA
_NOISE = b"", bytes(range(1, 200)), bytes(200), 200 * b"\xa9", bytes(range(250, 1, -1))

# Pillow warns of what is refused here, or does no harm.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", module="PIL")


def decode_image(encoded, image_size, channels=3, fit="crop"):
    """Decodes the bytes of an image file to uint8 `(image_size, image_size, channels)`.

    The format is that of the content, one of `FORMATS`; an animation is its first frame. The image
    is turned upright (EXIF), laid over white where it is transparent, made a square by one of
    `FITS`, and resized bicubically with antialiasing. Numbers of 16 bits that use fewer are taken
    by their range. Damage to what the pixels do not depend on does no harm: to EXIF, to text and
    profiles of PNG, or to a missing end marker. Other bytes are a ValueError, and so are more than
    `MAX_PIXELS`, or far more than so many bytes can mean; both are found before a pixel is decoded.
    """
    if encoded.startswith(_PNG):
        encoded = _without_ornaments(encoded)
    elif encoded.startswith(_JPEG):
        encoded = _with_one_exif(encoded)
    try:
        try:
            image = _decode(encoded, image_size, channels, fit)
        except OSError:
            if not encoded.startswith(_JPEG):
                raise
            # Without its end a JPEG may be whole: then what follows its data changes no pixel. A
            # progressive one may lack whole passes.
            encoded = encoded.rstrip(b"\xff")
            image, *others = (
                _decode(encoded + noise + _END_OF_JPEG, image_size, channels, fit)
                for noise in _NOISE
            )
            if any(image != other for other in others) or _is_progressive(encoded):
                raise
    except UnidentifiedImageError as error:
        names = ", ".join(FORMATS)
        raise ValueError(f"not an image ({names})" if encoded else "empty file") from error
    except (_TooLarge, Image.DecompressionBombError) as error:
        raise ValueError(f"too large: {error}") from error
    except Exception as error:  # Broken bytes raise anything from SyntaxError to struct.error.
        truncated = any(word in str(error).lower() for word in ("truncated", "unexpected end"))
        raise ValueError("truncated file" if truncated else "damaged file") from error
    return np.asarray(image).reshape(image_size, image_size, channels)


def fit_key(fit):
    """What the key of a cache holds of a fit: of the default nothing, as older keys do."""
    return {} if fit == "crop" else {"fit": fit}


def _decode(encoded, image_size, channels, fit):
    with Image.open(io.BytesIO(encoded), formats=FORMATS) as image:
        count = image.width * image.height
        if count > MAX_PIXELS:
            raise _TooLarge(f"{count} pixels. At most {MAX_PIXELS} are read")
        if count > max(_LARGE, _PIXELS_PER_BYTE * len(encoded)):
            raise _TooLarge(f"{count} pixels in {len(encoded)} bytes")
        # A JPEG is decoded at 1/2, 1/4 or 1/8 where that leaves twice the pixels we need.
        image.draft(None, (2 * image_size, 2 * image_size))
        if "progressive" not in image.info:
            count = image.width * image.height
        with _pixels.spending(count):
            pixels = _eight_bit(image, encoded)
            turn = _TURNS.get(_orientation(image))
            pixels = _convert(pixels, "L" if channels == 1 else "RGB")
            image = pixels if turn is None else pixels.transpose(turn)
            return _square(image, image_size, fit)


def _square(image, size, fit):
    square = (size, size)
    if fit == "crop":
        return ImageOps.fit(image, square, Image.Resampling.BICUBIC)
    if fit == "stretch":
        return image.resize(square, Image.Resampling.BICUBIC)
    longest = max(image.size)
    inner = [max(1, round(side * size / longest)) for side in image.size]
    whole = Image.new(image.mode, square, "white")
    corner = [(size - side) // 2 for side in inner]
    whole.paste(image.resize(inner, Image.Resampling.BICUBIC), corner)
    return whole


class _TooLarge(Exception):
    """An image of too many pixels."""


class _Budget:
    """A number that all threads together do not exceed, unless one thread does so alone."""

    def __init__(self, limit):
        self._limit = limit
        self._spent = 0
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def spending(self, count):
        """Waits until so much is left."""
        with self._changed:
            self._changed.wait_for(lambda: not self._spent or self._spent + count <= self._limit)
            self._spent += count
        try:
            yield
        finally:
            with self._changed:
                self._spent -= count
                self._changed.notify_all()


_pixels = _Budget(_PIXELS_AT_ONCE)


def _is_progressive(encoded):
    with Image.open(io.BytesIO(encoded), formats=FORMATS) as image:
        return "progressive" in image.info


def _orientation(image):
    if len(image.info.get("exif", b"")) > _LONGEST_EXIF:
        return None
    try:
        return image.getexif().get(_ORIENTATION)
    except Exception:  # Damaged EXIF raises as many kinds as damaged files.
        return None


def _eight_bit(image, encoded):
    """The image with 8 bits per channel; Pillow clips gray ones of more bits at 255."""
    if image.mode.startswith(("I", "F")):
        return _scaled(np.asarray(image))
    tiles = image.tile
    image.load()
    if any(tile.args in ("RGB;16B", "RGBA;16B") for tile in tiles):
        upper = np.asarray(image)
        if upper[..., :3].max() < 16:
            # Pillow keeps the upper byte of each number; in the other order it is the lower one.
            other = Image.open(io.BytesIO(encoded), formats=FORMATS)
            other.tile = [tile._replace(args=tile.args.replace("16B", "16L")) for tile in tiles]
            lower = np.asarray(other)
            colors = _scaled(256 * upper[..., :3].astype("int32") + lower[..., :3])
            return Image.fromarray(np.dstack([colors, upper[..., 3:]]))
    return image


def _scaled(values):
    """The 8-bit image of numbers from 0 to the least of the usual values of white."""
    if not np.all(np.isfinite(values)):
        raise ValueError("numbers that are not finite")
    highest = max(0.0, float(values.max()))
    usual = _WHITES if values.dtype.kind == "f" else _WHITES[1:]
    white = next((each for each in usual if highest <= each), usual[-1])
    return Image.fromarray(np.rint(np.clip(values / white, 0, 1) * 255).astype(np.uint8))


def _convert(image, mode):
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return image.convert(mode)


def _without_ornaments(data):
    """A PNG file with an end, and without chunks that its pixels do not depend on."""
    kept, position, kind = [data[:8]], 8, b""
    while position + 8 <= len(data) and kind != b"IEND":
        length, kind = int.from_bytes(data[position : position + 4]), data[position + 4 :][:4]
        chunk = data[position : position + 12 + length]
        is_critical = not kind[0] & 0x20
        is_wanted = kind == b"tRNS" or (kind == b"eXIf" and length <= _LONGEST_EXIF)
        if is_critical or (is_wanted and zlib.crc32(chunk[4:-4]).to_bytes(4) == chunk[-4:]):
            kept.append(chunk)
        position += 12 + length
    return b"".join(kept if kind == b"IEND" else [*kept, _IEND])


def _with_one_exif(data):
    """A JPEG file whose EXIF is the first of its segments of that kind; Pillow would join them."""
    if data.count(b"Exif") < 2:
        return data
    kept, begin, position, found = [], 0, 2, False
    while 0 <= (position := data.find(b"\xff", position)) <= len(data) - 4:
        marker = data[position + 1]
        if marker == _START_OF_SCAN:
            break
        if marker == 0xFF:
            position += 1
        elif marker < 2 or 0xD0 <= marker <= 0xD9:  # It has no length.
            position += 2
        else:
            end = position + 2 + int.from_bytes(data[position + 2 : position + 4])
            if marker == _APP1 and data[position + 4 : position + 8] == b"Exif":
                if found:
                    kept.append(data[begin:position])
                    begin = end
                found = True
            position = end
    return b"".join([*kept, data[begin:]])
