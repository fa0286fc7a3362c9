"""Place pictures and text on a figure by pixels, so that stimuli come out with sharp, equal pixels."""

import math
from collections.abc import Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.text import Text
from matplotlib.transforms import Affine2D, Transform
from torch import Tensor

from metamerbook.plots.style import DPI, INK, MUTED, RULE

CELL = 64
"""Side of a stimulus in pixels of the page; stored at twice that, a 64 px drawing shows each pixel as 2 × 2."""


def page(figure: Figure) -> Transform:
    """Give the transform from pixels of the page: x to the right, y down from the figure's upper edge.

    Parameters
    ----------
    figure
        The figure.

    Returns
    -------
    Transform
        For artists of the figure.
    """
    across, down = figure.get_size_inches() * DPI
    return Affine2D().scale(1 / across, -1 / down).translate(0, 1) + figure.transFigure


def place_axes(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Put axes at a place in pixels of the page.

    Parameters
    ----------
    figure
        On which figure.
    left, top
        Of the upper left corner, from the figure's own.
    width, height
        Of the axes.

    Returns
    -------
    Axes
        Empty.
    """
    across, down = figure.get_size_inches() * DPI
    return figure.add_axes((left / across, 1 - (top + height) / down, width / across, height / down))


def place_picture(
    figure: Figure, image: Tensor, left: float, top: float, side: float = CELL, *, frame: str | None = None
) -> Axes:
    """Show a stimulus, pixel by pixel.

    Parameters
    ----------
    figure
        On which figure.
    image
        (3, H, W) RGB in [0, 1].
    left, top
        Of the upper left corner, in pixels of the page.
    side
        Of the square that it fills.
    frame
        Colour of a frame around it.

    Returns
    -------
    Axes
        That hold the picture.
    """
    axes = place_axes(figure, left, top, side, side)
    pixels = image.detach().cpu().clamp(0, 1).permute(1, 2, 0).numpy()
    enlarged = max(pixels.shape[:2]) <= 2 * side
    axes.imshow(pixels, interpolation="nearest" if enlarged else "antialiased")
    return _bare(axes, frame)


def place_map(figure: Figure, values: Tensor, left: float, top: float, side: float, *, low: float, high: float) -> Axes:
    """Show activations in colours that colour-blind readers can rank.

    Parameters
    ----------
    figure
        On which figure.
    values
        (h, w).
    left, top, side
        As for `place_picture`.
    low, high
        Values of the darkest and the lightest colour.

    Returns
    -------
    Axes
        That hold the map.
    """
    axes = place_axes(figure, left, top, side, side)
    axes.imshow(values.numpy(), cmap="cividis", vmin=low, vmax=high, interpolation="nearest")
    return _bare(axes, None)


def place_text(figure: Figure, text: str, left: float, top: float, **options: object) -> Text:
    """Write at a place in pixels of the page.

    Parameters
    ----------
    figure
        On which figure.
    text
        What to write.
    left, top
        Where it begins; `ha` and `va` in the options say otherwise.
    options
        Of matplotlib's text.

    Returns
    -------
    Text
        The text.
    """
    options = {"ha": "left", "va": "top", "color": INK, "fontsize": 8} | options
    return figure.text(left, top, text, transform=page(figure), **options)


def place_arrow(
    figure: Figure, start: tuple[float, float], end: tuple[float, float], **options: object
) -> FancyArrowPatch:
    """Draw an arrow from place to place, in pixels of the page.

    Parameters
    ----------
    figure
        On which figure.
    start, end
        (x, y) of tail and head.
    options
        Of matplotlib's FancyArrowPatch; ``arrowstyle="-"`` makes a line.

    Returns
    -------
    FancyArrowPatch
        The arrow.
    """
    looks = {"arrowstyle": "-|>", "mutation_scale": 8, "color": MUTED, "linewidth": 1.1, "shrinkA": 0, "shrinkB": 0}
    return figure.add_artist(FancyArrowPatch(start, end, transform=page(figure), **(looks | options)))


def place_box(
    figure: Figure, left: float, top: float, width: float, height: float, *, rounding: float = 0, **options: object
) -> FancyBboxPatch:
    """Draw a box, in pixels of the page.

    Parameters
    ----------
    figure
        On which figure.
    left, top, width, height
        Its place.
    rounding
        Radius of its corners.
    options
        Of matplotlib's patches.

    Returns
    -------
    FancyBboxPatch
        The box.
    """
    shape = f"round,pad=0,rounding_size={rounding}" if rounding else "square,pad=0"
    box = FancyBboxPatch((left, top), width, height, boxstyle=shape, transform=page(figure), **options)
    return figure.add_artist(box)


def place_grid(
    figure: Figure, rows: Sequence[Sequence[Tensor]], left: float, top: float, side: float = CELL, gap: float = 3
) -> None:
    """Show stimuli in rows and columns.

    Parameters
    ----------
    figure
        On which figure.
    rows
        The stimuli, each (3, H, W).
    left, top
        Of the first one's corner, in pixels of the page.
    side
        Of each picture.
    gap
        Between pictures.
    """
    for row, images in enumerate(rows):
        for column, image in enumerate(images):
            place_picture(figure, image, left + column * (side + gap), top + row * (side + gap), side)


def unit_map(activation: Tensor) -> Tensor:
    """Lay the units of one image's activation out in a square, one pixel each.

    Parameters
    ----------
    activation
        Of one image, of any shape.

    Returns
    -------
    Tensor
        (side, side) float32, unit after unit in rows; NaN where the last row is not full.
    """
    units = activation.detach().cpu().float().reshape(-1)
    side = math.ceil(math.sqrt(len(units)))
    return torch.nn.functional.pad(units, (0, side * side - len(units)), value=torch.nan).reshape(side, side)


def _bare(axes: Axes, frame: str | None) -> Axes:
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(frame is not None)
        spine.set_edgecolor(frame or RULE)
        spine.set_linewidth(1.4)
    return axes
