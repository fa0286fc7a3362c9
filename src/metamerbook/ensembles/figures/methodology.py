"""How an image becomes a metamer: residuals of every model over the updates, and pictures along the way."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator
from pandas.io.formats.style import Styler
from torch import Tensor

from metamerbook.ensembles.methodology import Trajectory
from metamerbook.plots.mosaic import CELL, place_axes, place_picture, place_text
from metamerbook.plots.style import (
    DPI,
    MEMBER_COLOURS,
    MUTED,
    RULE,
    WIDTH,
    canvas,
    set_groups,
    stage_label,
    stage_positions,
)
from metamerbook.plots.tables import book_table
from metamerbook.study.words import network_label

_LEFT, _TOP, _ACROSS, _DOWN = 46, 8, 540, 190


def figure_optimisation(history: pd.DataFrame, trajectory: Trajectory, reference: Tensor) -> Figure:
    """Draw how the residuals fall while Algorithm 1 goes round the models (paper, section 3.2).

    Parameters
    ----------
    history
        `Metamers.history`: update, model, residual.
    trajectory
        Snapshots of one image of that run; its first image is shown.
    reference
        That image's reference, (3, H, W) in [0, 1].

    Returns
    -------
    Figure
        Residuals on logarithmic axes, one line per model; below them the snapshots, each under its number of updates,
        and the reference.
    """
    after = history[history["update"] > 0]
    height = _TOP + _DOWN + 46 + CELL + 18
    with canvas(height=height / DPI) as figure:
        axes = place_axes(figure, _LEFT, _TOP, _ACROSS, _DOWN)
        ends = {}
        for number, name in enumerate(history["model"].unique()):
            rows = after[after["model"] == name]
            colour = MEMBER_COLOURS[number % len(MEMBER_COLOURS)]
            axes.plot(rows["update"], rows["residual"], color=colour, linewidth=1.4)
            ends[name] = (float(rows["residual"].iloc[-1]), colour)
        last = max(trajectory.updates[-1], 2)
        axes.set(xscale="log", yscale="log", xlim=(max(1, trajectory.updates[1] / 1.6), last), ylabel="‖a′ − a‖ / ‖a‖")
        axes.set_xlabel("updates of the image", labelpad=1)
        axes.grid(axis="y")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}".replace(",", "\u2009")))
            axis.set_minor_locator(LogLocator(subs=(2, 5)))
            axis.set_minor_formatter(axis.get_major_formatter())
        _end_labels(figure, axes, ends)
        _strip(figure, axes, trajectory, reference)
    return figure


def table_residuals(residuals: pd.DataFrame) -> Styler:
    """Tabulate how well metamers match, set by set and stage by stage.

    Parameters
    ----------
    residuals
        As `Study.residuals` returns it: one row per model set, stage and model.

    Returns
    -------
    Styler
        One row per model; per stage the residual's mean over images, as it started and as it ended.
    """
    stages = list(stage_positions(residuals["stage"]))
    rows = []
    for names in set_groups(residuals["model_set"]).values():
        for name in names:
            of_set = residuals[residuals["model_set"] == name]
            for model in dict.fromkeys(of_set["model"]):
                row = {"set": name, "model": network_label(model)}
                for stage in stages:
                    cell = of_set[(of_set["model"] == model) & (of_set["stage"] == stage)].iloc[0]
                    row[stage_label(stage)] = f"{cell['initial_residual_mean']:.2f} → {cell['residual_mean']:.3f}"
                rows.append(row)
    return book_table(pd.DataFrame(rows), "tab-residuals")


def _end_labels(figure: Figure, axes: Axes, ends: dict[str, tuple[float, str]]) -> None:
    """Name the lines at their right ends, kept apart."""
    places = {}
    for name, (value, colour) in sorted(ends.items(), key=lambda item: item[1][0]):
        up = axes.transAxes.inverted().transform(axes.transData.transform((1, value)))[1]
        places[name] = (_TOP + (1 - up) * _DOWN, colour)
    below = float("inf")
    for name, (wanted, colour) in places.items():
        below = min(wanted, below - 13)
        words = f"{network_label(name)}  {ends[name][0]:.3f}"
        place_text(figure, words, _LEFT + _ACROSS + 6, below, va="center", color=colour, fontsize=7)


def _strip(figure: Figure, axes: Axes, trajectory: Trajectory, reference: Tensor) -> None:
    """Put snapshots in a row, and mark when each was taken."""
    top = _TOP + _DOWN + 46
    count = len(trajectory.updates)
    step = (WIDTH * DPI - CELL) / max(count, 1)
    for number, updates in enumerate(trajectory.updates):
        left = round(number * step)
        place_picture(figure, trajectory.images[number, 0], left, top)
        axes.axvline(max(updates, 0.1), color=RULE, linewidth=0.7, linestyle=":", zorder=1)
        text = "start" if updates == 0 else f"{updates:,}".replace(",", "\u2009")
        place_text(figure, text, left + CELL / 2, top + CELL + 3, ha="center", fontsize=7, color=MUTED)
    left = WIDTH * DPI - CELL
    place_picture(figure, reference, left, top)
    place_text(figure, "reference", left + CELL / 2, top + CELL + 3, ha="center", fontsize=7, fontweight="bold")
