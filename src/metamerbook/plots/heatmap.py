"""Heat maps of what every evaluator says about every set and stage: the ground plan of Fig. 5 and of others."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from metamerbook.ensembles.sentences import network_label
from metamerbook.plots.mosaic import place_axes, place_text
from metamerbook.plots.style import (
    ACCENT,
    DPI,
    FAMILIES,
    INK,
    WIDTH,
    canvas,
    evaluator_order,
    set_groups,
    set_styles,
    stage_label,
    stage_positions,
    text_on,
)

_LEFT, _HEAD, _LINE, _BETWEEN, _WIDEST = 150, 66, 15, 5, 56


def evaluator_map(table: pd.DataFrame, column: str, took_part: pd.Series, colours: Colormap) -> Figure:
    """Draw values in [0, 1] of evaluators (rows, by family) for stages by set (columns).

    Parameters
    ----------
    table
        One row per model set, stage and evaluator, with the columns model_set, stage, evaluator, family, robust and
        random.
    column
        The values; missing ones stay white.
    took_part
        For each row, whether the evaluator took part in the generation. Such cells are framed by dashes and left out
        of the means in the last row.
    colours
        Of the values.

    Returns
    -------
    Figure
        As high as it has evaluators.
    """
    evaluators, stages = evaluator_order(table), list(stage_positions(table["stage"]))
    sets = [name for members in set_groups(table["model_set"]).values() for name in members]
    styles = set_styles(sets)
    values = table.set_index(["evaluator", "model_set", "stage"])[column]
    averages = table[~took_part].groupby(["model_set", "stage"])[column].mean()
    families = table.drop_duplicates("evaluator").set_index("evaluator")["family"]
    part = table.loc[took_part, ["evaluator", "model_set"]].drop_duplicates().to_numpy().tolist()
    cell = min(_WIDEST, (WIDTH * DPI - _LEFT - (len(sets) - 1) * _BETWEEN) / (len(sets) * len(stages)))
    across = _LEFT + len(sets) * (len(stages) * cell + _BETWEEN)
    bottom = _HEAD + _LINE * len(evaluators) + 6
    with canvas(height=(bottom + _LINE + 2) / DPI, width=across / DPI) as figure:
        for number, name in enumerate(sets):
            x = _LEFT + number * (len(stages) * cell + _BETWEEN)
            axes = place_axes(figure, x, _HEAD, len(stages) * cell, _LINE * len(evaluators))
            of_set = [[values.get((key, name, stage), np.nan) for stage in stages] for key in evaluators]
            _cells(axes, np.array(of_set), colours)
            _framed(axes, [row for row, key in enumerate(evaluators) if [key, name] in part], len(stages))
            axes.set_xticks(range(len(stages)), [stage_label(stage) for stage in stages], rotation=90, fontsize=7)
            axes.xaxis.tick_top()
            axes.tick_params(length=0)
            axes.set_yticks([])
            axes.spines[:].set_visible(False)
            below = place_axes(figure, x, bottom, len(stages) * cell, _LINE)
            _cells(below, np.array([[averages.get((name, stage), np.nan) for stage in stages]]), colours)
            below.set_axis_off()
            title = name.replace(" ", "\n", 1)
            place_text(figure, title, x, 0, fontsize=7, fontweight="bold", color=styles[name].text)
        for row, key in enumerate(evaluators):
            middle = _HEAD + (row + 0.5) * _LINE
            colour = FAMILIES.get(families[key], ("", INK))[1]
            place_text(figure, network_label(key), _LEFT - 8, middle, ha="right", va="center", color=colour, fontsize=7)
        middle = bottom + 0.5 * _LINE
        place_text(figure, "mean", _LEFT - 8, middle, ha="right", va="center", fontsize=7, fontweight="bold")
    return figure


def _cells(axes: Axes, values: np.ndarray, colours: Colormap) -> None:
    axes.imshow(values, cmap=colours, vmin=0, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            text = "1" if value > 0.995 else f"{value:.2f}"[1:]
            axes.text(column, row, text, ha="center", va="center", fontsize=6, color=text_on(colours(value)))


def _framed(axes: Axes, rows: Sequence[int], columns: int) -> None:
    for row in rows:
        box = Rectangle((-0.42, row - 0.42), columns - 0.16, 0.84, fill=False, edgecolor=ACCENT, linewidth=1)
        axes.add_patch(box).set_linestyle((0, (2.5, 1.2)))
