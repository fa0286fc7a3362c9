"""Chapter 10: the networks, ours beside the paper's (Table A1), and how well they classify."""

import pandas as pd
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from metamerbook.plots.mosaic import place_axes, place_text
from metamerbook.plots.style import ACCENT, DPI, FAMILIES, MUTED, WIDTH, canvas, evaluator_order
from metamerbook.plots.tables import book_table
from metamerbook.study.words import network_label

_LINE = 15


def table_model_zoo(zoo: pd.DataFrame, published: pd.DataFrame) -> Styler:
    """Tabulate the networks of a zoo beside the paper's (Table A1)."""
    theirs = published.set_index("key")
    shown = pd.DataFrame(
        {
            "network": [theirs["model"].get(row.key, row.table_name) for row in zoo.itertuples()],
            "trained on": [theirs["trained_on"].get(key, "not listed").split(" (Kaiming")[0] for key in zoo["key"]],
            "parameters": [_count(theirs["parameters"].get(key)) for key in zoo["key"]],
            "here": [_count(value) for value in zoo["parameters"]],
            "accuracy": [_share(value) for value in zoo["accuracy"]],
            "attacked": [_share(value) for value in zoo["robust_accuracy"]],
        }
    )
    numbers = ["parameters", "here", "accuracy", "attacked"]
    return book_table(shown, "tab-a1").set_properties(subset=numbers, **{"text-align": "right"})


def figure_accuracies(zoo: pd.DataFrame) -> Figure:
    """Draw how well each network classifies, with and without an adversary."""
    known = zoo.dropna(subset="accuracy").rename(columns={"key": "evaluator"})
    if known.empty:
        with canvas(height=0.5) as figure:
            place_axes(figure, 0, 0, WIDTH * DPI, 0.5 * DPI).set_axis_off()  # a figure without axes is not displayed
            place_text(figure, "No accuracy is known of these networks.", 4, 10, fontsize=8, color=MUTED)
        return figure
    known = known.set_index("evaluator").loc[evaluator_order(known)].reset_index()
    places, colours = range(len(known)), [FAMILIES[family][1] for family in known["family"]]
    with canvas(height=(_LINE * len(known) + 60) / DPI, layout="constrained") as figure:
        axes = figure.subplots()
        axes.hlines(places, known["robust_accuracy"], known["accuracy"], colors=colours, linewidth=0.8, alpha=0.5)
        looks = {"zorder": 3, "s": 26, "clip_on": False}
        axes.scatter(known["accuracy"], places, c=colours, label="as they are", **looks)
        if known["robust_accuracy"].notna().any():
            looks |= {"facecolors": "white", "edgecolors": colours}
            axes.scatter(known["robust_accuracy"], places, label="under attack", **looks)
        axes.axvline(1 / known["classes"].iloc[0], color=ACCENT, linewidth=0.9, linestyle=":", label="chance")
        axes.set_yticks(places, known["evaluator"].map(network_label))
        for name, row in zip(axes.get_yticklabels(), known.itertuples(), strict=True):
            name.set_color(MUTED if row.random else FAMILIES[row.family][1])
            name.set_fontweight("bold" if row.robust else "normal")
        axes.set(xlim=(0, 1), ylim=(len(known) - 0.5, -0.5), xlabel="share of new pictures classified correctly")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
    return figure


def _count(value: float | None) -> str | None:
    return None if value is None or pd.isna(value) else f"{int(value):,}".replace(",", "\u202f")


def _share(value: float) -> str | None:
    return None if pd.isna(value) else f"{value:.3f}"
