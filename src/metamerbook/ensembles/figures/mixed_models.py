"""Chapter 11: how random sets of networks fare (Fig. B1), and what each network adds to them (Table B2)."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from metamerbook.plots.panels import name_rows, share_axis, spread_out
from metamerbook.plots.style import ACCENT, DPI, FAMILIES, INK, MUTED, canvas
from metamerbook.plots.tables import book_table, estimate
from metamerbook.study.words import network_label, signed
from metamerlib.models import ZOO

WAYS = {
    "difference": "the signed difference",
    "absolute difference": "the difference without its sign",
    "adjusted": "the difference at equal size",
    "equal_evaluators": "the difference at equal size and with equal evaluators",
}
"""The ways to read Table B2, in words."""

_ESTIMATES = (
    ("here", "difference", ""),
    ("at equal size", "adjusted", "adjusted_"),
    ("with equal evaluators", "equal_evaluators", "equal_evaluators_"),
)
_LINE = 15
_BLUE = FAMILIES["cnn"].colour


def figure_random_sets(table: pd.DataFrame, published: pd.Series | None = None) -> Figure:
    """Draw how the metamers of random sets are recognized (paper, Figure B1); `published` is the paper's mean."""
    outside = table[table["held_out"]]
    means = outside.groupby(["model_set", "size"], sort=False)["recognizability"].mean()
    means = means.sort_values(kind="stable").reset_index()
    with canvas(height=4.0, layout="constrained") as figure:
        axes = figure.subplot_mosaic([["evaluators", "evaluators"], ["means", "sizes"]], height_ratios=[1.4, 1])
        upper, left, right = (axes[name] for name in ("evaluators", "means", "sizes"))
        looks = {"ax": upper, "order": means["model_set"], "x": "model_set", "y": "recognizability"}
        width = min(8, max(1.5, 190 / len(means)))
        quartiles = {"errorbar": ("pi", 50), "err_kws": {"linewidth": width, "alpha": 0.35}}
        sns.pointplot(outside, **looks, estimator="median", linestyle="none", marker="", color=_BLUE, **quartiles)
        medians = outside.groupby("model_set")["recognizability"].median()[means["model_set"]]
        upper.plot(range(len(means)), medians, linestyle="", marker="_", color=INK, markersize=5)
        upper.plot(range(len(means)), means["recognizability"], linestyle="", marker="o", color=_BLUE, markersize=3)
        upper.set(title="Evaluators of each set", xticks=[], xlabel="random sets, in the order of their means")
        sns.histplot(means["recognizability"], bins=np.linspace(0, 1, 21), color=_BLUE, edgecolor="white", ax=left)
        left.set(title="Means of sets", xlim=(0, 1), xlabel="mean recognizability", ylabel="sets")
        left.yaxis.get_major_locator().set_params(integer=True)
        shift = spread_out(len(means), 0.16)
        looks = {"x": means["size"] + shift, "y": "recognizability", "color": _BLUE, "alpha": 0.45}
        sns.scatterplot(means, **looks, s=12, linewidth=0, ax=right)
        sns.lineplot(means, x="size", y="recognizability", errorbar=None, color=INK, marker="s", ax=right)
        right.set(title="By size", xticks=sorted(means["size"].unique()), xlabel="networks in the set")
        for shares in (upper, right):
            share_axis(shares, "recognizability")
        if published is not None:
            _beside_published(published, upper.axhspan, upper.axhline)
            _beside_published(published, right.axhspan, right.axhline)
            _beside_published(published, left.axvspan, left.axvline)
            upper.set_title(f"paper: {published['value']:.3f} ± {published['spread']:.3f}", loc="right", color=ACCENT)
    return figure


def _beside_published(published: pd.Series, band: Callable, line: Callable) -> None:
    low, high = published["value"] - published["spread"], published["value"] + published["spread"]
    band(low, high, color=ACCENT, alpha=0.1, linewidth=0)
    line(published["value"], color=ACCENT, linewidth=1, linestyle="--")


def figure_effects(effects: pd.DataFrame) -> Figure:
    """Draw what each network adds to random sets, ours beside the paper's (Table B2 as a picture)."""
    shown = effects[effects["available"]].reset_index(drop=True)
    clear = (shown["adjusted_low"] > 0) | (shown["adjusted_high"] < 0)
    places, colours = np.arange(len(shown)), np.where(clear, _BLUE, MUTED)
    with canvas(height=(_LINE * max(1, len(shown)) + 70) / DPI, layout="constrained") as figure:
        axes = figure.subplots()
        axes.axvline(0, color=MUTED, linewidth=0.8)
        axes.hlines(places, shown["adjusted_low"].astype(float), shown["adjusted_high"].astype(float), colors=colours)
        points = (
            ("at equal size", "adjusted", {"c": colours, "s": 26}),
            ("plain", "difference", {"facecolors": "white", "edgecolors": colours, "s": 22}),
            ("paper, unsigned", "published_difference", {"color": ACCENT, "marker": "D", "s": 16}),
        )
        for label, column, looks in points:
            axes.scatter(shown[column].astype(float), places, label=label, zorder=3, **looks)
        families = [ZOO[key].family if key in ZOO else "own" for key in shown["model"]]
        name_rows(axes, shown["model"].map(network_label), [FAMILIES[family].colour for family in families])
        axes.set_xlabel("difference in mean recognizability, present − absent")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, title="grey: the interval contains zero")
    return figure


def table_effects(effects: pd.DataFrame) -> Styler:
    """Tabulate what each network adds to random sets, beside the paper's column (Table B2)."""
    numbers = effects.set_index("model").astype(float).reset_index()
    counts = {"published_appearances": "sets with it, paper", "appearances": "sets with it, here"}
    columns = {"published_difference": "paper"} | counts
    shown = numbers[list(columns)].rename(columns=columns)
    shown.insert(0, "network", numbers["model"].map(network_label))
    bold = {}
    for place, (heading, value, prefix) in enumerate(_ESTIMATES, start=2):
        low, high = numbers[f"{prefix}low"], numbers[f"{prefix}high"]
        shown.insert(place, heading, list(map(estimate, numbers[value], low, high)))
        bold[heading] = (low > 0) | (high < 0)
    formats = {"paper": "{:.3f}"} | dict.fromkeys(counts.values(), "{:.0f}")
    return book_table(shown, "tab-b2", right=list(bold), formats=formats, bold=bold)


def table_agreement(agreement: pd.DataFrame) -> Styler:
    """Tabulate how well our order of networks agrees with the paper's."""
    shown = agreement.assign(ours=agreement["ours"].map(WAYS))
    shown = shown.rename(columns={"spearman": "Spearman's ρ", "n": "networks"})[
        ["ours", "Spearman's ρ", "p", "networks"]
    ]
    return book_table(shown, "tab-agreement", formats={"Spearman's ρ": signed, "p": "{:.3f}"})
