"""Chapter 10: the networks, ours beside the paper's (Table A1), and how well they classify."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from metamerbook.plots.panels import name_rows
from metamerbook.plots.style import ACCENT, DPI, FAMILIES, MUTED, canvas, evaluator_order, grouped
from metamerbook.plots.tables import book_table
from metamerbook.study.words import network_label

_LINE = 15


def table_model_zoo(zoo: pd.DataFrame, published: pd.DataFrame) -> Styler:
    """Tabulate the networks of a zoo beside the paper's (Table A1)."""
    theirs = published.set_index("key").reindex(zoo["key"]).reset_index()
    shown = pd.DataFrame(
        {
            "network": theirs["model"].fillna(zoo["table_name"]),
            "trained on": theirs["trained_on"].fillna("not listed").str.partition(" (Kaiming")[0],
            "parameters": theirs["parameters"],
            "here": zoo["parameters"],
            "accuracy": zoo["accuracy"],
            "attacked": zoo["robust_accuracy"],
        }
    )
    formats = {"parameters": grouped, "here": grouped, "accuracy": "{:.3f}", "attacked": "{:.3f}"}
    return book_table(shown, "tab-a1", formats=formats)


def figure_accuracies(zoo: pd.DataFrame) -> Figure:
    """Draw how well each network classifies, with and without an adversary."""
    known = zoo.dropna(subset="accuracy").rename(columns={"key": "evaluator"})
    if known.empty:
        with canvas(height=0.5) as figure:
            figure.subplots().set_axis_off()  # a figure without axes is not displayed
            figure.text(0.01, 0.5, "No accuracy is known of these networks.", color=MUTED)
        return figure
    known = known.set_index("evaluator").loc[evaluator_order(known)].reset_index()
    places, colours = range(len(known)), [FAMILIES[family].colour for family in known["family"]]
    with canvas(height=(_LINE * len(known) + 60) / DPI, layout="constrained") as figure:
        axes = figure.subplots()
        axes.hlines(places, known["robust_accuracy"], known["accuracy"], colors=colours, linewidth=0.8, alpha=0.5)
        looks = {"zorder": 3, "s": 26, "clip_on": False}
        axes.scatter(known["accuracy"], places, c=colours, label="as they are", **looks)
        if known["robust_accuracy"].notna().any():
            looks |= {"facecolors": "white", "edgecolors": colours}
            axes.scatter(known["robust_accuracy"], places, label="under attack", **looks)
        axes.axvline(1 / known["classes"].iloc[0], color=ACCENT, linewidth=0.9, linestyle=":", label="chance")
        name_rows(axes, known["evaluator"].map(network_label), np.where(known["random"], MUTED, colours))
        for name, robust in zip(axes.get_yticklabels(), known["robust"], strict=True):
            name.set_fontweight("bold" if robust else "normal")
        axes.set(xlim=(0, 1), xlabel="share of new pictures classified correctly")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
    return figure
