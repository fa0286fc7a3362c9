"""Fig. 4 and what belongs to it: image metrics by model set and stage, and whether they find what is recognized."""

import textwrap
from math import ceil

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator
from pandas.io.formats.style import Styler

from metamerbook.plots.mosaic import place_axes, place_text
from metamerbook.plots.style import (
    BETTER,
    DPI,
    MUTED,
    WIDTH,
    LineStyle,
    canvas,
    set_order,
    set_styles,
    stage_label,
    stage_positions,
)
from metamerbook.plots.tables import book_table, short_number
from metamerbook.study.words import signed

_COLUMNS, _LEFT, _GAP, _HEAD, _DOWN, _FOOT = 4, 42, 46, 46, 92, 28
_LETTERS, _LINES = 24, 7  # of small print that fit into an empty panel


def figure_image_metrics(means: pd.DataFrame) -> Figure:
    """Draw every image metric over stages, set beside set, each on a scale of its own (paper, Figure 4).

    Bars: one standard error over images. Dotted: the references' own value, of metrics that look at one image only. A
    metric without values says why.
    """
    styles = set_styles(set_order(means["model_set"]))
    metrics = list(means.groupby("metric", sort=False))
    width = (WIDTH * DPI - _LEFT - (_COLUMNS - 1) * _GAP - 4) / _COLUMNS
    down = _HEAD + _DOWN + _FOOT
    with canvas(height=ceil((len(metrics) + 1) / _COLUMNS) * down / DPI) as figure:
        for number in range(len(metrics) + 1):
            row, column = divmod(number, _COLUMNS)
            left, top = _LEFT + column * (width + _GAP), row * down + _HEAD
            axes = place_axes(figure, left, top, width, _DOWN)
            if number == len(metrics):
                _legend(axes, styles)
                continue
            _, group = metrics[number]
            _title(figure, group, left, top, width)
            if group["mean"].notna().any():
                _curves(axes, group, styles)
            else:
                _absent(axes, group["reason"].iloc[0])
    return figure


def table_image_metrics(means: pd.DataFrame) -> Styler:
    """Tabulate the means behind Figure 4: a row per model set and stage, a column per metric; bold: a stage's best."""
    order, stages = set_order(means["model_set"]), list(stage_positions(means["stage"]))
    cells = [(name, stage) for name in order for stage in stages]
    shown = {"model set": [name if stage == stages[0] else "" for name, stage in cells]}
    shown |= {"stage": [stage_label(stage) for _, stage in cells]}
    bold = {name: [""] * len(cells) for name in shown}
    for _, group in means.groupby("metric", sort=False):
        higher = group["direction"].iloc[0] == "higher"
        heading = f"{group['label'].iloc[0]} {'↑' if higher else '↓'}"
        values = group.set_index(["model_set", "stage"])["mean"].reindex(cells)
        shown[heading] = [short_number(value) for value in values]
        best = values.groupby(level="stage").transform("max" if higher else "min")
        bold[heading] = np.where((values == best) & (len(order) > 1), "font-weight: 650", "")
    styler = book_table(pd.DataFrame(shown), "tab-image-metrics")
    styler = styler.set_properties(subset=list(shown)[2:], **{"text-align": "right"})
    return styler.apply(lambda _: pd.DataFrame(bold), axis=None)


def table_metric_agreement(agreement: pd.DataFrame) -> Styler:
    """Tabulate how far metrics rank metamers as recognizability does, best agreement first."""
    table = agreement.sort_values("rank_correlation", ascending=False, kind="stable")
    shown = {
        "metric": table["label"],
        "asks a trained network": table["learned"],
        "cells": table["cells"],
        "rank correlation": table["rank_correlation"].map(signed),
    }
    styler = book_table(pd.DataFrame(shown), "tab-metric-agreement")
    return styler.set_properties(subset=["rank correlation"], **{"text-align": "right"})


