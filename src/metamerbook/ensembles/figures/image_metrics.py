"""Fig. 4 and what belongs to it: image metrics by model set and stage, and whether they find what is recognized."""

import textwrap
from math import ceil

import numpy as np
import pandas as pd
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
    set_groups,
    set_styles,
    stage_label,
    stage_positions,
)
from metamerbook.plots.tables import book_table

_COLUMNS, _LEFT, _GAP, _HEAD, _DOWN, _FOOT = 4, 42, 46, 46, 92, 28
_LETTERS, _LINES = 24, 7  # of small print that fit into an empty panel


def figure_image_metrics(means: pd.DataFrame) -> Figure:
    """Draw every image metric over stages, set beside set (paper, Figure 4).

    Parameters
    ----------
    means
        As `metamerbook.ensembles.image_metrics.mean_image_metrics` returns it.

    Returns
    -------
    Figure
        One panel per metric, each on a scale of its own, with an arrow in the direction of better, the network that a
        learned metric asks, and the number of images behind a value. Bars: one standard error over images. Dotted: the
        references' own value, of metrics that look at one image only. A metric without values says why.
    """
    positions = stage_positions(means["stage"])
    names = [name for members in set_groups(means["model_set"]).values() for name in members]
    styles = set_styles(names)
    metrics = list(dict.fromkeys(means["metric"]))
    width = (WIDTH * DPI - _LEFT - (_COLUMNS - 1) * _GAP - 4) / _COLUMNS
    down = _HEAD + _DOWN + _FOOT
    lines = ceil((len(metrics) + 1) / _COLUMNS)
    with canvas(height=lines * down / DPI) as figure:
        for number, key in enumerate([*metrics, None]):
            row, column = divmod(number, _COLUMNS)
            left, top = _LEFT + column * (width + _GAP), row * down + _HEAD
            axes = place_axes(figure, left, top, width, _DOWN)
            if key is None:
                _legend(axes, styles)
                continue
            group = means[means["metric"] == key]
            _title(figure, group, left, top, width)
            if group["mean"].notna().any():
                _curves(axes, group, names, positions, styles)
            else:
                _absent(axes, group["reason"].iloc[0])
    return figure


def table_image_metrics(means: pd.DataFrame) -> Styler:
    """Tabulate the means behind Figure 4.

    Parameters
    ----------
    means
        As `metamerbook.ensembles.image_metrics.mean_image_metrics` returns it.

    Returns
    -------
    Styler
        One row per model set and stage, one column per metric with its direction of better. Bold: the best set of a
        stage.
    """
    order = [name for members in set_groups(means["model_set"]).values() for name in members]
    stages = list(stage_positions(means["stage"]))
    cells = [(name, stage) for name in order for stage in stages]
    values = means.set_index(["metric", "model_set", "stage"])["mean"]
    shown = {"model set": [name if stage == stages[0] else "" for name, stage in cells]}
    shown |= {"stage": [stage_label(stage) for _, stage in cells]}
    bold = {name: [""] * len(cells) for name in shown}
    for key, group in means.groupby("metric", sort=False):
        higher = group["direction"].iloc[0] == "higher"
        heading = f"{group['label'].iloc[0]} {'↑' if higher else '↓'}"
        column = [values.get((key, *cell), np.nan) for cell in cells]
        shown[heading] = [_number(value) for value in column]
        best = group.groupby("stage")["mean"].agg("max" if higher else "min")
        compared = len(order) > 1
        bold[heading] = [
            "font-weight: 650" if compared and value == best[stage] else ""
            for value, (_, stage) in zip(column, cells, strict=True)
        ]
    styler = book_table(pd.DataFrame(shown), "tab-image-metrics")
    styler = styler.set_properties(subset=list(shown)[2:], **{"text-align": "right"})
    return styler.apply(lambda _: pd.DataFrame(bold), axis=None)


def table_metric_agreement(agreement: pd.DataFrame) -> Styler:
    """Tabulate how far metrics rank metamers as recognizability does.

    Parameters
    ----------
    agreement
        As `metamerbook.ensembles.summaries.metric_agreement` returns it.

    Returns
    -------
    Styler
        One row per metric, best agreement first.
    """
    table = agreement.sort_values("rank_correlation", ascending=False, kind="stable")
    shown = {
        "metric": table["label"],
        "asks a trained network": table["learned"],
        "cells": table["cells"],
        "rank correlation": [None if np.isnan(value) else _signed(value) for value in table["rank_correlation"]],
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


def _curves(axes: Axes, group: pd.DataFrame, names: list[str], positions: dict, styles: dict[str, LineStyle]) -> None:
    places = np.array(list(positions.values()))
    span = float(np.ptp(places)) or 1.0
    for name, shift in zip(names, np.linspace(-0.04, 0.04, len(names)) * span, strict=True):
        rows = group[group["model_set"] == name].set_index("stage").reindex(list(positions))
        errors = (rows["sd"] / np.sqrt(rows["n"].clip(lower=1))).fillna(0)
        style = styles[name]
        axes.errorbar(
            places + shift,
            rows["mean"],
            yerr=errors,
            color=style.colour,
            linestyle=style.dash,
            marker=style.marker,
            markersize=4,
            linewidth=1.2,
            elinewidth=0.7,
            markeredgecolor="white",
            markeredgewidth=0.5,
        )
    of_reference = group["reference_mean"].dropna()
    if group["metric"].iloc[0] in ("tv", "clip_iqa") and len(of_reference):
        axes.axhline(of_reference.iloc[0], color=MUTED, linewidth=0.9, linestyle=":")
    axes.set_xlim(places[0] - 0.15 * span, places[-1] + 0.15 * span)
    axes.set_xticks(places, [stage_label(stage) for stage in positions], fontsize=7)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value)))
    axes.tick_params(length=2, labelsize=6.5)
    axes.grid(axis="y")


def _absent(axes: Axes, reason: str) -> None:
    """Say in a metric's panel why it is empty, as far as that fits; the caption has all of it."""
    lines = textwrap.wrap(reason, _LETTERS)
    if len(lines) > _LINES:
        lines = [*lines[: _LINES - 1], "… (see the caption)"]
    words = "\n".join(["not measured", *lines])
    axes.text(0.5, 0.5, words, ha="center", va="center", fontsize=6.5, color=MUTED, linespacing=1.1)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(True)
    axes.spines[:].set_linestyle((0, (3, 2)))


def _legend(axes: Axes, styles: dict[str, LineStyle]) -> None:
    handles = [
        Line2D([], [], color=style.colour, linestyle=style.dash, marker=style.marker, markersize=4, label=name)
        for name, style in styles.items()
    ]
    handles.append(Line2D([], [], color=MUTED, linestyle=":", label="references (TV)"))
    axes.legend(handles=handles, loc="center left", fontsize=7, borderaxespad=0, labelspacing=0.5, handlelength=2.2)
    axes.set_axis_off()


def _number(value: float) -> str | None:
    if not np.isfinite(value):
        return None
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", "\u2009").replace("-", "−")
    return f"{value:.3g}".replace("-", "−") if abs(value) >= 0.001 else f"{value:.1e}".replace("-", "−")


def _tick(value: float) -> str:
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return text.replace(",", "\u2009").replace("-", "−")


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")
