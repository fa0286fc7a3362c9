"""Fig. B1 and Table B2: how random sets of networks fare, and what each network adds to those it is in."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from metamerbook.plots.mosaic import place_axes, place_text
from metamerbook.plots.style import ACCENT, DPI, FAMILIES, INK, MUTED, RULE, WIDTH, canvas
from metamerbook.plots.tables import book_table
from metamerbook.study.words import network_label
from metamerlib.models import ZOO

_LEFT, _HEAD, _UPPER, _LOWER, _FOOT = 44, 20, 170, 120, 34
_LINE, _NAMES = 15, 150
_BLUE = FAMILIES["cnn"][1]


def figure_random_sets(table: pd.DataFrame, published: pd.Series | None = None) -> Figure:
    """Draw how the metamers of random sets are recognized (paper, Figure B1).

    Parameters
    ----------
    table
        As `metamerbook.ensembles.mixed_models.mixed` returns it: one row per set and evaluator.
    published
        The paper's mean over its sets: value and spread.

    Returns
    -------
    Figure
        Above, each set's evaluators: a line from the first to the third quartile, a tick at the median and a dot at
        the mean, sets in the order of their means. Below, how often which mean comes, and the means by size. The
        published mean is a dashed line, its spread a band.
    """
    outside = table[table["held_out"]]
    by_set = outside.groupby("model_set", sort=False)["recognizability"]
    stats = by_set.quantile([0.25, 0.5, 0.75]).unstack().assign(mean=by_set.mean())
    stats["size"] = outside.groupby("model_set", sort=False)["size"].first()
    stats = stats.sort_values("mean", kind="stable")
    across = WIDTH * DPI - _LEFT
    top = 2 * _HEAD + _UPPER + _FOOT
    with canvas(height=(top + _LOWER + _FOOT) / DPI) as figure:
        upper = place_axes(figure, _LEFT, _HEAD, across, _UPPER)
        _shares(upper, published)
        places = np.arange(len(stats))
        upper.vlines(
            places, stats[0.25], stats[0.75], color=_BLUE, alpha=0.35, linewidth=min(8, max(1.5, 190 / len(stats)))
        )
        upper.plot(places, stats[0.5], linestyle="", marker="_", color=INK, markersize=5)
        upper.plot(places, stats["mean"], linestyle="", marker="o", color=_BLUE, markersize=3)
        upper.set(xlim=(-1, len(stats)), xticks=[], xlabel="random sets, in the order of their means")
        upper.set_ylabel("recognizability")
        place_text(figure, "Evaluators of each set", _LEFT, 0, fontweight="bold", fontsize=8.5)
        half = (across - 60) / 2
        left = place_axes(figure, _LEFT, top, half, _LOWER)
        _counts(left, stats["mean"], published)
        place_text(figure, "Means of sets", _LEFT, top - _HEAD, fontweight="bold", fontsize=8.5)
        right = place_axes(figure, _LEFT + half + 60, top, half, _LOWER)
        _shares(right, published)
        _by_size(right, stats)
        place_text(figure, "By size", _LEFT + half + 60, top - _HEAD, fontweight="bold", fontsize=8.5)
        if published is not None:
            words = f"paper: {published['value']:.3f} ± {published['spread']:.3f}"
            place_text(figure, words, WIDTH * DPI, 0, ha="right", color=ACCENT, fontsize=7.5)
    return figure


def figure_effects(effects: pd.DataFrame) -> Figure:
    """Draw what each network adds to random sets, ours beside the paper's (Table B2 as a picture).

    Parameters
    ----------
    effects
        As `metamerbook.ensembles.mixed_models.mixed_effects` returns it.

    Returns
    -------
    Figure
        Networks in rows, in the paper's order. A point with its 95 % interval: ours, at equal size of the sets; a
        hollow point: without regard to size; a rhombus: the paper's, which has no sign. Intervals that miss zero are
        in full colour.
    """
    shown = effects[effects["available"]].reset_index(drop=True)
    head, foot = 22, 36
    with canvas(height=(head + _LINE * max(1, len(shown)) + foot) / DPI) as figure:
        axes = place_axes(figure, _NAMES, head, WIDTH * DPI - _NAMES - 8, _LINE * max(1, len(shown)))
        axes.axvline(0, color=MUTED, linewidth=0.8)
        axes.grid(axis="x")
        for place, row in enumerate(shown.to_dict("records")):
            clear = row["adjusted_low"] > 0 or row["adjusted_high"] < 0
            colour = _BLUE if clear else MUTED
            axes.plot([row["adjusted_low"], row["adjusted_high"]], [place] * 2, color=colour, linewidth=1.6)
            axes.plot(row["adjusted"], place, marker="o", color=colour, markersize=5)
            axes.plot(row["difference"], place, marker="o", color=colour, markersize=4.5, markerfacecolor="white")
            axes.plot(row["published_difference"], place, marker="D", color=ACCENT, markersize=4)
            family = ZOO[row["model"]].family if row["model"] in ZOO else "own"
            where = head + (place + 0.5) * _LINE
            options = {"ha": "right", "va": "center", "fontsize": 7, "color": FAMILIES[family][1]}
            place_text(figure, network_label(row["model"]), _NAMES - 8, where, **options)
        axes.set(
            ylim=(len(shown) - 0.5, -0.5), yticks=[], xlabel="difference in mean recognizability, present − absent"
        )
        axes.spines["left"].set_visible(False)
        _key(figure)
    return figure


def table_effects(effects: pd.DataFrame) -> Styler:
    """Tabulate what each network adds to random sets, beside the paper's column (Table B2).

    Parameters
    ----------
    effects
        As `metamerbook.ensembles.mixed_models.mixed_effects` returns it.

    Returns
    -------
    Styler
        In the paper's order; differences whose interval misses zero are bold.
    """
    frame = effects.astype({"difference": float, "adjusted": float})
    shown = pd.DataFrame(
        {
            "network": frame["model"].map(network_label),
            "paper": [_plain(value) for value in frame["published_difference"]],
            "here": [_estimate(row, "difference", "") for row in frame.to_dict("records")],
            "at equal size": [_estimate(row, "adjusted", "adjusted_") for row in frame.to_dict("records")],
            "with equal judges": [_estimate(row, "levelled", "levelled_") for row in frame.to_dict("records")],
            "sets with it, paper": [_whole(value) for value in frame["published_appearances"]],
            "sets with it, here": [_whole(value) for value in frame["appearances"]],
        }
    )
    styler = book_table(shown, "tab-b2").set_properties(subset=list(shown)[1:], **{"text-align": "right"})
    for column, low, high in (
        ("here", "low", "high"),
        ("at equal size", "adjusted_low", "adjusted_high"),
        ("with equal judges", "levelled_low", "levelled_high"),
    ):
        clear = ((frame[low] > 0) | (frame[high] < 0)).map({True: "font-weight: 650", False: ""}).reset_index(drop=True)
        styler = styler.apply(lambda _, clear=clear: clear, subset=[column])
    return styler


def table_agreement(agreement: pd.DataFrame, words: dict[str, str]) -> Styler:
    """Tabulate how well our order of networks agrees with the paper's.

    Parameters
    ----------
    agreement
        As `metamerbook.ensembles.mixed_models.mixed_agreement` returns it.
    words
        The ways to read the table, in words.

    Returns
    -------
    Styler
        One row per way: rank correlation, p-value, number of networks.
    """
    shown = pd.DataFrame(
        {
            "ours": agreement["ours"].map(words),
            "Spearman's ρ": [_plain(value, 2, sign=True) for value in agreement["spearman"]],
            "p": [_plain(value) for value in agreement["p"]],
            "networks": agreement["n"],
        }
    )
    return book_table(shown, "tab-agreement").set_properties(subset=["Spearman's ρ", "p"], **{"text-align": "right"})


def _shares(axes: Axes, published: pd.Series | None) -> None:
    axes.set(ylim=(-0.03, 1.03), yticks=[0, 0.25, 0.5, 0.75, 1])
    axes.set_yticklabels(["0", "", ".5", "", "1"])
    axes.grid(axis="y")
    if published is not None:
        low, high = published["value"] - published["spread"], published["value"] + published["spread"]
        axes.axhspan(low, high, color=ACCENT, alpha=0.1, linewidth=0)
        axes.axhline(published["value"], color=ACCENT, linewidth=1, linestyle="--")


def _counts(axes: Axes, means: pd.Series, published: pd.Series | None) -> None:
    axes.hist(means, bins=np.linspace(0, 1, 21), color=_BLUE, edgecolor="white", linewidth=0.6)
    axes.set(xlim=(0, 1), xlabel="mean recognizability", ylabel="sets")
    axes.yaxis.get_major_locator().set_params(integer=True)
    if published is not None:
        low, high = published["value"] - published["spread"], published["value"] + published["spread"]
        axes.axvspan(low, high, color=ACCENT, alpha=0.1, linewidth=0)
        axes.axvline(published["value"], color=ACCENT, linewidth=1, linestyle="--")


def _by_size(axes: Axes, stats: pd.DataFrame) -> None:
    shift = np.random.default_rng(0).uniform(-0.16, 0.16, len(stats))
    axes.plot(stats["size"] + shift, stats["mean"], linestyle="", marker="o", markersize=3, color=_BLUE, alpha=0.45)
    means = stats.groupby("size")["mean"].mean()
    axes.plot(means.index, means, color=INK, marker="s", markersize=4, linewidth=1.2)
    axes.set_xticks(means.index.astype(int))
    axes.set(xlim=(means.index.min() - 0.6, means.index.max() + 0.6), xlabel="networks in the set")


def _key(figure: Figure) -> None:
    line = place_axes(figure, _NAMES, 0, WIDTH * DPI - _NAMES - 8, 16)
    line.set(xlim=(0, 540), ylim=(0, 1))
    line.set_axis_off()
    marks = (
        ("o", _BLUE, _BLUE, "at equal size"),
        ("o", _BLUE, "white", "plain"),
        ("D", ACCENT, ACCENT, "paper, unsigned"),
    )
    for number, (marker, edge, face, words) in enumerate(marks):
        line.plot(8 + 120 * number, 0.5, marker=marker, color=edge, markerfacecolor=face, markersize=4.5, clip_on=False)
        line.text(18 + 120 * number, 0.5, words, va="center", fontsize=7, color=INK)
    line.plot([372, 392], [0.5, 0.5], color=MUTED, linewidth=1.6)
    line.text(400, 0.5, "interval contains zero", va="center", fontsize=7, color=INK)
    line.axhline(-0.2, color=RULE, linewidth=0.5)


def _whole(value: float) -> str | None:
    return None if pd.isna(value) else f"{value:.0f}"


def _plain(value: float, digits: int = 3, *, sign: bool = False) -> str | None:
    return None if pd.isna(value) else f"{value:{'+' if sign else ''}.{digits}f}".replace("-", "−")


def _estimate(row: dict, name: str, prefix: str) -> str | None:
    value, low, high = row[name], row[f"{prefix}low"], row[f"{prefix}high"]
    if pd.isna(value):
        return None
    span = "" if pd.isna(low) else f" [{_plain(low, 2, sign=True)}, {_plain(high, 2, sign=True)}]"
    return f"{_plain(value, sign=True)}{span}"
