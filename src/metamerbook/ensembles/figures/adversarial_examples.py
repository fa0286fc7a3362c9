"""Fig. 6: metamers from small balls beside adversarial examples from balls of the same size."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from metamerbook.ensembles.adversarial_examples import RestrictedExample
from metamerbook.ensembles.sentences.about_attacks import radius_in_words
from metamerbook.plots.mosaic import CELL, place_axes, place_picture, place_text
from metamerbook.plots.style import ACCENT, DPI, INK, MUTED, WIDTH, canvas
from metamerbook.plots.tables import book_table

CONDITIONS = {
    "initial": ("Metamers", "ball around the initial stimulus"),
    "reference": ("Metamers", "ball around the reference"),
    "attack": ("Adversarial examples", "ball around the reference"),
}
"""Panels in their order: what is made, and where the ball lies."""

TAKING_PART = "#0f62b0"
"""For evaluators that the images were made with."""

_LEFT, _HEAD, _DOWN, _FOOT, _GAP, _BETWEEN = 76, 52, 128, 30, 2, 15


def figure_restricted(
    restricted: pd.DataFrame, adversarial: pd.DataFrame, examples: Sequence[RestrictedExample]
) -> Figure:
    """Draw recognizability over the radius of the search, and images from every ball (paper, Figure 6).

    Parameters
    ----------
    restricted
        As `metamerbook.ensembles.adversarial_examples.restricted` returns it.
    adversarial
        As `metamerbook.ensembles.adversarial_examples.adversarial` returns it.
    examples
        As `metamerbook.ensembles.adversarial_examples.restricted_example` returns them; one row of pictures each.

    Returns
    -------
    Figure
        Three panels: metamers from balls around the initial stimulus, around the reference, and targeted adversarial
        examples. Strong: the mean over all evaluators, as in the paper; faint: each of them, dashed if the images were
        made with it. Below, images, each under its radius.
    """
    epsilons = sorted(set(restricted["epsilon"]) | set(adversarial["epsilon"]))
    across = (WIDTH * DPI - _LEFT) / len(CONDITIONS) - _GAP * 5
    step = min(CELL + _GAP, across / len(epsilons))
    side = min(CELL, step - _GAP)
    pictures = _HEAD + _DOWN + _FOOT
    height = pictures + len(examples) * (side + _BETWEEN)
    with canvas(height=height / DPI) as figure:
        for number, (condition, (what, where)) in enumerate(CONDITIONS.items()):
            left = _LEFT + number * ((WIDTH * DPI - _LEFT) / len(CONDITIONS) + 2)
            axes = place_axes(figure, left, _HEAD, step * len(epsilons) - _GAP, _DOWN)
            _frame(axes, epsilons, first=number == 0)
            place_text(figure, what, left, 2, fontweight="bold", fontsize=8.5)
            place_text(figure, where, left, 16, color=MUTED, fontsize=7)
            attack = condition == "attack"
            table = adversarial if attack else restricted[restricted["center"] == condition]
            _curves(axes, table, epsilons)
            if attack:
                _mean(axes, table, epsilons, "fooled", ACCENT, ":")
            _legend(figure, left, 30, attack=attack)
            for row, example in enumerate(examples):
                top = pictures + row * (side + _BETWEEN)
                _pictures(figure, example, condition, epsilons, (left, top, step, side))
        for row, example in enumerate(examples):
            top = pictures + row * (side + _BETWEEN)
            place_picture(figure, example.reference, 0, top, side)
            place_text(figure, example.category, side / 2, top + side, ha="center", fontsize=6.5, fontweight="bold")
    return figure


def table_restricted(means: pd.DataFrame) -> Styler:
    """Tabulate the means behind Figure 6.

    Parameters
    ----------
    means
        As `metamerbook.ensembles.summaries.restricted_means` returns it.

    Returns
    -------
    Styler
        One row per condition and radius: what is left of the distance, mean recognizability over all evaluators and
        over those that had no part, and the share of images that are taken for the attack's target.
    """
    names = means["condition"].map(lambda key: ", ".join(CONDITIONS[key]).lower())
    shown = {
        "images": names.mask(names.duplicated(), "").str.capitalize(),
        "ε": means["epsilon"].map(radius_in_words),
        "residual": [_known(value, 3) for value in means["residual"]],
        "recognized by all": [_known(value) for value in means["mean"]],
        "by those without part": [_known(value) for value in means["held_out"]],
        "taken for the target by all": [_known(value) for value in means["fooled"]],
        "taken for it by those without part": [_known(value) for value in means["fooled_held_out"]],
    }
    styler = book_table(pd.DataFrame(shown), "tab-restricted")
    return styler.set_properties(subset=list(shown)[1:], **{"text-align": "right"})


def _frame(axes: Axes, epsilons: Sequence[float], *, first: bool) -> None:
    axes.set(xlim=(-0.5, len(epsilons) - 0.5), ylim=(-0.03, 1.03))
    axes.set_xticks(range(len(epsilons)), [f"ε = {radius_in_words(epsilon)}" for epsilon in epsilons], fontsize=7)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "", ".5", "", "1"] if first else [])
    axes.tick_params(axis="x", length=2)
    axes.tick_params(axis="y", length=2 if first else 0)
    axes.spines["left"].set_visible(first)
    axes.grid(axis="y")
    if first:
        axes.set_ylabel("recognizability")


def _curves(axes: Axes, table: pd.DataFrame, epsilons: Sequence[float]) -> None:
    for _, rows in table.groupby("evaluator", sort=False):
        took_part = not rows["held_out"].iloc[0]
        values = rows.set_index("epsilon")["recognizability"].reindex(epsilons)
        colour, dash = (TAKING_PART, (0, (3, 1.5))) if took_part else (MUTED, "-")
        axes.plot(range(len(epsilons)), values, color=colour, linestyle=dash, linewidth=0.8, alpha=0.45, zorder=2)
    _mean(axes, table, epsilons, "recognizability", INK, "-")


def _mean(axes: Axes, table: pd.DataFrame, epsilons: Sequence[float], column: str, colour: str, dash: str) -> None:
    means = table.groupby("epsilon")[column].mean().reindex(epsilons)
    axes.plot(
        range(len(epsilons)), means, color=colour, linestyle=dash, marker="o", markersize=5, zorder=4, clip_on=False
    )


def _legend(figure: Figure, left: float, top: float, *, attack: bool) -> None:
    parts = [("mean", INK), ("took part", TAKING_PART)]
    if attack:
        parts = [("keep their class", INK), ("taken for the target", ACCENT)]
    for words, colour in parts:
        text = place_text(figure, words, left, top, color=colour, fontsize=6.5, fontweight="bold")
        left += text.get_window_extent().width + 12


def _pictures(
    figure: Figure,
    example: RestrictedExample,
    condition: str,
    epsilons: Sequence[float],
    place: tuple[float, float, float, float],
) -> None:
    left, top, step, side = place
    for column, epsilon in enumerate(epsilons):
        attack = condition == "attack"
        image = example.attacks.get(epsilon) if attack else example.metamers.get((epsilon, condition))
        if image is None:
            continue
        x = left + column * step
        place_picture(figure, image, x, top, side)
        if attack:
            words = f"→ {example.targets[epsilon]}"
            place_text(figure, words, x + side / 2, top + side, ha="center", color=ACCENT, fontsize=6)


def _known(value: float, digits: int = 2) -> str | None:
    return f"{value:.{digits}f}" if np.isfinite(value) else None
