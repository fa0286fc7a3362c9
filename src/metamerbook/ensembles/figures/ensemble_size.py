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
        where = {"x": "size", "y": "recognizability", "errorbar": None, "ax": axes}
        for (family, untrained), rows in outside.groupby(["family", "random"], sort=False):
            looks = {"color": MUTED, "linestyle": ":"} if untrained else {"color": FAMILIES[family][1]}
            for _, of_evaluator in rows.groupby("evaluator", sort=False):
                sns.lineplot(of_evaluator, linewidth=0.8, alpha=0.45, **looks, **where)
        cells = outside.groupby(["size", "model_set"], sort=False)["recognizability"].mean().reset_index()
        sns.scatterplot(cells, x="size", y="recognizability", color=INK, alpha=0.5, s=16, linewidth=0, ax=axes)
        if len(outside):
            sns.lineplot(outside, color=INK, linewidth=2.2, marker="s", markersize=6, **where)
        axes.set(xlim=(min(sizes) - 0.3, max(sizes) + 0.3), ylim=(-0.03, 1.03), xticks=sizes)
        axes.set(xlabel="networks in the ensemble", ylabel="recognizability")
        axes.grid(axis="y")
    return figure