def _title(figure: Figure, group: pd.DataFrame, left: float, top: float, width: float) -> None:
    """Name the metric, the network that it asks, its direction, and how many images a value stands on."""
    name, _, network = group["label"].iloc[0].partition(" · ")
    if not network and name.endswith("(torchmetrics)"):
        name, _, network = name.removesuffix(")").partition(" (")
    arrow = "↑ higher" if group["direction"].iloc[0] == "higher" else "↓ lower"
    counts = sorted(set(group.loc[group["mean"].notna(), "n"]))
    images = f"n = {counts[0]}" + (f"–{counts[-1]}" if len(counts) > 1 else "") if counts else ""
    place_text(figure, name, left, top - 42, fontweight="bold", fontsize=8)
    place_text(figure, arrow, left + width, top - 42, ha="right", color=BETTER, fontsize=7, fontweight="bold")
    place_text(figure, images, left + width, top - 29, ha="right", color=MUTED, fontsize=6.5)
    place_text(figure, network, left, top - 18, color=MUTED, fontsize=6.5)


def _curves(axes: Axes, group: pd.DataFrame, styles: dict[str, LineStyle]) -> None:
    positions = stage_positions(group["stage"])
    places = np.array(list(positions.values()))
    span = float(np.ptp(places)) or 1.0
    shifts = dict(zip(styles, np.linspace(-0.04, 0.04, len(styles)) * span, strict=True))
    group = group.assign(
        place=group["stage"].map(positions) + group["model_set"].map(shifts),
        error=(group["sd"] / np.sqrt(group["n"].clip(lower=1))).fillna(0),
    )
    known = group.dropna(subset="mean")
    colours = {name: style.colour for name, style in styles.items()}
    looks = {
        "palette": colours,
        "markers": {name: style.marker for name, style in styles.items()},
        "dashes": {name: "" if style.dash == "-" else style.dash[1] for name, style in styles.items()},
        "hue": "model_set",
        "style": "model_set",
        "markersize": 4,
        "markeredgewidth": 0.5,
        "linewidth": 1.2,
    }
    sns.lineplot(known, x="place", y="mean", estimator=None, legend=False, ax=axes, **looks)
    ends = known["mean"] - known["error"], known["mean"] + known["error"]
    axes.vlines(known["place"], *ends, colors=known["model_set"].map(colours), linewidth=0.7)
    of_reference = group["reference_mean"].dropna()
    if group["metric"].iloc[0] in ("tv", "clip_iqa") and len(of_reference):
        axes.axhline(of_reference.iloc[0], color=MUTED, linewidth=0.9, linestyle=":")
    axes.set(xlim=(places[0] - 0.15 * span, places[-1] + 0.15 * span), xlabel="", ylabel="")
    axes.set_xticks(places, [stage_label(stage) for stage in positions])
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short_number(value)))
    axes.tick_params(length=2, labelsize=6.5)
    axes.grid(axis="y")


def _absent(axes: Axes, reason: str) -> None:
    """Say in a metric's panel why it is empty, as far as that fits; the caption has all of it."""
    lines = textwrap.wrap(reason, _LETTERS)
    if len(lines) > _LINES:
        lines = [*lines[: _LINES - 1], "… (see the caption)"]
    words = "\n".join(["not measured", *lines])
    axes.text(0.5, 0.5, words, ha="center", va="center", fontsize=6.5, color=MUTED, linespacing=1.1)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(True)
    axes.spines[:].set_linestyle((0, (3, 2)))


def _legend(axes: Axes, styles: dict[str, LineStyle]) -> None:
    handles = [
        Line2D([], [], color=style.colour, linestyle=style.dash, marker=style.marker, markersize=4, label=name)
        for name, style in styles.items()
    ]
    handles.append(Line2D([], [], color=MUTED, linestyle=":", label="references (TV)"))
    axes.legend(handles=handles, loc="center left", fontsize=6.5, borderaxespad=0, labelspacing=0.6, handlelength=2)
    axes.set_axis_off()
