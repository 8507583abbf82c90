"""From the bytes of an image file to the pixels that a model wants."""

import io

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from sagan_tf.files import one_line


def decode_image(encoded, image_size, channels=3):
    """Decodes the bytes of a JPEG or PNG file to uint8 `(image_size, image_size, channels)`.

    The image is turned upright (EXIF), laid over white where it is transparent, cropped to its
    central square, and resized bicubically with antialiasing. Other bytes are a ValueError.
    """
    try:
        with Image.open(io.BytesIO(encoded)) as image:
            # A JPEG is decoded at 1/2, 1/4 or 1/8 where that leaves twice the pixels we need.
            image.draft(None, (2 * image_size, 2 * image_size))
            image = _convert(ImageOps.exif_transpose(image), "L" if channels == 1 else "RGB")
            image = ImageOps.fit(image, (image_size, image_size), Image.Resampling.BICUBIC)
    except UnidentifiedImageError as error:
        raise ValueError("not an image" if encoded else "empty file") from error
    except Exception as error:  # Broken bytes raise anything from SyntaxError to struct.error.
        raise ValueError(one_line(error)) from error
    return np.asarray(image).reshape(image_size, image_size, channels)


def _convert(image, mode):
    if image.mode.startswith("I"):  # 16-bit grey, which `convert` would clip at 255.
        values = np.clip(np.asarray(image), 0, 65535)
        image = Image.fromarray(np.rint(values / 257.0).astype(np.uint8))
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return image.convert(mode)
