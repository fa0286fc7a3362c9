"""Fig. 6: metamers from small balls beside adversarial examples from balls of the same size."""

import math
from collections.abc import Sequence
from types import SimpleNamespace

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from metamerbook.plots.mosaic import CELL, place_axes, place_key, place_picture, place_text
from metamerbook.plots.panels import share_axis
from metamerbook.plots.style import ACCENT, DPI, INK, MUTED, WIDTH, canvas, grouped
from metamerbook.plots.tables import book_table

# Panels in their order: what is made, and where the ball lies.
CONDITIONS = {
    "initial": ("Metamers", "ball around the initial stimulus"),
    "reference": ("Metamers", "ball around the reference"),
    "attack": ("Adversarial examples", "ball around the reference"),
}
_TOOK_PART = "#0f62b0"
_LEFT, _HEAD, _DOWN, _FOOT, _GAP, _BETWEEN = 76, 52, 128, 30, 2, 15


def figure_restricted(
    restricted: pd.DataFrame, adversarial: pd.DataFrame, examples: Sequence[SimpleNamespace]
) -> Figure:
    """Draw recognizability over the radius of the search, and images from every ball (paper, Figure 6).

    Strong: the mean over all evaluators; faint: each of them, dashed if the images were made with it.
    """
    epsilons = sorted(set(restricted["epsilon"]) | set(adversarial["epsilon"]))
    apart = (WIDTH * DPI - _LEFT) / len(CONDITIONS) + 2
    step = min(CELL + _GAP, (apart - 6 * _GAP) / len(epsilons))
    side = min(CELL, step - _GAP)
    tops = [_HEAD + _DOWN + _FOOT + row * (side + _BETWEEN) for row in range(len(examples) + 1)]
    with canvas(height=tops[-1] / DPI) as figure:
        for number, (condition, (what, where)) in enumerate(CONDITIONS.items()):
            left, attack = _LEFT + number * apart, condition == "attack"
            axes = place_axes(figure, left, _HEAD, step * len(epsilons) - _GAP, _DOWN)
            _curves(axes, adversarial if attack else restricted[restricted["center"] == condition], epsilons)
            share_axis(axes, "recognizability", first=not number)
            place_text(figure, what, left, 2, fontweight="bold", fontsize=8.5)
            place_text(figure, where, left, 16, color=MUTED, fontsize=7)
            key = {"keep their class": INK, "taken for the target": ACCENT}
            key = key if attack else {"mean": INK, "took part": _TOOK_PART}
            place_key(figure, key.items(), left, 30, fontsize=6.5, fontweight="bold")
            for top, example in zip(tops, examples, strict=False):
                for column, epsilon in enumerate(epsilons):
                    image = example.attacks.get(epsilon) if attack else example.metamers.get((epsilon, condition))
                    if image is not None:
                        place_picture(figure, image, left + column * step, top, side)
                    if attack and image is not None:
                        words, middle = f"→ {example.targets[epsilon]}", left + column * step + side / 2
                        place_text(figure, words, middle, top + side, ha="center", color=ACCENT, fontsize=6)
        for top, example in zip(tops, examples, strict=False):
            place_picture(figure, example.reference, 0, top, side)
            place_text(figure, example.category, side / 2, top + side, ha="center", fontsize=6.5, fontweight="bold")
    return figure


def table_restricted(means: pd.DataFrame) -> Styler:
    """Tabulate the means behind Figure 6: one row per condition and radius."""
    names = means["condition"].map({key: ", ".join(words).lower() for key, words in CONDITIONS.items()})
    columns = {
        "mean": "recognized by all",
        "held_out": "by those without part",
        "fooled": "taken for the target by all",
        "fooled_held_out": "taken for it by those without part",
    }
    shown = means[["residual", *columns]].rename(columns=columns)
    shown.insert(0, "images", names.mask(names.duplicated(), "").str.capitalize())
    shown.insert(1, "ε", means["epsilon"].map(radius_in_words))
    formats = {"residual": "{:.3f}"} | dict.fromkeys(columns.values(), "{:.2f}")
    return book_table(shown, "tab-restricted", right=["ε"], formats=formats)


def radius_in_words(epsilon: float) -> str:
    """Write the radius of an ℓ∞ ball as the literature does: "8/255", "0.3", "10 000"."""
    steps = epsilon * 255
    if epsilon < 0.1 and math.isclose(steps, round(steps), abs_tol=1e-6):
        return f"{round(steps)}/255"
    return grouped(epsilon)


def _curves(axes: Axes, table: pd.DataFrame, epsilons: Sequence[float]) -> None:
    table = table.assign(place=table["epsilon"].map(epsilons.index)).dropna(subset="recognizability")
    for held_out, rows in table.groupby("held_out"):
        looks = {"color": MUTED} if held_out else {"color": _TOOK_PART, "linestyle": (0, (3, 1.5))}
        by_evaluator = {"units": "evaluator", "estimator": None, "linewidth": 0.8, "alpha": 0.45}
        sns.lineplot(rows, x="place", y="recognizability", ax=axes, **by_evaluator, **looks)
    means = {"errorbar": None, "marker": "o", "markersize": 5, "markeredgewidth": 0, "clip_on": False, "zorder": 4}
    sns.lineplot(table, x="place", y="recognizability", ax=axes, color=INK, **means)
    if "fooled" in table:
        sns.lineplot(table, x="place", y="fooled", ax=axes, color=ACCENT, linestyle=":", **means)
    axes.set(xlim=(-0.5, len(epsilons) - 0.5), xlabel="")
    axes.set_xticks(range(len(epsilons)), [f"ε = {radius_in_words(epsilon)}" for epsilon in epsilons], fontsize=7)
