"""What parts of the generation matter: convergence of several ways to optimise, and what is recognized in the end."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from pandas.io.formats.style import Styler

from metamerbook.plots.panels import name_rows, spread_out
from metamerbook.plots.style import ACCENT, MUTED, STARTS, WAYS, canvas
from metamerbook.plots.tables import book_table, estimate
from metamerlib.checks import counted


def condition_label(values: Sequence[object]) -> str:
    """Name a condition by its optimiser, start, mode or number of networks: "momentum, from grey", "3 networks"."""
    words = {key: look.words for key, look in (WAYS | STARTS).items()}
    return ", ".join(
        words.get(value, value) if isinstance(value, str) else counted(value, "network") for value in values
    )


def figure_convergence(history: pd.DataFrame, lines: str, panels: str | None = None) -> Figure:
    """Draw how the residuals of a table of `convergence` fall, a line per value of one column, a panel per another's.

    Residuals are on a logarithmic axis over rounds, in each of which every network has had the same number of steps.
    Thick: the mean over networks; thin: each network.
    """
    groups = [("", history)] if panels is None else list(history.groupby(panels, sort=False))
    with canvas(height=2.66, layout="constrained") as figure:
        figure.get_layout_engine().set(wspace=0.06)
        grid = figure.subplots(1, len(groups), sharey=True, squeeze=False)
        for (panel, rows), axes in zip(groups, grid.flat, strict=True):
            for name, of_line in rows.groupby(lines, sort=False):
                where = {"x": "repetition", "y": "residual", "color": WAYS[name].colour, "ax": axes}
                sns.lineplot(of_line, units="model", estimator=None, linewidth=0.6, alpha=0.35, legend=False, **where)
                where |= {"linestyle": WAYS[name].dash, "label": condition_label([name])}
                sns.lineplot(of_line, errorbar=None, linewidth=2, legend=False, **where)
            axes.set(xlabel="rounds", ylabel="‖a′ − a‖ / ‖a‖", title=condition_label([panel]))
        for axes in grid.flat:  # when all is drawn: on a logarithmic axis seaborn's mean is the geometric one
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes.yaxis.set_minor_formatter(NullFormatter())
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.grid(axis="y")
        figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=len(WAYS))
    return figure


def figure_conditions(table: pd.DataFrame, frame: pd.DataFrame, by: Sequence[str]) -> Figure:
    """Draw how well the metamers of the conditions of `contrasts` are recognized, evaluator by evaluator.

    Faint: evaluators that had no part in any condition; rhombus: their mean, with its value; dotted line: the mean of
    the condition that the others are compared with.
    """
    by = list(by)
    conditions = list(frame[by].itertuples(index=False, name=None))
    took_part = set(table.loc[~table["held_out"], "evaluator"])
    counted_in = table[~table["evaluator"].isin(took_part)]
    shares = counted_in.groupby([*by, "evaluator"], sort=False)["recognizability"].mean().reset_index()
    rows = shares[by].apply(tuple, axis=1).map(conditions.index)
    with canvas(height=0.22 * len(frame) + 0.5, layout="constrained") as figure:
        axes = figure.subplots()
        axes.axvline(frame.loc[frame["baseline"], "mean"].iloc[0], color=ACCENT, linestyle=":", linewidth=1)
        dots = {"s": 12, "color": MUTED, "alpha": 0.4, "linewidth": 0, "clip_on": False}
        axes.scatter(shares["recognizability"], rows + spread_out(len(rows), 0.22), **dots)
        colours = [WAYS[name].colour for name in frame[by[0]]]
        means = {"marker": "D", "s": 50, "c": colours, "edgecolor": "white", "clip_on": False, "zorder": 3}
        axes.scatter(frame["mean"], range(len(frame)), **means)
        name_rows(axes, [condition_label(condition) for condition in conditions])
        where = {"transform": axes.get_yaxis_transform(), "va": "center", "fontweight": "bold"}
        for place, mean in enumerate(frame["mean"]):
            axes.text(1.03, place, "–" if np.isnan(mean) else f"{mean:.2f}", **where)
        axes.set(xlim=(0, 1), xlabel="recognizability")
    return figure


def table_conditions(table: pd.DataFrame, frame: pd.DataFrame, by: Sequence[str], identifier: str) -> Styler:
    """Tabulate the conditions of `contrasts`, with their residuals, and with their rounds if the frame has them.

    Differences whose interval misses zero are bold.
    """
    by = list(by)
    conditions = list(frame[by].itertuples(index=False, name=None))
    shown = pd.DataFrame({"condition": [condition_label(condition) for condition in conditions]})
    if by[0] != "size":  # ensembles of one size have different residuals
        residuals = table.drop_duplicates(by)[[*by, "residual"]]
        shown["residual"] = frame[by].merge(residuals, how="left")["residual"]
    if "rounds" in frame:
        shown["rounds"] = frame["rounds"].to_numpy()
    shown["recognizability"] = frame["mean"].to_numpy()
    spans = [estimate(row.difference, row.low, row.high) for row in frame.itertuples()]
    shown["difference"] = np.where(frame["baseline"], "compared with", spans)
    shown["evaluators"] = frame["n_evaluators"].to_numpy()
    formats = {name: "{:.3f}" for name in ("residual", "recognizability") if name in shown}
    clear = (frame["low"] > 0) | (frame["high"] < 0)
    return book_table(shown, identifier, right=["difference"], formats=formats, bold={"difference": clear})
