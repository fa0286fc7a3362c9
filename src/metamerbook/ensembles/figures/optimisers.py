"""What parts of the generation matter: convergence of several ways to optimise, and what is recognized in the end."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter
from pandas.io.formats.style import Styler

from metamerbook.ensembles.sentences.about_variations import condition_label
from metamerbook.plots.mosaic import place_axes, place_text
from metamerbook.plots.style import ACCENT, DPI, FAMILIES, FURTHER_STYLES, INK, MUTED, WIDTH, LineStyle, canvas
from metamerbook.plots.tables import book_table

WAYS: dict[str, LineStyle] = {
    "SGD": LineStyle("#0f62b0", "o"),
    "SGD, momentum": LineStyle("#cc4c02", "s", (0, (5, 1.5))),
    "Adam": LineStyle("#00896b", "^", (0, (1.5, 1.2))),
    "round_robin": LineStyle("#0f62b0", "o"),
    "joint": LineStyle("#b5548f", "D", (0, (5, 1.5))),
}
"""How optimisers and modes are drawn."""

_LEFT, _HEAD, _DOWN, _FOOT, _GAP, _ROW = 48, 40, 190, 36, 18, 22


def figure_convergence(history: pd.DataFrame, lines: str, panels: str | None = None) -> Figure:
    """Draw how the residuals fall under several ways to optimise.

    Parameters
    ----------
    history
        As `metamerbook.ensembles.optimisers.convergence` returns it.
    lines
        The column whose values are lines: "optimizer" or "mode".
    panels
        The column whose values are panels; None draws one.

    Returns
    -------
    Figure
        Residuals on a logarithmic axis over rounds, in each of which every network has had the same number of steps.
        Thick: the mean over networks; thin: each network.
    """
    groups = {None: history} if panels is None else dict(list(history.groupby(panels, sort=False)))
    across = (WIDTH * DPI - _LEFT - (len(groups) - 1) * _GAP - 8) / len(groups)
    lowest, highest = history["residual"].min(), history["residual"].max()
    names = list(dict.fromkeys(history[lines]))
    with canvas(height=(_HEAD + _DOWN + _FOOT) / DPI) as figure:
        for number, (name, rows) in enumerate(groups.items()):
            left = _LEFT + number * (across + _GAP)
            axes = place_axes(figure, left, _HEAD, across, _DOWN)
            _curves(axes, rows, lines)
            axes.set(yscale="log", ylim=(lowest / 1.25, highest * 1.25), xlabel="rounds")
            axes.yaxis.set_major_locator(
                FixedLocator([step * 10.0**power for power in range(-6, 3) for step in (1, 2, 5)])
            )
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.yaxis.set_minor_formatter(NullFormatter())
            axes.grid(axis="y")
            if number:
                axes.tick_params(labelleft=False)
            else:
                axes.set_ylabel("‖a′ − a‖ / ‖a‖", labelpad=1)
            if name is not None:
                place_text(figure, condition_label([name]), left, _HEAD - 16, fontweight="bold")
        _legend(figure, names)
    return figure


def figure_conditions(table: pd.DataFrame, frame: pd.DataFrame, by: Sequence[str]) -> Figure:
    """Draw how well the metamers of several conditions are recognized, judge by judge.

    Parameters
    ----------
    table
        As `contrasts` takes it.
    frame
        As `metamerbook.study.contrasts.contrasts` returns it for that table.
    by
        The columns that tell one condition from another.

    Returns
    -------
    Figure
        Conditions in rows. Faint: evaluators that had no part in any condition; rhombus: their mean, with its value;
        dotted line: the mean of the condition that the others are compared with.
    """
    took_part = set(table.loc[~table["held_out"], "evaluator"])
    judged = table[~table["evaluator"].isin(took_part)]
    names, head, right = 236, 8, 52
    high = _ROW * len(frame)
    jitter = np.random.default_rng(0)
    with canvas(height=(head + high + 40) / DPI) as figure:
        axes = place_axes(figure, names, head, WIDTH * DPI - names - right, high)
        axes.grid(axis="x")
        axes.axvline(frame.loc[frame["baseline"], "mean"].iloc[0], color=ACCENT, linestyle=":", linewidth=1)
        for place, row in enumerate(frame.to_dict("records")):
            rows = judged[(judged[list(by)] == pd.Series({name: row[name] for name in by})).all(axis=1)]
            shares = rows.groupby("evaluator", sort=False)["recognizability"].mean()
            heights = place + jitter.uniform(-0.22, 0.22, len(shares))
            axes.plot(shares, heights, linestyle="", marker="o", markersize=3.2, color=MUTED, alpha=0.4, clip_on=False)
            style = WAYS.get(row[by[0]], FURTHER_STYLES[2]) if isinstance(row[by[0]], str) else WAYS["SGD"]
            axes.plot(
                row["mean"], place, marker="D", markersize=7, color=style.colour, markeredgecolor="white", clip_on=False
            )
            where = head + (place + 0.5) * _ROW
            words = condition_label([row[name] for name in by])
            place_text(figure, words, names - 10, where, ha="right", va="center", fontsize=7.5)
            mean = "–" if np.isnan(row["mean"]) else f"{row['mean']:.2f}"
            place_text(figure, mean, WIDTH * DPI - 4, where, ha="right", va="center", fontweight="bold")
        axes.set(xlim=(0, 1), ylim=(len(frame) - 0.5, -0.5), yticks=[], xlabel="recognizability")
        axes.spines["left"].set_visible(False)
    return figure


def table_conditions(table: pd.DataFrame, frame: pd.DataFrame, by: Sequence[str], identifier: str) -> Styler:
    """Tabulate conditions with their residuals and what they change.

    Parameters
    ----------
    table
        As `contrasts` takes it; with or without the column residual.
    frame
        As `metamerbook.study.contrasts.contrasts` returns it.
    by
        The columns that tell one condition from another.
    identifier
        Of the table.

    Returns
    -------
    Styler
        One row per condition; differences whose interval misses zero are bold.
    """
    keys = list(frame[list(by)].itertuples(index=False, name=None))
    shown = pd.DataFrame({"condition": [condition_label(key) for key in keys]})
    if "residual" in table:
        residuals = table.groupby(list(by), sort=False)["residual"].first()
        shown["residual"] = [f"{residuals[key if len(key) > 1 else key[0]]:.3f}" for key in keys]
    shown["recognizability"] = [_number(row.mean) for row in frame.itertuples()]
    shown["difference"] = ["compared with" if row["baseline"] else _change(row) for row in frame.to_dict("records")]
    shown["evaluators"] = frame["n_evaluators"]
    clear = ((frame["low"] > 0) | (frame["high"] < 0)).map({True: "font-weight: 650", False: ""})
    numbers = list(shown)[1:-1]
    styler = book_table(shown, identifier).set_properties(subset=numbers, **{"text-align": "right"})
    return styler.apply(lambda _: clear.reset_index(drop=True), subset=["difference"])


def figure_ensemble_sizes(table: pd.DataFrame) -> Figure:
    """Draw recognizability by the number of networks that metamers were made with.

    Parameters
    ----------
    table
        As `metamerbook.ensembles.ensemble_size.ensemble_sizes` returns it.

    Returns
    -------
    Figure
        Thin lines: evaluators outside the pool; points: ensembles; thick line: mean over both.
    """
    judged = table[table["outside"]]
    with canvas(height=2.6) as figure:
        axes = place_axes(figure, _LEFT, 10, WIDTH * DPI - _LEFT - 8, 208)
        axes.grid(axis="y")
        for _, rows in judged.groupby("evaluator", sort=False):
            means = rows.groupby("size")["recognizability"].mean()
            colour = FAMILIES[rows["family"].iloc[0]][1]
            untrained = bool(rows["random"].iloc[0])
            looks = {"color": MUTED, "linestyle": ":"} if untrained else {"color": colour}
            axes.plot(means.index, means, linewidth=0.8, alpha=0.45, **looks)
        cells = judged.groupby(["size", "model_set"], sort=False)["recognizability"].mean().reset_index()
        axes.plot(cells["size"], cells["recognizability"], linestyle="", marker="o", markersize=4, color=INK, alpha=0.5)
        means = judged.groupby("size")["recognizability"].mean()
        axes.plot(means.index, means, color=INK, linewidth=2.2, marker="s", markersize=6, markeredgecolor="white")
        sizes = sorted(set(table["size"]))
        axes.set(xlim=(min(sizes) - 0.3, max(sizes) + 0.3), ylim=(-0.03, 1.03), xlabel="networks in the ensemble")
        axes.set_xticks(sizes)
        axes.set_ylabel("recognizability")
    return figure


def _curves(axes: Axes, rows: pd.DataFrame, lines: str) -> None:
    for name, of_line in rows.groupby(lines, sort=False):
        style = WAYS.get(name, FURTHER_STYLES[2])
        for _, of_model in of_line.groupby("model", sort=False):
            axes.plot(of_model["repetition"], of_model["residual"], color=style.colour, linewidth=0.6, alpha=0.35)
        means = of_line.groupby("repetition")["residual"].mean()
        axes.plot(means.index, means, color=style.colour, linestyle=style.dash, linewidth=2)


def _legend(figure: Figure, names: Sequence[str]) -> None:
    axes = place_axes(figure, _LEFT, 0, WIDTH * DPI - _LEFT, 16)
    axes.set(xlim=(0, WIDTH * DPI - _LEFT), ylim=(0, 1))
    axes.set_axis_off()
    for number, name in enumerate(names):
        style = WAYS.get(name, FURTHER_STYLES[2])
        axes.plot([190 * number, 190 * number + 28], [0.5, 0.5], color=style.colour, linestyle=style.dash, linewidth=2)
        axes.text(190 * number + 34, 0.5, condition_label([name]), va="center", fontsize=7.5, color=INK)


def _number(value: float) -> str | None:
    return None if np.isnan(value) else f"{value:.3f}"


def _change(row: dict) -> str | None:
    if np.isnan(row["difference"]):
        return None
    span = "" if np.isnan(row["low"]) else f" [{row['low']:+.2f}, {row['high']:+.2f}]"
    return f"{row['difference']:+.3f}{span}".replace("-", "−")
