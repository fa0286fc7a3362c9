"""Fig. 5 and what belongs to it: how metamers and references lie among representations, and how many metamers pass."""

from math import ceil

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from pandas.io.formats.style import Styler

from metamerbook.plots import style
from metamerbook.plots.panels import evaluator_map, panel_grid, panel_title, share_axis, stage_axis
from metamerbook.plots.style import ACCENT, DIVERGENCES, INK, MUTED, LineStyle, canvas
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
    names = style.set_order(densities["model_set"])
    styles = style.set_styles(names)
    bits = divergences.set_index("model_set")["divergence"]
    # Each kind on its own scale: matching pairs are so alike that theirs would flatten all others.
    highest = densities.groupby(["model_set", "kind"])["density"].transform("max")
    densities = densities.assign(scaled=densities["density"] / highest.where(highest > 0, 1.0))
    # The last 0.1 % of a long tail would press all curves to the left.
    visible = densities.loc[densities["density"] > 1e-3 * highest, "distance"]
    columns = min(3, len(names))
    with canvas(height=1.5 * ceil(len(names) / columns) + 0.2, layout="constrained") as figure:
        panels = panel_grid(figure, len(names), columns)
        for axes, name in zip(panels, names, strict=True):
            for kind, (label, colour, dash) in PAIRS.items():
                curve = densities[(densities["model_set"] == name) & (densities["kind"] == kind)]
                looks = {"color": colour, "linestyle": dash, "linewidth": 1.3, "label": label}
                axes.plot(curve["distance"], curve["scaled"], **looks)
                if dash == "-":
                    axes.fill_between(curve["distance"], curve["scaled"], color=colour, alpha=0.14, linewidth=0)
            axes.set(xlim=(max(0.0, visible.min()), visible.max()), ylim=(0, 1.06), yticks=[])
            axes.spines["left"].set_visible(False)
            axes.tick_params(length=2, labelsize=6.5)
            axes.xaxis.set_major_locator(MaxNLocator(5, prune="both"))
            panel_title(axes, name, f"divergence {bits[name]:.2f} bit", styles[name].text)
        figure.supxlabel("distance between activations", fontsize=7)
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper left", ncols=len(PAIRS))
    return figure


def figure_success(counts: pd.DataFrame) -> Figure:
    """Draw the share of metamers that pass, by set and stage.

    Strong: in every network of the set, with the 95 % interval over images; faint: in one of its networks.
    """
    names = style.set_order(counts["model_set"])
    styles = style.set_styles(names)
    columns = min(6, len(names))
    with canvas(height=1.7 * ceil(len(names) / columns), layout="constrained") as figure:
        for axes, name in zip(panel_grid(figure, len(names), columns), names, strict=True):
            _shares(axes, counts[counts["model_set"] == name], styles[name])
            share_axis(axes, "share of metamers", first=axes.get_subplotspec().is_first_col())
            axes.set_title(name.replace(" ", "\n", 1), color=styles[name].text)
    return figure


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
    return table.set_index(["model_set", "stage"]).loc[style.cells(table)].reset_index()


def _cells(table: pd.DataFrame) -> pd.DataFrame:
    shown = pd.DataFrame({"model set": table["model_set"], "stage": table["stage"].map(style.stage_label)})
    return shown.assign(**{"model set": shown["model set"].mask(shown["model set"].duplicated(), "")})


def _shares(axes: Axes, counts: pd.DataFrame, look: LineStyle) -> None:
    positions = style.stage_positions(counts["stage"])
    counts = counts.assign(place=counts["stage"].map(positions)).sort_values("place")
    of_set, singles = counts[counts["model"] == "all"], counts[counts["model"] != "all"]
    faint = {"color": MUTED, "linewidth": 0.7, "marker": ".", "markersize": 5, "markeredgewidth": 0, "alpha": 0.6}
    if len(singles):
        sns.lineplot(singles, x="place", y="share", units="model", estimator=None, ax=axes, **faint)
    looks = {"linestyle": look.dash, "marker": look.marker, "markersize": 5.5, "zorder": 4, "clip_on": False}
    sns.lineplot(of_set, x="place", y="share", estimator=None, color=look.colour, ax=axes, **looks)
    axes.vlines(of_set["place"], of_set["low"], of_set["high"], color=look.colour, linewidth=0.8, clip_on=False)
    stage_axis(axes, positions, margin=0.2)
    axes.tick_params(axis="x", labelsize=6.5)
