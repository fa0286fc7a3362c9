"""Kinds of axes that several chapters draw: heat maps of evaluators, shares over stages, points in named rows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import ceil

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from metamerbook.plots import style
from metamerbook.plots.mosaic import place_axes, place_text
from metamerbook.plots.style import ACCENT, DPI, FAMILIES, INK, MUTED, PAPER, WIDTH
from metamerbook.study.words import network_label
from metamerlib.models import Stage

_LEFT, _HEAD, _LINE, _WIDEST = 142, 66, 15, 56


def evaluator_map(table: pd.DataFrame, column: str, took_part: pd.Series, colours: Colormap) -> Figure:
    """Draw values in [0, 1] of evaluators (rows, by family) for stages by set (columns).

    Cells of evaluators that took part in the generation are framed by dashes and left out of the last row's means;
    missing values stay white.
    """
    places = pd.MultiIndex.from_tuples(style.cells(table))
    sets, stages = (list(dict.fromkeys(level)) for level in zip(*places, strict=True))
    values = table.set_index(["evaluator", "model_set", "stage"])[column].unstack(["model_set", "stage"])
    values = values.reindex(style.evaluator_order(table))[places]
    evaluators = list(values.index)
    values.loc[""] = np.nan
    values.loc["mean"] = table[~took_part].groupby(["model_set", "stage"], sort=False)[column].mean()
    width = len(places) * min(_WIDEST, (WIDTH * DPI - _LEFT) / len(places))
    height = _LINE * len(values)
    with style.canvas(height=(_HEAD + height + 2) / DPI, width=(_LEFT + width) / DPI) as figure:
        axes = place_axes(figure, _LEFT, _HEAD, width, height)
        heat_map(axes, values, colours, dict(zip(table["evaluator"], table["family"], strict=True)))
        axes.set_xticks(np.arange(len(places)) + 0.5, [style.stage_label(stage) for _, stage in places])
        axes.tick_params(axis="x", length=0, rotation=90, labelsize=7, top=True, labeltop=True, labelbottom=False)
        axes.vlines(range(len(stages), len(places), len(stages)), 0, len(values), color=PAPER, linewidth=3)
        for number, (name, look) in enumerate(style.set_styles(sets).items()):
            left = _LEFT + number * width / len(sets)
            place_text(figure, name.replace(" ", "\n", 1), left, 0, fontsize=7, fontweight="bold", color=look.text)
        for key, name in table.loc[took_part, ["evaluator", "model_set"]].drop_duplicates().to_numpy():
            corner = sets.index(name) * len(stages), evaluators.index(key)
            frame_cells(axes, *corner, columns=len(stages), linestyle=(0, (2.5, 1.2)))
    return figure


def heat_map(
    axes: Axes,
    values: pd.DataFrame,
    colours: Colormap,
    families: Mapping[str, str],
    label: Callable[[str], str] = network_label,
) -> None:
    """Draw values in [0, 1] of evaluators, in colours and in numbers; the last row, of means, has a bold name."""
    looks = {"cmap": colours, "vmin": 0, "vmax": 1, "cbar": False, "fmt": "", "annot_kws": {"fontsize": 6}}
    names = [label(key) for key in values.index]
    sns.heatmap(values, annot=values.map(_short), xticklabels=[], yticklabels=names, ax=axes, **looks)
    axes.set(xlabel="", ylabel="")
    axes.tick_params(axis="y", length=0, rotation=0, labelsize=7)
    for name, key in zip(axes.get_yticklabels(), values.index, strict=True):
        name.set_color(FAMILIES[families[key]].colour if key in families else INK)
    axes.get_yticklabels()[-1].set_fontweight("bold")


def frame_cells(axes: Axes, column: int, row: int, *, columns: int = 1, **looks: object) -> None:
    """Frame cells of a heat map that lie side by side."""
    corner, width = (column + 0.07, row + 0.09), columns - 0.14
    axes.add_patch(Rectangle(corner, width, 0.82, fill=False, edgecolor=ACCENT, linewidth=1, **looks))


def panel_grid(figure: Figure, count: int, columns: int) -> list[Axes]:
    """Lay panels out in rows."""
    grid = figure.subplots(ceil(count / columns), columns, squeeze=False).flat
    for axes in grid[count:]:
        axes.remove()
    return list(grid[:count])


def stage_axis(axes: Axes, stages: Iterable[Stage], margin: float) -> None:
    """Lay stages out from left to right, with a margin at both sides as a share of their span."""
    positions = style.stage_positions(stages)
    first, *_, last = [*positions.values()] * 2
    margin *= (last - first) or 1
    axes.set(xlim=(first - margin, last + margin), xlabel="")
    axes.set_xticks(list(positions.values()), [style.stage_label(stage) for stage in positions])
    axes.tick_params(axis="x", length=2.5, labelbottom=True)
    axes.grid(True, axis="y")


def share_axis(axes: Axes, label: str, *, first: bool = True) -> None:
    """Lay shares out from bottom to top; only the first of panels side by side shows them in numbers."""
    axes.set(ylim=(-0.03, 1.03), ylabel=label if first else "")
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "", ".5", "", "1"] if first else [""] * 5)
    axes.tick_params(axis="y", length=2.5 if first else 0)
    axes.spines["left"].set_visible(first)
    axes.grid(True, axis="y")


def panel_title(axes: Axes, name: str, beneath: str, colour: str = INK) -> None:
    """Name a panel, with a remark in small print."""
    axes.set_title(name, color=colour, pad=14 + 9 * beneath.count("\n"))
    axes.text(0, 1.04, beneath, transform=axes.transAxes, color=MUTED, fontsize=7)


def name_rows(axes: Axes, names: Sequence[str], colours: Iterable[str] = ()) -> None:
    """Name rows 0, 1, … of points from top to bottom."""
    axes.set_yticks(range(len(names)), names)
    axes.set(ylim=(max(1, len(names)) - 0.5, -0.5), ylabel="")
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(True, axis="x")
    for label, colour in zip(axes.get_yticklabels(), colours, strict=False):
        label.set_color(colour)


def spread_out(count: int, width: float) -> np.ndarray:
    """Give points that share a place a shift each, the same every time."""
    return np.random.default_rng(0).uniform(-width, width, count)


def _short(value: float) -> str:
    return "" if np.isnan(value) else "1" if value > 0.995 else f"{value:.2f}"[1:]
