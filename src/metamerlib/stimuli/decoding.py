"""One image file to one square array of RGB bytes."""

import os
import warnings

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP")

BACKGROUND = (255, 255, 255)
"""What shows through transparent pixels: white, as in most viewers."""


class UnreadablePhotographError(OSError):
    """A file is not an image that can be read; the message says in words why."""


def decode_photograph(path: str | os.PathLike[str], size: int) -> np.ndarray:
    """Read an image file as a square of RGB bytes.

    In this order: the image is turned upright as its EXIF orientation says; the largest centred square is cut
    out; 16-bit grey levels are rounded to 8 bits; transparent pixels are composited on white; CMYK, grey and
    palette images become RGB; the square is resized with a bilinear filter that widens with the reduction
    (antialiasing), which never leaves the range of the pixels. Colour profiles are not applied. Of an
    animation, the first frame is taken.

    Parameters
    ----------
    path
        A JPEG, PNG or WebP file, recognised by its content.
    size
        Height and width of the result in pixels.

    Returns
    -------
    np.ndarray
        uint8, (size, size, 3).

    Raises
    ------
    UnreadablePhotographError
        If the file cannot be opened, is empty, truncated, damaged or of another format, or has more pixels
        than Pillow's limit against decompression bombs: twice ``PIL.Image.MAX_IMAGE_PIXELS``, 179 million as
        shipped, which may be raised for files that you trust.
    """
    with warnings.catch_warnings():
        # Pillow warns from half of its limit on, and of odd metadata; an image is read or it is refused.
        warnings.simplefilter("ignore")
        try:
            with Image.open(path, formats=FORMATS) as file:
                image = _rgb(_upright_square(file))
        except UnidentifiedImageError:
            empty = os.path.getsize(path) == 0
            reason = "the file is empty" if empty else f"not a {', '.join(FORMATS[:-1])} or WebP image"
            raise UnreadablePhotographError(reason) from None
        except Image.DecompressionBombError as error:
            raise UnreadablePhotographError(
                f"too large: {error} Raise PIL.Image.MAX_IMAGE_PIXELS if you trust it"
            ) from None
        except OSError as error:
            raise UnreadablePhotographError(error.strerror or f"damaged: {error}") from error
        except Exception as error:  # decoders meet arbitrary bytes and raise whatever comes of them
            raise UnreadablePhotographError(f"damaged: {type(error).__name__}: {error}") from error
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR))


def _upright_square(file: Image.Image) -> Image.Image:
    ImageOps.exif_transpose(file, in_place=True)
    side = min(file.size)
    left, top = (file.width - side) // 2, (file.height - side) // 2
    return file.crop((left, top, left + side, top + side))


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode in ("I", "I;16", "I;16B", "I;16L"):
        # Pillow hands out 16-bit grey levels as they are, and its own conversion would clip them at 255.
        levels = np.asarray(image, dtype=np.uint32)
        image = Image.fromarray(((levels + 128) // 257).astype(np.uint8))
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, (*BACKGROUND, 255)), layer)
    return image.convert("RGB")
