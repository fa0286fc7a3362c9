"""Fig. 5 and what belongs to it: how differently metamers and references lie among representations."""

import numpy as np
import pandas as pd
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
    canvas,
    set_groups,
    set_styles,
    stage_label,
    stage_positions,
)
from metamerbook.plots.tables import book_table

_COLUMNS, _GAP, _HEAD, _DOWN, _FOOT = 3, 18, 36, 84, 34

PAIRS = {
    "reference-reference": ("reference–reference", INK, "-"),
    "reference-metamer": ("reference–metamer", ACCENT, "-"),
    "metamer-metamer": ("metamer–metamer", "#0f62b0", (0, (4, 1.5))),
    "matching": ("each with its own reference", "#00896b", ":"),
}
"""Kinds of pairs in the order of the legend: name, colour, line."""


def figure_divergence(table: pd.DataFrame) -> Figure:
    """Show the divergence of representations, evaluator by evaluator (paper, Figure 5).

    Parameters
    ----------
    table
        As `divergence` returns it.

    Returns
    -------
    Figure
        A heat map, evaluators by family in rows, stages by set in columns, from equal (white) to apart (dark). Framed
        by dashes: the evaluator took part in the generation.
    """
    return evaluator_map(table, "divergence", table["took_part"], DIVERGENCES)


def figure_densities(densities: pd.DataFrame, divergences: pd.DataFrame) -> Figure:
    """Draw the distributions of distances behind some cells of Figure 5.

    Parameters
    ----------
    densities
        `distance_densities` of several sets at one stage in one evaluator, with
        the column model_set.
    divergences
        The rows of `divergence` for these sets: model_set and divergence.

    Returns
    -------
    Figure
        One panel per set, all on one scale of distances and each as high as its highest curve.
    """
    names = [name for members in set_groups(densities["model_set"]).values() for name in members]
    styles = set_styles(names)
    bits = divergences.set_index("model_set")["divergence"]
    columns = min(_COLUMNS, len(names))
    width = (WIDTH * DPI - (columns - 1) * _GAP) / columns
    lines, down = -(-len(names) // columns), _HEAD + _DOWN + _FOOT
    # The highest 0.1 % of a long tail would press all curves to the left.
    visible = densities[
        densities["density"] > 1e-3 * densities.groupby(["model_set", "kind"])["density"].transform("max")
    ]
    across = (max(0.0, visible["distance"].min()), visible["distance"].max())
    with canvas(height=(lines * down + 16) / DPI) as figure:
        for number, name in enumerate(names):
            row, column = divmod(number, columns)
            left, top = column * (width + _GAP), row * down + _HEAD
            axes = place_axes(figure, left, top, width, _DOWN)
            for kind, (_, colour, dash) in PAIRS.items():
                curve = densities[(densities["model_set"] == name) & (densities["kind"] == kind)]
                # Each kind on its own scale: matching pairs are so alike that theirs would flatten all others.
                scaled = curve["density"] / (curve["density"].max() or 1.0)
                axes.plot(curve["distance"], scaled, color=colour, linestyle=dash, linewidth=1.3)
                if dash == "-":
                    axes.fill_between(curve["distance"], scaled, color=colour, alpha=0.14, linewidth=0)
            axes.set(xlim=across, ylim=(0, 1.06), yticks=[])
            axes.spines["left"].set_visible(False)
            axes.tick_params(length=2, labelsize=6.5)
            axes.xaxis.set_major_locator(MaxNLocator(5, prune="both"))
            place_text(figure, name, left, top - 32, fontweight="bold", color=styles[name].text)
            words = f"divergence {bits[name]:.2f} bit"
            place_text(figure, words, left + width, top - 17, ha="right", color=MUTED, fontsize=7)
            if row == lines - 1 or number + columns >= len(names):
                axes.set_xlabel("distance between activations", fontsize=7, labelpad=1)
        _key(figure, lines * down)
    return figure


def table_representation(means: pd.DataFrame) -> Styler:
    """Tabulate divergences and correlations of distances, averaged over evaluators.

    Parameters
    ----------
    means
        As `metamerbook.ensembles.summaries.mean_representation` returns it.

    Returns
    -------
    Styler
        One row per model set and stage: mean divergences in bits, mean correlations, and how many evaluators' Pearson
        correlation is more than chance by the permutation test.
    """
    order = [name for members in set_groups(means["model_set"]).values() for name in members]
    stages = list(stage_positions(means["stage"]))
    table = means.set_index(["model_set", "stage"]).loc[[(name, stage) for name in order for stage in stages]]
    table = table.reset_index()
    shown = {
        "model set": table["model_set"].mask(table["model_set"].duplicated(), ""),
        "stage": table["stage"].map(stage_label),
        "ref–met": [_known(value) for value in table["divergence"]],
        "met–met": [_known(value) for value in table["metamer_metamer"]],
        "matching": [_known(value) for value in table["matching"]],
        "Pearson": [_signed(value) for value in table["pearson"]],
        "from … to": [
            f"{_signed(row.pearson_low)} … {_signed(row.pearson_high)}" if row.tested else None
            for row in table.itertuples()
        ],
        "Spearman": [_signed(value) for value in table["spearman"]],
        "p < .05": [f"{row.significant} of {row.tested}" for row in table.itertuples()],
    }
    styler = book_table(pd.DataFrame(shown), "tab-representation")
    return styler.set_properties(subset=list(shown)[2:], **{"text-align": "right"})


def _key(figure: Figure, top: float) -> None:
    left = 0.0
    for name, colour, dash in PAIRS.values():
        axes = place_axes(figure, left, top + 2, 20, 10)
        axes.plot([0, 1], [0.5, 0.5], color=colour, linestyle=dash, linewidth=1.5)
        axes.set_axis_off()
        text = place_text(figure, name, left + 25, top + 1, fontsize=7)
        left += 25 + text.get_window_extent().width + 18


def _known(value: float) -> str | None:
    return f"{value:.2f}" if np.isfinite(value) else None


def _signed(value: float) -> str | None:
    return f"{value:+.2f}".replace("-", "−") if np.isfinite(value) else None
