"""Fig. 2: references and their metamers, by model set and stage; and the sheet of references."""

from collections.abc import Mapping, Sequence
from math import ceil

from matplotlib.figure import Figure
from torch import Tensor

from metamerbook.plots.mosaic import CELL, place_grid, place_picture, place_text
from metamerbook.plots.style import DPI, INK, MUTED, WIDTH, canvas, set_styles, stage_label, stage_positions
from metamerlib.models import Stage

_GAP, _BETWEEN, _NAMES, _HEAD = 2, 8, 92, 22


def figure_examples(references: Tensor, examples: Mapping[tuple[str, Stage], Tensor]) -> Figure:
    """Show metamers below the references that they were made from (paper, Figure 2).

    Parameters
    ----------
    references
        (N, 3, H, W) in [0, 1].
    examples
        (name of the set, stage) to the metamers of these references, (N, 3, H, W), as
        `metamerbook.ensembles.pictures.examples` returns them.

    Returns
    -------
    Figure
        One row per set below a row of references; one block of columns per stage, blocks side by side where there is
        room for them.

    Raises
    ------
    ValueError
        If there is nothing to show, or a set of metamers has another number of images.
    """
    if not examples or any(len(metamers) != len(references) for metamers in examples.values()):
        counts = {key: len(metamers) for key, metamers in examples.items()}
        raise ValueError(f"examples has {counts or 'no'} images: give metamers of all {len(references)} references.")
    sets = list(dict.fromkeys(name for name, _ in examples))
    stages = list(stage_positions(stage for _, stage in examples))
    chunks = _chunks(len(references), len(stages))
    blocks = [(stage, chunk) for stage in stages for chunk in chunks]
    beside = max(1, len(stages)) if len(chunks) == 1 and len(stages) * len(references) <= _fit(len(stages)) else 1
    down = (len(sets) + 1) * (CELL + _GAP) + _HEAD + _BETWEEN
    lines = ceil(len(blocks) / beside)
    with canvas(height=(lines * down - _BETWEEN) / DPI) as figure:
        for number, (stage, chunk) in enumerate(blocks):
            line, column = divmod(number, beside)
            left = _NAMES + column * (len(chunk) * (CELL + _GAP) + _BETWEEN)
            top = line * down
            place_text(figure, stage_label(stage), left, top + 3, fontsize=8.5, fontweight="bold")
            rows = [references[chunk], *(examples[name, stage][chunk] for name in sets if (name, stage) in examples)]
            place_grid(figure, rows, left, top + _HEAD, gap=_GAP)
            if column == 0:
                _names(figure, sets, top + _HEAD)
    return figure


def figure_stimuli(references: Tensor, names: Sequence[str]) -> Figure:
    """Show references with the names of their categories.

    Parameters
    ----------
    references
        (N, 3, H, W) in [0, 1].
    names
        (N,) categories.

    Returns
    -------
    Figure
        In rows of up to eight.
    """
    columns = min(8, len(references))
    step, down = (WIDTH * DPI - CELL) / 7, CELL + 22
    with canvas(height=ceil(len(references) / columns) * down / DPI) as figure:
        for number, (image, name) in enumerate(zip(references, names, strict=True)):
            left, top = round(number % columns * step), number // columns * down
            place_picture(figure, image, left, top)
            place_text(figure, name, left + CELL / 2, top + CELL + 3, ha="center", color=MUTED, fontsize=7.5)
    return figure


def _fit(blocks: int) -> int:
    """Count the columns of pictures that go side by side in so many blocks."""
    room = WIDTH * DPI - _NAMES - (blocks - 1) * _BETWEEN + _GAP
    return int(room // (CELL + _GAP))


def _chunks(count: int, stages: int) -> list[list[int]]:
    """Cut a row of images into rows that fit."""
    widest = _fit(1)
    lines = ceil(count / widest)
    width = ceil(count / lines)
    return [list(range(start, min(start + width, count))) for start in range(0, count, width)]


def _names(figure: Figure, sets: Sequence[str], top: float) -> None:
    """Write the names of the rows in the colours of their sets."""
    styles = set_styles(sets)
    for row, name in enumerate(["reference", *sets]):
        middle = top + row * (CELL + _GAP) + CELL / 2
        colour = styles[name].text if name in styles else INK
        words = name.replace(" ", "\n", 1)
        place_text(
            figure, words, _NAMES - 8, middle, ha="right", va="center", color=colour, fontweight="bold", fontsize=7
        )
