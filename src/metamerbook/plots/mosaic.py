"""Place pictures and text on a figure by pixels, so that stimuli come out sharp; pack many pictures into few files."""

import io
import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Patch
from matplotlib.text import Text
from matplotlib.transforms import Affine2D, Transform
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate, pad

from metamerbook.plots.style import DPI, INK, MUTED

CELL = 64  # side of a stimulus in pixels of the page; stored at twice that, a drawing shows each pixel as 2 × 2
_QUALITIES = range(95, 10, -5)
_SMALLEST_SIDE = 32


def page(figure: Figure) -> Transform:
    """Give the transform from pixels of the page: x to the right, y down from the figure's upper edge."""
    across, down = figure.get_size_inches() * DPI
    return Affine2D().scale(1 / across, -1 / down).translate(0, 1) + figure.transFigure


def place_axes(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Put axes at a place in pixels of the page."""
    across, down = figure.get_size_inches() * DPI
    return figure.add_axes((left / across, 1 - (top + height) / down, width / across, height / down))


def place_picture(figure: Figure, image: Tensor, left: float, top: float, side: float = CELL) -> None:
    """Show a stimulus, pixel by pixel."""
    pixels = image.detach().cpu().clamp(0, 1).permute(1, 2, 0).numpy()
    enlarged = max(pixels.shape[:2]) <= 2 * side
    axes = place_axes(figure, left, top, side, side)
    axes.imshow(pixels, interpolation="nearest" if enlarged else "antialiased")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def place_text(figure: Figure, text: str, left: float, top: float, **options: object) -> Text:
    """Write at a place in pixels of the page."""
    options = {"ha": "left", "va": "top", "color": INK, "fontsize": 8} | options
    return figure.text(left, top, text, transform=page(figure), **options)


def place_arrow(figure: Figure, start: tuple[float, float], end: tuple[float, float], **options: object) -> None:
    """Draw an arrow from place to place, in pixels of the page."""
    looks = {"arrowstyle": "-|>", "mutation_scale": 8, "color": MUTED, "linewidth": 1.1, "shrinkA": 0, "shrinkB": 0}
    figure.add_artist(FancyArrowPatch(start, end, transform=page(figure), **(looks | options)))


def place_box(figure: Figure, left: float, top: float, width: float, height: float, **options: object) -> Patch:
    """Draw a box, in pixels of the page."""
    looks = {"boxstyle": "square,pad=0"} | options
    return figure.add_artist(FancyBboxPatch((left, top), width, height, transform=page(figure), **looks))


def place_strip(figure: Figure, captioned: Iterable[tuple[str, Tensor]], left: float, top: float, step: float) -> None:
    """Show stimuli in a row, each with what is written under it."""
    for number, (text, image) in enumerate(captioned):
        x = round(left + number * step)
        place_picture(figure, image, x, top)
        place_text(figure, text, x + CELL / 2, top + CELL + 2, ha="center", color=MUTED, fontsize=7)


def place_key(figure: Figure, entries: Iterable[tuple[str, str]], left: float, top: float, **options: object) -> None:
    """Write words in a row, each in its colour."""
    for words, colour in entries:
        text = place_text(figure, words, left, top, color=colour, **options)
        left += text.get_window_extent().width + 10


def unit_map(activation: Tensor) -> Tensor:
    """Lay the units of one image's activation out in a square, one pixel each."""
    units = activation.detach().cpu().float().reshape(-1)
    side = math.ceil(math.sqrt(len(units)))
    return pad(units, (0, side * side - len(units)), value=torch.nan).reshape(side, side)


class SheetsTooLargeError(ValueError):
    """There are too many pictures for the room, however small they are made."""


def encode_sheets(sheets: Sequence[Tensor], room: int) -> tuple[list[bytes], tuple[int, int]]:
    """Encode sheets (rows, columns, 3, H, W) as WebP, at one quality: the best with which they take `room` bytes.

    Return the files, and width and height of each picture in them; they stand side by side without gaps. Where even
    the lowest quality needs more room, all pictures are halved; `SheetsTooLargeError` if that does not help either.
    """
    images = [_image(sheet) for sheet in sheets]
    height, width = sheets[0].shape[-2:]
    best = bisect_left(_QUALITIES, True, key=lambda quality: sum(map(len, _encoded(images, quality))) <= room)
    if best < len(_QUALITIES):
        return _encoded(images, _QUALITIES[best]), (width, height)
    if min(height, width) < 2 * _SMALLEST_SIDE:
        count = sum(sheet.shape[0] * sheet.shape[1] for sheet in sheets)
        raise SheetsTooLargeError(f"{count} pictures do not fit into {room} bytes: show fewer, or give more room.")
    halved = [interpolate(sheet.flatten(0, 1), (height // 2, width // 2), mode="area") for sheet in sheets]
    return encode_sheets(
        [small.unflatten(0, sheet.shape[:2]) for small, sheet in zip(halved, sheets, strict=True)], room
    )


def _image(sheet: Tensor) -> Image.Image:
    rows, columns, _, height, width = sheet.shape
    pixels = sheet.permute(0, 3, 1, 4, 2).reshape(rows * height, columns * width, 3)
    return Image.fromarray(pixels.clamp(0, 1).mul(255).round().byte().numpy())


def _encoded(images: Sequence[Image.Image], quality: int) -> list[bytes]:
    files = [io.BytesIO() for _ in images]
    for image, file in zip(images, files, strict=True):
        image.save(file, "WEBP", quality=quality, method=4)
    return [file.getvalue() for file in files]
