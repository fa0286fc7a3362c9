"""Fig. 5 and what belongs to it: how metamers and references lie among representations, and how many metamers pass."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from pandas.io.formats.style import Styler

from metamerbook.plots.heatmap import evaluator_map
from metamerbook.plots.mosaic import place_axes, place_text
from metamerbook.plots.style import (
    ACCENT,
    DIVERGENCES,
    DPI,
    INK,
    MUTED,
    WIDTH,
    LineStyle,
    canvas,
    set_order,
    set_styles,
    stage_label,
    stage_positions,
)
from metamerbook.plots.tables import book_table
from metamerbook.study.words import signed

_COLUMNS, _GAP, _HEAD, _DOWN, _FOOT = 3, 18, 36, 84, 34

PAIRS = {
    "reference-reference": ("reference–reference", INK, "-"),
    "reference-metamer": ("reference–metamer", ACCENT, "-"),
    "metamer-metamer": ("metamer–metamer", "#0f62b0", (0, (4, 1.5))),
    "matching": ("each with its own reference", "#00896b", ":"),
}
"""Kinds of pairs in the order of the legend: name, colour, line."""


def figure_divergence(table: pd.DataFrame) -> Figure:
    """Show the divergence of representations, evaluator by evaluator, as a heat map (paper, Figure 5)."""
    return evaluator_map(table, "divergence", table["took_part"], DIVERGENCES)


def figure_densities(densities: pd.DataFrame, divergences: pd.DataFrame) -> Figure:
    """Draw the distributions of distances behind some cells of Figure 5, whose rows of `divergence` are given.

    One panel per set, all on one scale of distances and each curve as high as any other.
    """
    names = set_order(densities["model_set"])
    styles = set_styles(names)
    bits = divergences.set_index("model_set")["divergence"]
    columns = min(_COLUMNS, len(names))
    width = (WIDTH * DPI - (columns - 1) * _GAP) / columns
    lines, down = -(-len(names) // columns), _HEAD + _DOWN + _FOOT
    # Each kind on its own scale: matching pairs are so alike that theirs would flatten all others.
    highest = densities.groupby(["model_set", "kind"])["density"].transform("max")
    densities = densities.assign(scaled=densities["density"] / highest.where(highest > 0, 1.0))
    # The last 0.1 % of a long tail would press all curves to the left.
    visible = densities.loc[densities["density"] > 1e-3 * highest, "distance"]
    across = (max(0.0, visible.min()), visible.max())
    with canvas(height=(lines * down + 16) / DPI) as figure:
        for number, name in enumerate(names):
            row, column = divmod(number, columns)
            left, top = column * (width + _GAP), row * down + _HEAD
            axes = place_axes(figure, left, top, width, _DOWN)
            for kind, (_, colour, dash) in PAIRS.items():
                curve = densities[(densities["model_set"] == name) & (densities["kind"] == kind)]
                axes.plot(curve["distance"], curve["scaled"], color=colour, linestyle=dash, linewidth=1.3)
                if dash == "-":
                    axes.fill_between(curve["distance"], curve["scaled"], color=colour, alpha=0.14, linewidth=0)
            axes.set(xlim=across, ylim=(0, 1.06), yticks=[])
            axes.spines["left"].set_visible(False)
            axes.tick_params(length=2, labelsize=6.5)
            axes.xaxis.set_major_locator(MaxNLocator(5, prune="both"))
            place_text(figure, name, left, top - 32, fontweight="bold", color=styles[name].text)
            words = f"divergence {bits[name]:.2f} bit"
            place_text(figure, words, left + width, top - 17, ha="right", color=MUTED, fontsize=7)
            if number + columns >= len(names):
                axes.set_xlabel("distance between activations", fontsize=7, labelpad=1)
        left = 0.0
        for words, colour, dash in PAIRS.values():
            axes = place_axes(figure, left, lines * down + 2, 20, 10)
            axes.plot([0, 1], [0.5, 0.5], color=colour, linestyle=dash, linewidth=1.5)
            axes.set_axis_off()
            text = place_text(figure, words, left + 25, lines * down + 1, fontsize=7)
            left += 25 + text.get_window_extent().width + 18
    return figure


def figure_success(counts: pd.DataFrame) -> Figure:
    """Draw the share of metamers that pass, by set and stage.

    Strong: in every network of the set, with the 95 % interval over images; faint: in one of its networks.
    """
    names = set_order(counts["model_set"])
    styles = set_styles(names)
    columns, head, down, first = min(6, len(names)), 36, 108, 34
    width = min(200, (WIDTH * DPI - first - (columns - 1) * 10) / columns)
    line = head + down + 26
    with canvas(height=-(-len(names) // columns) * line / DPI) as figure:
        for number, name in enumerate(names):
            row, column = divmod(number, columns)
            left, top = first + column * (width + 10), row * line + head
            axes = place_axes(figure, left, top, width, down)
            _shares(axes, counts[counts["model_set"] == name], styles[name])
            if column:
                axes.set(ylabel="", yticklabels=[])
                axes.tick_params(axis="y", length=0)
                axes.spines["left"].set_visible(False)
            place_text(figure, name.replace(" ", "\n", 1), left, top - 32, fontweight="bold", color=styles[name].text)
    return figure


def table_representation(means: pd.DataFrame) -> Styler:
    """Tabulate divergences and correlations of distances, averaged over evaluators: a row per model set and stage."""
    table = _in_order(means)
    ranges = table["pearson_low"].map(signed) + " … " + table["pearson_high"].map(signed)
    shown = {
        **_cells(table),
        "ref–met": table["divergence"].map(_known),
        "met–met": table["metamer_metamer"].map(_known),
        "matching": table["matching"].map(_known),
        "Pearson": table["pearson"].map(signed),
        "from … to": ranges.where(table["tested"] > 0, "–"),
        "Spearman": table["spearman"].map(signed),
        "p < .05": [f"{row.significant} of {row.tested}" for row in table.itertuples()],
    }
    styler = book_table(pd.DataFrame(shown), "tab-representation")
    return styler.set_properties(subset=list(shown)[2:], **{"text-align": "right"})


def table_success(counts: pd.DataFrame) -> Styler:
    """Tabulate how many metamers pass in every network of the set: a row per model set and stage."""
    table = _in_order(counts[counts["model"] == "all"])
    shown = {
        **_cells(table),
        "images": table["n"],
        "closer than chance": table["beyond_null"],
        "same class": table["same_class"],
        "metamers": table["metamer"],
        "share": table["share"].map(_known),
        "95 % interval": [f"{row.low:.2f} … {row.high:.2f}" for row in table.itertuples()],
    }
    styler = book_table(pd.DataFrame(shown), "tab-success")
    return styler.set_properties(subset=["share", "95 % interval"], **{"text-align": "right"})


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    cells = [(name, stage) for name in set_order(table["model_set"]) for stage in stage_positions(table["stage"])]
    return table.set_index(["model_set", "stage"]).loc[cells].reset_index()


def _cells(table: pd.DataFrame) -> dict[str, pd.Series]:
    names = table["model_set"]
    return {"model set": names.mask(names.duplicated(), ""), "stage": table["stage"].map(stage_label)}


def _shares(axes: Axes, counts: pd.DataFrame, style: LineStyle) -> None:
    positions = stage_positions(counts["stage"])
    counts = counts.assign(place=counts["stage"].map(positions)).sort_values("place")
    of_set, singles = counts[counts["model"] == "all"], counts[counts["model"] != "all"]
    faint = {"color": MUTED, "linewidth": 0.7, "marker": ".", "markersize": 5, "markeredgewidth": 0, "alpha": 0.6}
    if len(singles):
        sns.lineplot(singles, x="place", y="share", units="model", estimator=None, ax=axes, **faint)
    looks = {"linestyle": style.dash, "marker": style.marker, "markersize": 5.5, "zorder": 4, "clip_on": False}
    sns.lineplot(of_set, x="place", y="share", estimator=None, color=style.colour, ax=axes, **looks)
    axes.vlines(of_set["place"], of_set["low"], of_set["high"], color=style.colour, linewidth=0.8, clip_on=False)
    places = list(positions.values())
    margin = 0.2 * ((places[-1] - places[0]) or 1)
    axes.set(xlim=(places[0] - margin, places[-1] + margin), ylim=(-0.03, 1.03), xlabel="")
    axes.set_xticks(places, [stage_label(stage) for stage in positions], fontsize=6.5)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "", ".5", "", "1"])
    axes.set_ylabel("share of metamers", labelpad=2)
    axes.tick_params(length=2)
    axes.grid(axis="y")


def _known(value: float) -> str | None:
    return f"{value:.2f}" if np.isfinite(value) else None
