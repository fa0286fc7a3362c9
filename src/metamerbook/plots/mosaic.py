"""Place pictures and text on a figure by pixels, so that stimuli come out sharp; pack many pictures into few files."""

import io
import math
from collections.abc import Mapping, Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.text import Text
from matplotlib.transforms import Affine2D, Transform
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate, pad

from metamerbook.plots.style import DPI, INK, MUTED, RULE

CELL = 64
"""Side of a stimulus in pixels of the page; stored at twice that, a 64 px drawing shows each pixel as 2 × 2."""

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


def place_picture(
    figure: Figure, image: Tensor, left: float, top: float, side: float = CELL, *, frame: str | None = None
) -> Axes:
    """Show a stimulus, pixel by pixel."""
    axes = place_axes(figure, left, top, side, side)
    pixels = image.detach().cpu().clamp(0, 1).permute(1, 2, 0).numpy()
    enlarged = max(pixels.shape[:2]) <= 2 * side
    axes.imshow(pixels, interpolation="nearest" if enlarged else "antialiased")
    return _bare(axes, frame)


def place_map(figure: Figure, values: Tensor, left: float, top: float, side: float, *, low: float, high: float) -> Axes:
    """Show activations in colours that colour-blind readers can rank."""
    axes = place_axes(figure, left, top, side, side)
    axes.imshow(values.numpy(), cmap="cividis", vmin=low, vmax=high, interpolation="nearest")
    return _bare(axes, None)


def place_text(figure: Figure, text: str, left: float, top: float, **options: object) -> Text:
    """Write at a place in pixels of the page."""
    options = {"ha": "left", "va": "top", "color": INK, "fontsize": 8} | options
    return figure.text(left, top, text, transform=page(figure), **options)


def place_arrow(
    figure: Figure, start: tuple[float, float], end: tuple[float, float], **options: object
) -> FancyArrowPatch:
    """Draw an arrow from place to place, in pixels of the page."""
    looks = {"arrowstyle": "-|>", "mutation_scale": 8, "color": MUTED, "linewidth": 1.1, "shrinkA": 0, "shrinkB": 0}
    return figure.add_artist(FancyArrowPatch(start, end, transform=page(figure), **(looks | options)))


def place_box(
    figure: Figure, left: float, top: float, width: float, height: float, *, rounding: float = 0, **options: object
) -> FancyBboxPatch:
    """Draw a box, in pixels of the page."""
    shape = f"round,pad=0,rounding_size={rounding}" if rounding else "square,pad=0"
    box = FancyBboxPatch((left, top), width, height, boxstyle=shape, transform=page(figure), **options)
    return figure.add_artist(box)


def place_grid(
    figure: Figure, rows: Sequence[Sequence[Tensor]], left: float, top: float, side: float = CELL, gap: float = 3
) -> None:
    """Show stimuli in rows and columns."""
    for row, images in enumerate(rows):
        for column, image in enumerate(images):
            place_picture(figure, image, left + column * (side + gap), top + row * (side + gap), side)


def place_strip(figure: Figure, snapshots: Mapping[str, Tensor], left: float, top: float, step: float) -> None:
    """Show stimuli in a row, each with what is written under it."""
    for number, (text, image) in enumerate(snapshots.items()):
        x = round(left + number * step)
        place_picture(figure, image, x, top)
        place_text(figure, text, x + CELL / 2, top + CELL + 2, ha="center", color=MUTED, fontsize=7)


def unit_map(activation: Tensor) -> Tensor:
    """Lay the units of one image's activation out in a square, one pixel each."""
    units = activation.detach().cpu().float().reshape(-1)
    side = math.ceil(math.sqrt(len(units)))
    return pad(units, (0, side * side - len(units)), value=torch.nan).reshape(side, side)


def _bare(axes: Axes, frame: str | None) -> Axes:
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(frame is not None)
        spine.set_edgecolor(frame or RULE)
        spine.set_linewidth(1.4)
    return axes


class SheetsTooLargeError(ValueError):
    """There are too many pictures for the room, however small they are made."""


def encode_sheets(sheets: Sequence[Tensor], room: int) -> tuple[list[bytes], tuple[int, int]]:
    """Encode sheets (rows, columns, 3, H, W) as WebP, at one quality: the best with which they take `room` bytes.

    Where even the lowest quality needs more room, all pictures are halved in height and width.

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
