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

from metamerbook.plots import style
from metamerbook.plots.panels import panel_grid, panel_title, stage_axis
from metamerbook.plots.style import BETTER, MUTED, LineStyle, canvas
from metamerbook.plots.tables import book_table, short_number
from metamerbook.study.words import signed

_COLUMNS = 4
_LETTERS, _LINES = 24, 7  # of small print that fit into an empty panel
_WITH_REFERENCE = ("tv", "clip_iqa")  # look at one image only


def figure_image_metrics(means: pd.DataFrame) -> Figure:
    """Draw every image metric over stages, set beside set, each on a scale of its own (paper, Figure 4).

    Bars: one standard error over images. Dotted: the references' own value, of metrics that look at one image only. A
    metric without values says why.
    """
    styles = style.set_styles(style.set_order(means["model_set"]))
    count = means["metric"].nunique() + 1
    with canvas(height=1.66 * ceil(count / _COLUMNS), layout="constrained") as figure:
        figure.get_layout_engine().set(wspace=0.08, hspace=0.04)
        *panels, last = panel_grid(figure, count, _COLUMNS)
        for axes, (_, group) in zip(panels, means.groupby("metric", sort=False), strict=True):
            _title(axes, group)
            if group["mean"].notna().any():
                _curves(axes, group, styles)
            else:
                _absent(axes, group["reason"].iloc[0])
        handles = [Line2D([], [], label=name, **_looks(look)) for name, look in styles.items()]
        handles.append(Line2D([], [], color=MUTED, linestyle=":", label="references (TV)"))
        last.legend(handles=handles, loc="center left", fontsize=6.5, borderaxespad=0, labelspacing=0.6)
        last.set_axis_off()
    return figure


def table_image_metrics(means: pd.DataFrame) -> Styler:
    """Tabulate the means behind Figure 4: a row per model set and stage, a column per metric; bold: a stage's best."""
    cells = style.cells(means)
    names, stages = (pd.Series(part) for part in zip(*cells, strict=True))
    shown = {"model set": names.mask(names.duplicated(), ""), "stage": stages.map(style.stage_label)}
    bold = {}
    for _, group in means.groupby("metric", sort=False):
        higher = group["direction"].iloc[0] == "higher"
        heading = f"{group['label'].iloc[0]} {'↑' if higher else '↓'}"
        values = group.set_index(["model_set", "stage"])["mean"].reindex(cells)
        shown[heading] = values.to_numpy()
        best = values.groupby(level="stage").transform("max" if higher else "min")
        bold[heading] = (values == best) & (names.nunique() > 1)
    formats = dict.fromkeys(bold, short_number)
    return book_table(pd.DataFrame(shown), "tab-image-metrics", formats=formats, bold=bold)


def table_metric_agreement(agreement: pd.DataFrame) -> Styler:
    """Tabulate how far metrics rank metamers as recognizability does, best agreement first."""
    table = agreement.sort_values("rank_correlation", ascending=False, kind="stable")
    columns = {"label": "metric", "learned": "asks a trained network", "rank_correlation": "rank correlation"}
    shown = table[["label", "learned", "cells", "rank_correlation"]].rename(columns=columns)
    return book_table(shown, "tab-metric-agreement", formats={"rank correlation": signed})


def _title(axes: Axes, group: pd.DataFrame) -> None:
    """Name the metric, the network that it asks, its direction, and how many images a value stands on."""
    name, _, network = group["label"].iloc[0].partition(" · ")
    if not network and name.endswith("(torchmetrics)"):
        name, _, network = name.removesuffix(")").partition(" (")
    arrow = "↑ higher" if group["direction"].iloc[0] == "higher" else "↓ lower"
    counts = sorted(set(group.loc[group["mean"].notna(), "n"]))
    images = f"n = {counts[0]}" + (f"–{counts[-1]}" if len(counts) > 1 else "") if counts else ""
    panel_title(axes, name, f"{images}\n{network}")
    axes.set_title(arrow, loc="right", color=BETTER, fontsize=7, pad=23)


def _curves(axes: Axes, group: pd.DataFrame, styles: dict[str, LineStyle]) -> None:
    positions = style.stage_positions(group["stage"])
    span = max(positions.values()) - min(positions.values()) or 1.0
    shifts = dict(zip(styles, np.linspace(-0.04, 0.04, len(styles)) * span, strict=True))
    for name, known in group.dropna(subset="mean").groupby("model_set", sort=False):
        known = known.assign(place=known["stage"].map(positions) + shifts[name]).sort_values("place")
        error = (known["sd"] / np.sqrt(known["n"].clip(lower=1))).fillna(0)
        axes.errorbar(known["place"], known["mean"], error, elinewidth=0.7, **_looks(styles[name]))
    of_reference = group["reference_mean"].dropna()
    if group["metric"].iloc[0] in _WITH_REFERENCE and len(of_reference):
        axes.axhline(of_reference.iloc[0], color=MUTED, linewidth=0.9, linestyle=":")
    stage_axis(axes, positions, margin=0.15)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short_number(value)))
    axes.tick_params(length=2, labelsize=6.5)


def _looks(look: LineStyle) -> dict[str, object]:
    looks = {"color": look.colour, "linestyle": look.dash, "marker": look.marker, "linewidth": 1.2}
    return looks | {"markersize": 4, "markeredgecolor": "white", "markeredgewidth": 0.5}


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
