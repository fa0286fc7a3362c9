"""Chapter 03: residuals of every model over the updates, and pictures along the way."""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator
from torch import Tensor

from metamerbook.ensembles.methodology import Trajectory
from metamerbook.plots.mosaic import CELL, place_axes, place_strip, place_text
from metamerbook.plots.style import DPI, MEMBER_COLOURS, RULE, WIDTH, canvas, grouped
from metamerbook.study.words import network_label

_LEFT, _TOP, _ACROSS, _DOWN = 46, 8, 540, 190


def figure_optimisation(history: pd.DataFrame, trajectory: Trajectory, reference: Tensor) -> Figure:
    """Draw how the residuals fall while Algorithm 1 goes round the models (paper, section 3.2).

    Residuals (`Metamers.history`) on logarithmic axes, one line per model; below them the snapshots of the
    trajectory's first image, each under its number of updates, and its reference (3, H, W).
    """
    after = history[history["update"] > 0]
    colours = dict(zip(after["model"].unique(), MEMBER_COLOURS * len(after), strict=False))
    top = _TOP + _DOWN + 46
    with canvas(height=(top + CELL + 18) / DPI) as figure:
        axes = place_axes(figure, _LEFT, _TOP, _ACROSS, _DOWN)
        looks = {"hue": "model", "palette": colours, "linewidth": 1.4, "legend": False}
        sns.lineplot(after, x="update", y="residual", estimator=None, ax=axes, **looks)
        last = max(trajectory.updates[-1], 2)
        axes.set(xscale="log", yscale="log", xlim=(max(1, trajectory.updates[1] / 1.6), last), ylabel="‖a′ − a‖ / ‖a‖")
        axes.set_xlabel("updates of the image", labelpad=1)
        axes.grid(axis="y")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: grouped(value)))
            axis.set_minor_locator(LogLocator(subs=(2, 5)))
            axis.set_minor_formatter(axis.get_major_formatter())
        below = float("inf")
        for name, value in after.groupby("model")["residual"].last().sort_values().items():
            up = axes.transAxes.inverted().transform(axes.transData.transform((1, value)))[1]
            below = min(_TOP + (1 - up) * _DOWN, below - 13)  # names at the lines' ends, kept apart
            words = f"{network_label(name)}  {value:.3f}"
            place_text(figure, words, _LEFT + _ACROSS + 6, below, va="center", color=colours[name], fontsize=7)
        for updates in trajectory.updates:
            axes.axvline(max(updates, 0.1), color=RULE, linewidth=0.7, linestyle=":", zorder=1)
        strip = [*snapshots(trajectory), ("reference", reference)]
        place_strip(figure, strip, 0, top, (WIDTH * DPI - CELL) / len(trajectory.updates))
    return figure


def snapshots(trajectory: Trajectory) -> list[tuple[str, Tensor]]:
    """Give the snapshots of a trajectory's first image with what is written below them: their updates."""
    names = ["start" if updates == 0 else grouped(updates) for updates in trajectory.updates]
    return list(zip(names, trajectory.images[:, 0], strict=True))
