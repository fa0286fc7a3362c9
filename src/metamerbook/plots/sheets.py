"""Many small pictures in few files, small enough for a page that carries them itself."""

import io
from collections.abc import Sequence

from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

_QUALITIES = range(95, 10, -5)
_SMALLEST_SIDE = 32


class SheetsTooLargeError(ValueError):
    """There are too many pictures for the room, however small they are made."""


def encode_sheets(sheets: Sequence[Tensor], room: int) -> tuple[list[bytes], tuple[int, int]]:
    """Encode sheets of pictures as WebP, at one quality: the best that the room allows.

    Where even the lowest quality needs more room, all pictures are halved in height and width.

    Parameters
    ----------
    sheets
        Each (rows, columns, 3, H, W) RGB in [0, 1], with the same H and W.
    room
        Bytes that the files may take together.

    Returns
    -------
    tuple of list of bytes and tuple of int
        The files; width and height of each picture in them, which stand side by side without gaps.

    Raises
    ------
    SheetsTooLargeError
        If the pictures do not fit, however small.
    """
    images = [_image(sheet) for sheet in sheets]
    below, above = 0, len(_QUALITIES)  # the best quality that fits is somewhere in this range
    found: list[bytes] | None = None
    while below < above:
        middle = (below + above) // 2
        files = [_encoded(image, _QUALITIES[middle]) for image in images]
        if sum(map(len, files)) <= room:
            above, found = middle, files
        else:
            below = middle + 1
    height, width = sheets[0].shape[-2:]
    if found is not None:
        return found, (width, height)
    if min(height, width) < 2 * _SMALLEST_SIDE:
        count = sum(sheet.shape[0] * sheet.shape[1] for sheet in sheets)
        raise SheetsTooLargeError(f"{count} pictures do not fit into {room} bytes: show fewer, or give more room.")
    return encode_sheets([_halved(sheet) for sheet in sheets], room)


def _image(sheet: Tensor) -> Image.Image:
    rows, columns, _, height, width = sheet.shape
    pixels = sheet.permute(0, 3, 1, 4, 2).reshape(rows * height, columns * width, 3)
    return Image.fromarray(pixels.clamp(0, 1).mul(255).round().byte().numpy())


def _encoded(image: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    image.save(file, "WEBP", quality=quality, method=4)
    return file.getvalue()


def _halved(sheet: Tensor) -> Tensor:
    rows, columns = sheet.shape[:2]
    size = (sheet.shape[3] // 2, sheet.shape[4] // 2)
    return interpolate(sheet.flatten(0, 1), size, mode="area").unflatten(0, (rows, columns))
