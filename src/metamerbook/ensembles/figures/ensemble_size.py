"""Recognizability by the number of networks in the ensemble."""

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from metamerbook.plots.panels import share_axis
from metamerbook.plots.style import FAMILIES, INK, MUTED, canvas


def figure_ensemble_sizes(table: pd.DataFrame) -> Figure:
    """Draw recognizability by the number of networks that metamers were made with.

    Thin lines: evaluators outside the pool (dotted: never trained); points: ensembles; thick line: mean over both.
    """
    outside, sizes = table[table["outside"]], sorted(set(table["size"]))
    with canvas(height=2.6, layout="constrained") as figure:
        axes = figure.subplots()
        where = {"x": "size", "y": "recognizability", "ax": axes}
        for (family, untrained, _), rows in outside.groupby(["family", "random", "evaluator"], sort=False):
            looks = {"color": MUTED, "linestyle": ":"} if untrained else {"color": FAMILIES[family].colour}
            sns.lineplot(rows, errorbar=None, linewidth=0.8, alpha=0.45, **looks, **where)
        ensembles = outside.groupby(["size", "model_set"], sort=False)["recognizability"].mean().reset_index()
        sns.scatterplot(ensembles, color=INK, alpha=0.5, s=16, linewidth=0, **where)
        if len(outside):
            sns.lineplot(outside, errorbar=None, color=INK, linewidth=2.2, marker="s", markersize=6, **where)
        axes.set(xlim=(min(sizes) - 0.3, max(sizes) + 0.3), xticks=sizes, xlabel="networks in the ensemble")
        share_axis(axes, "recognizability")
    return figure
