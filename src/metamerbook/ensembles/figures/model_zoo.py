"""Table A1 and what belongs to it: the networks, ours beside the paper's."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from metamerbook.plots.mosaic import place_axes, place_text
from metamerbook.plots.style import ACCENT, DPI, FAMILIES, INK, MUTED, WIDTH, canvas, evaluator_order
from metamerbook.plots.tables import book_table
from metamerbook.study.words import network_label

_NAMES, _LINE, _HEAD, _FOOT = 150, 15, 20, 36


def table_model_zoo(zoo: pd.DataFrame, published: pd.DataFrame) -> Styler:
    """Tabulate the networks of a zoo beside the paper's (Table A1).

    Parameters
    ----------
    zoo
        As `ModelZoo.table` returns it.
    published
        ``metamerbook.study.published("table_a1")``.

    Returns
    -------
    Styler
        Name, what the paper's network was trained on, its parameters, and of ours parameters, accuracy, and accuracy
        under attack; what is not known is a dash.
    """
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
    """Draw how well each network classifies, with and without an adversary.

    Parameters
    ----------
    zoo
        As `ModelZoo.table` returns it; networks without a known accuracy are left out. Without any the figure says so.

    Returns
    -------
    Figure
        Networks in rows, by family. A dot: accuracy; a ring: accuracy under attack; robust networks have a bold name.
        Dotted: chance, among as many classes as the accuracy is.
    """
    known = zoo.dropna(subset="accuracy").rename(columns={"key": "evaluator"})
    if known.empty:
        with canvas(height=0.5) as figure:
            place_axes(figure, 0, 0, WIDTH * DPI, 0.5 * DPI).set_axis_off()  # a figure without axes is not displayed
            place_text(figure, "No accuracy is known of these networks.", 4, 10, fontsize=8, color=MUTED)
        return figure
    order = evaluator_order(known)
    known = known.set_index("evaluator")
    high = _LINE * max(1, len(order))
    with canvas(height=(_HEAD + high + _FOOT) / DPI) as figure:
        axes = place_axes(figure, _NAMES, _HEAD, WIDTH * DPI - _NAMES - 12, high)
        axes.grid(axis="x")
        for place, key in enumerate(order):
            row = known.loc[key]
            ends = [row["robust_accuracy"], row["accuracy"]]
            colour = FAMILIES[row["family"]][1]
            if np.isfinite(ends[0]):
                axes.plot(ends, [place] * 2, color=colour, linewidth=0.8, alpha=0.5, zorder=1)
                axes.plot(
                    ends[0], place, marker="o", color=colour, markerfacecolor="white", markersize=5, clip_on=False
                )
            axes.plot(ends[1], place, marker="o", color=colour, markersize=5, clip_on=False)
            weight = "bold" if row["robust"] else "normal"
            options = {"ha": "right", "va": "center", "fontsize": 7, "color": MUTED if row["random"] else colour}
            where = _HEAD + (place + 0.5) * _LINE
            place_text(figure, network_label(key), _NAMES - 8, where, fontweight=weight, **options)
        axes.set(
            xlim=(0, 1), ylim=(len(order) - 0.5, -0.5), yticks=[], xlabel="share of new pictures classified correctly"
        )
        axes.axvline(1 / known["classes"].iloc[0], color=ACCENT, linewidth=0.9, linestyle=":")
        axes.spines["left"].set_visible(False)
        attacked = known["robust_accuracy"].notna().any()
        marks = "● as they are   ○ under attack" if attacked else "● as they are"
        place_text(figure, marks, _NAMES, 2, fontsize=7.5, color=INK)
        place_text(figure, "··· chance", WIDTH * DPI - 12, 2, ha="right", fontsize=7.5, color=ACCENT)
    return figure


def _count(value: float | None) -> str | None:
    return None if value is None or pd.isna(value) else f"{int(value):,}".replace(",", "\u202f")


def _share(value: float) -> str | None:
    return None if pd.isna(value) else f"{value:.3f}"
