"""What parts of the generation matter: convergence of several ways to optimise, and what is recognized in the end."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter
from pandas.io.formats.style import Styler

from metamerbook.plots.mosaic import place_axes, place_text
from metamerbook.plots.style import ACCENT, DPI, MUTED, WIDTH, LineStyle, canvas
from metamerbook.plots.tables import book_table
from metamerbook.study.words import counted, interval, signed

WAYS: dict[str, LineStyle] = {
    "SGD": LineStyle("#0f62b0", "o"),
    "SGD, momentum": LineStyle("#cc4c02", "s", (0, (5, 1.5))),
    "Adam": LineStyle("#00896b", "^", (0, (1.5, 1.2))),
    "round_robin": LineStyle("#0f62b0", "o"),
    "joint": LineStyle("#b5548f", "D", (0, (5, 1.5))),
}
"""How optimisers and modes are drawn."""

WORDS = {
    "l1_ball": "from grey",
    "uniform_offset": "from uniform noise around grey",
    "normal": "from normal noise",
    "uniform": "from uniform noise",
    "reference": "from the reference",
    "mix": "from half the reference",
    "SGD": "plain gradient descent",
    "SGD, momentum": "momentum",
    "Adam": "Adam",
    "round_robin": "taking turns",
    "joint": "all at once",
}
"""What initialisers, optimisers and modes are called."""

_LEFT, _HEAD, _DOWN, _FOOT, _GAP, _ROW = 48, 40, 190, 36, 18, 22


def condition_label(values: Sequence[object]) -> str:
    """Name a condition by its optimiser, start, mode or number of networks: "momentum, from grey", "3 networks"."""
    return ", ".join(
        WORDS.get(value, value) if isinstance(value, str) else counted(int(value), "network") for value in values
    )


def figure_convergence(history: pd.DataFrame, lines: str, panels: str | None = None) -> Figure:
    """Draw how the residuals of a table of `convergence` fall, a line per value of one column, a panel per another's.

    Residuals are on a logarithmic axis over rounds, in each of which every network has had the same number of steps.
    Thick: the mean over networks; thin: each network.
    """
    groups = [("", history)] if panels is None else list(history.groupby(panels, sort=False))
    across = (WIDTH * DPI - _LEFT - (len(groups) - 1) * _GAP - 8) / len(groups)
    lowest, highest = history["residual"].min(), history["residual"].max()
    names = list(dict.fromkeys(history[lines]))
    with canvas(height=(_HEAD + _DOWN + _FOOT) / DPI) as figure:
        for number, (panel, rows) in enumerate(groups):
            left = _LEFT + number * (across + _GAP)
            axes = place_axes(figure, left, _HEAD, across, _DOWN)
            for name, of_line in rows.groupby(lines, sort=False):
                colour, dash = WAYS[name].colour, WAYS[name].dash
                thin = {"units": "model", "estimator": None, "linewidth": 0.6, "alpha": 0.35}
                sns.lineplot(of_line, x="repetition", y="residual", color=colour, ax=axes, **thin)
                thick = {"errorbar": None, "linewidth": 2, "linestyle": dash}
                sns.lineplot(of_line, x="repetition", y="residual", color=colour, ax=axes, **thick)
            axes.set(yscale="log", ylim=(lowest / 1.25, highest * 1.25), xlabel="rounds")
            ticks = [step * 10.0**power for power in range(-6, 3) for step in (1, 2, 5)]
            axes.yaxis.set_major_locator(FixedLocator(ticks))
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes.yaxis.set_minor_formatter(NullFormatter())
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.set_ylabel("" if number else "‖a′ − a‖ / ‖a‖", labelpad=1)
            axes.tick_params(labelleft=not number)
            axes.grid(axis="y")
            if panel:
                place_text(figure, condition_label([panel]), left, _HEAD - 16, fontweight="bold")
        for number, name in enumerate(names):
            key = place_axes(figure, _LEFT + 190 * number, 0, 28, 16)
            key.plot([0, 1], [0, 0], color=WAYS[name].colour, linestyle=WAYS[name].dash, linewidth=2)
            key.set_axis_off()
            place_text(figure, condition_label([name]), _LEFT + 190 * number + 34, 8, va="center", fontsize=7.5)
    return figure


def figure_conditions(table: pd.DataFrame, frame: pd.DataFrame, by: Sequence[str]) -> Figure:
    """Draw how well the metamers of the conditions of `contrasts` are recognized, evaluator by evaluator.

    Faint: evaluators that had no part in any condition; rhombus: their mean, with its value; dotted line: the mean of
    the condition that the others are compared with.
    """
    by, places = list(by), {key: place for place, key in enumerate(frame[list(by)].itertuples(index=False, name=None))}
    took_part = set(table.loc[~table["held_out"], "evaluator"])
    counted_in = table[~table["evaluator"].isin(took_part)]
    shares = counted_in.groupby([*by, "evaluator"], sort=False)["recognizability"].mean().reset_index()
    rows = shares[by].apply(tuple, axis=1).map(places)
    names, head, right = 274, 8, 40
    with canvas(height=(head + _ROW * len(frame) + 40) / DPI) as figure:
        axes = place_axes(figure, names, head, WIDTH * DPI - names - right, _ROW * len(frame))
        axes.axvline(frame.loc[frame["baseline"], "mean"].iloc[0], color=ACCENT, linestyle=":", linewidth=1)
        heights = rows + np.random.default_rng(0).uniform(-0.22, 0.22, len(rows))
        dots = {"s": 12, "color": MUTED, "alpha": 0.4, "linewidth": 0, "clip_on": False}
        sns.scatterplot(x=shares["recognizability"], y=heights, ax=axes, **dots)
        colours = [WAYS[name].colour for name in frame[by[0]]]
        means = {"marker": "D", "s": 50, "c": colours, "edgecolor": "white", "clip_on": False, "zorder": 3}
        sns.scatterplot(x=frame["mean"], y=range(len(frame)), ax=axes, **means)
        for key, place in places.items():
            where = head + (place + 0.5) * _ROW
            place_text(figure, condition_label(key), names - 10, where, ha="right", va="center", fontsize=7.5)
            mean = _number(frame["mean"].iloc[place], 2) or "–"
            place_text(figure, mean, WIDTH * DPI - 4, where, ha="right", va="center", fontweight="bold")
        axes.set(xlim=(0, 1), ylim=(len(frame) - 0.5, -0.5), yticks=[], xlabel="recognizability", ylabel="")
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
    return figure


def table_conditions(table: pd.DataFrame, frame: pd.DataFrame, by: Sequence[str], identifier: str) -> Styler:
    """Tabulate the conditions of `contrasts`, with their residuals, and with their rounds if the frame has them.

    Differences whose interval misses zero are bold.
    """
    keys = list(frame[list(by)].itertuples(index=False, name=None))
    shown = pd.DataFrame({"condition": [condition_label(key) for key in keys]})
    if by[0] != "size":  # ensembles of one size have different residuals
        residuals = table.groupby(list(by), sort=False)["residual"].first()
        shown["residual"] = [_number(residuals[key if len(key) > 1 else key[0]]) for key in keys]
    if "rounds" in frame:
        shown["rounds"] = ["–" if pd.isna(rounds) else str(rounds) for rounds in frame["rounds"]]
    shown["recognizability"] = frame["mean"].map(_number)
    spans = [f"{signed(row.difference, 3)} {interval(row.low, row.high)}".strip() for row in frame.itertuples()]
    shown["difference"] = np.where(frame["baseline"], "compared with", spans)
    shown["evaluators"] = frame["n_evaluators"]
    clear = ((frame["low"] > 0) | (frame["high"] < 0)).map({True: "font-weight: 650", False: ""})
    styler = book_table(shown, identifier).set_properties(subset=list(shown)[1:-1], **{"text-align": "right"})
    return styler.apply(lambda _: clear.reset_index(drop=True), subset=["difference"])


def _number(value: float, digits: int = 3) -> str | None:
    return None if np.isnan(value) else f"{value:.{digits}f}"
