"""Recognizability by the number of networks in the ensemble."""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from metamerbook.plots.mosaic import place_axes
from metamerbook.plots.style import DPI, FAMILIES, INK, MUTED, WIDTH, canvas


def figure_ensemble_sizes(table: pd.DataFrame) -> Figure:
    """Draw recognizability by the number of networks that metamers were made with.

    Thin lines: evaluators outside the pool (dotted: never trained); points: ensembles; thick line: mean over both.
    """
    outside, sizes = table[table["outside"]], sorted(set(table["size"]))
    with canvas(height=2.6) as figure:
        axes = place_axes(figure, 48, 10, WIDTH * DPI - 56, 208)
        where = {"x": "size", "y": "recognizability", "ax": axes}
        by = ["family", "random", "evaluator", "size"]
        means = outside.groupby(by, sort=False)["recognizability"].mean().reset_index()
        for (family, untrained), rows in means.groupby(["family", "random"], sort=False):
            looks = {"color": MUTED, "linestyle": ":"} if untrained else {"color": FAMILIES[family][1]}
            sns.lineplot(rows, units="evaluator", estimator=None, linewidth=0.8, alpha=0.45, **looks, **where)
        ensembles = outside.groupby(["size", "model_set"], sort=False)["recognizability"].mean().reset_index()
        sns.scatterplot(ensembles, color=INK, alpha=0.5, s=16, linewidth=0, **where)
        if len(outside):
            sns.lineplot(outside, errorbar=None, color=INK, linewidth=2.2, marker="s", markersize=6, **where)
        axes.set(xlim=(min(sizes) - 0.3, max(sizes) + 0.3), ylim=(-0.03, 1.03), xticks=sizes)
        axes.set(xlabel="networks in the ensemble", ylabel="recognizability")
        axes.grid(axis="y")
    return figure
