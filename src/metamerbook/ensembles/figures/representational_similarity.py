"""Fig. 5 and what belongs to it: how metamers and references lie among representations, and how many metamers pass."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from pandas.io.formats.style import Styler

from metamerbook.plots.panels import evaluator_map, panel_title, share_axis, stage_axis
from metamerbook.plots.style import (
    ACCENT,
    DIVERGENCES,
    INK,
    MUTED,
    LineStyle,
    canvas,
    set_order,
    set_styles,
    stage_label,
    stage_positions,
)
from metamerbook.plots.tables import book_table
from metamerbook.study.words import signed

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
    # Each kind on its own scale: matching pairs are so alike that theirs would flatten all others.
    highest = densities.groupby(["model_set", "kind"])["density"].transform("max")
    densities = densities.assign(scaled=densities["density"] / highest.where(highest > 0, 1.0))
    # The last 0.1 % of a long tail would press all curves to the left.
    visible = densities.loc[densities["density"] > 1e-3 * highest, "distance"]
    with _panels(names, 3, height=1.5, sharex=True) as (figure, panels):
        for axes, name in zip(panels, names, strict=True):
            for kind, (label, colour, dash) in PAIRS.items():
                curve = densities[(densities["model_set"] == name) & (densities["kind"] == kind)]
                looks = {"color": colour, "linestyle": dash, "linewidth": 1.3, "label": label}
                axes.plot(curve["distance"], curve["scaled"], **looks)
                if dash == "-":
                    axes.fill_between(curve["distance"], curve["scaled"], color=colour, alpha=0.14, linewidth=0)
            axes.set(xlim=(max(0.0, visible.min()), visible.max()), ylim=(0, 1.06), yticks=[])
            axes.spines["left"].set_visible(False)
            axes.tick_params(length=2, labelsize=6.5, labelbottom=True)
            axes.xaxis.set_major_locator(MaxNLocator(5, prune="both"))
            panel_title(axes, name, f"divergence {bits[name]:.2f} bit", styles[name].text)
        figure.supxlabel("distance between activations", fontsize=7)
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper left", ncols=len(PAIRS))
    return figure


def figure_success(counts: pd.DataFrame) -> Figure:
    """Draw the share of metamers that pass, by set and stage.

    Strong: in every network of the set, with the 95 % interval over images; faint: in one of its networks.
    """
    names = set_order(counts["model_set"])
    styles = set_styles(names)
    with _panels(names, 6, height=1.7) as (figure, panels):
        for axes, name in zip(panels, names, strict=True):
            _shares(axes, counts[counts["model_set"] == name], styles[name])
            share_axis(axes, "share of metamers", first=axes.get_subplotspec().is_first_col())
            axes.set_title(name.replace(" ", "\n", 1), color=styles[name].text)
    return figure


@contextmanager
def _panels(
    names: Sequence[str], columns: int, height: float, **options: object
) -> Iterator[tuple[Figure, list[Axes]]]:
    """Open a figure with a panel for each set, so many side by side."""
    columns = min(columns, len(names))
    rows = ceil(len(names) / columns)
    with canvas(height=height * rows, layout="constrained") as figure:
        panels = list(figure.subplots(rows, columns, squeeze=False, **options).flat)
        for axes in panels[len(names) :]:
            axes.remove()
        yield figure, panels[: len(names)]


def table_representation(means: pd.DataFrame) -> Styler:
    """Tabulate divergences and correlations of distances, averaged over evaluators: a row per model set and stage."""
    table = _in_order(means)
    correlations = {"pearson": "Pearson", "spearman": "Spearman"}
    means = {"divergence": "ref–met", "metamer_metamer": "met–met", "matching": "matching"}
    shown = _cells(table).join(table[[*means, *correlations]].rename(columns=means | correlations))
    ranges = table["pearson_low"].map(signed) + " … " + table["pearson_high"].map(signed)
    shown.insert(6, "from … to", ranges.where(table["tested"] > 0, "–"))
    shown["p < .05"] = [f"{row.significant} of {row.tested}" for row in table.itertuples()]
    formats = dict.fromkeys(means.values(), "{:.2f}") | dict.fromkeys(correlations.values(), signed)
    return book_table(shown, "tab-representation", right=["from … to", "p < .05"], formats=formats)


def table_success(counts: pd.DataFrame) -> Styler:
    """Tabulate how many metamers pass in every network of the set: a row per model set and stage."""
    table = _in_order(counts[counts["model"] == "all"])
    names = {"n": "images", "beyond_null": "closer than chance", "same_class": "same class", "metamer": "metamers"}
    shown = _cells(table).join(table[[*names, "share"]].rename(columns=names))
    shown["95 % interval"] = [f"{row.low:.2f} … {row.high:.2f}" for row in table.itertuples()]
    return book_table(shown, "tab-success", right=["95 % interval"], formats={"share": "{:.2f}"})


def _in_order(table: pd.DataFrame) -> pd.DataFrame:
    cells = [(name, stage) for name in set_order(table["model_set"]) for stage in stage_positions(table["stage"])]
    return table.set_index(["model_set", "stage"]).loc[cells].reset_index()


def _cells(table: pd.DataFrame) -> pd.DataFrame:
    names = table["model_set"]
    return pd.DataFrame({"model set": names.mask(names.duplicated(), ""), "stage": table["stage"].map(stage_label)})


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
    stage_axis(axes, positions, margin=0.2)
    axes.tick_params(axis="x", labelsize=6.5)
