"""Whose metamers are metamers for whom: generators against evaluators."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from metamerbook.plots.mosaic import place_axes, place_text
from metamerbook.plots.style import ACCENT, DPI, FAMILIES, INK, MUTED, PAPER, SHARES, WIDTH, canvas, evaluator_order
from metamerbook.study.words import network_label
from metamerlib.models import EXTRA_INSTANCES

_NAMES, _LINE, _WIDEST, _RIGHT = 150, 15, 44, 72
_FRAMES = {"itself": "solid", "other training": (0, (2.2, 1.2))}
_LOOKS = {
    "other architecture": {"marker": "o", "s": 11, "color": MUTED, "alpha": 0.45, "linewidth": 0},
    "other training": {"marker": "D", "s": 50, "color": "#0f62b0", "edgecolor": "white"},
    "itself": {"marker": "X", "s": 64, "color": ACCENT, "edgecolor": "white"},
}


def instance_label(key: str) -> str:
    """Name a network as `network_label` does, further trainings of ResNet-18 as such."""
    if key in EXTRA_INSTANCES:
        return f"{network_label('resnet18')}, training {EXTRA_INSTANCES.index(key) + 2}"
    return network_label(key)


def figure_transfer(table: pd.DataFrame) -> Figure:
    """Show how every evaluator (rows) recognizes the metamers of every single network (columns), both by family.

    Solid frame: the network itself; dashed: another training of its architecture. Last row: the mean over trained
    evaluators of another architecture.
    """
    rows = evaluator_order(table)
    made_by = table[["generator", "generator_family", "generator_robust"]].drop_duplicates("generator")
    columns = evaluator_order(made_by.set_axis(["evaluator", "family", "robust"], axis=1).assign(random=False))
    away = table[(table["relation"] == "other architecture") & ~table["random"]]
    values = table.pivot(index="evaluator", columns="generator", values="recognizability").reindex(rows)[columns]
    values.loc["other architectures"] = away.groupby("generator")["recognizability"].mean()
    families = dict(zip(table["evaluator"], table["family"], strict=True))
    head = 26 + 3.6 * max(len(instance_label(key)) for key in columns)
    cell = min(_WIDEST, (WIDTH * DPI - _NAMES - _RIGHT) / len(columns))
    across, down = cell * len(columns), _LINE * len(values)
    with canvas(height=(head + down + 2) / DPI, width=(_NAMES + across + _RIGHT) / DPI) as figure:
        axes = place_axes(figure, _NAMES, head, across, down)
        names = [*map(instance_label, rows), "other architectures"]
        looks = {"cmap": SHARES, "vmin": 0, "vmax": 1, "cbar": False, "fmt": "", "annot_kws": {"fontsize": 6}}
        sns.heatmap(values, annot=values.map(_short), xticklabels=[], yticklabels=names, ax=axes, **looks)
        axes.hlines(len(rows), 0, len(columns), color=PAPER, linewidth=5)
        axes.set(xlabel="", ylabel="")
        axes.tick_params(axis="y", length=0, rotation=0, labelsize=7)
        for label, key in zip(axes.get_yticklabels(), rows, strict=False):
            label.set_color(FAMILIES[families[key]][1])
        axes.get_yticklabels()[-1].set_fontweight("bold")
        for row in table[table["relation"].isin(list(_FRAMES))].itertuples():
            corner = (columns.index(row.generator) + 0.06, rows.index(row.evaluator) + 0.1)
            frame = Rectangle(corner, 0.88, 0.8, fill=False, edgecolor=ACCENT, linewidth=1.1)
            axes.add_patch(frame).set_linestyle(_FRAMES[row.relation])
        family_of = made_by.set_index("generator")["generator_family"]
        for number, key in enumerate(columns):
            options = {"color": FAMILIES[family_of[key]][1], "va": "bottom", "fontsize": 7, "rotation": 45}
            place_text(figure, instance_label(key), _NAMES + (number + 0.35) * cell, head - 4, **options)
        place_text(figure, "metamers of ↗", _NAMES - 8, head - 22, ha="right", fontsize=7.5, color=MUTED)
    return figure


def figure_instances(table: pd.DataFrame, generators: Sequence[str]) -> Figure:
    """Draw who recognizes the metamers of some networks that share an architecture with another, one row for each.

    Cross: the network itself; rhombi: other trainings of its architecture; faint points: other architectures, with a
    tick at their mean. Evaluators that were never trained are left out.
    """
    line, head, count = 26, 24, max(1, len(generators))
    shown = table[table["generator"].isin(list(generators)) & ~table["random"]]
    place = shown["generator"].map({key: number for number, key in enumerate(generators)})
    with canvas(height=(head + line * count + 38) / DPI) as figure:
        axes = place_axes(figure, _NAMES, head, WIDTH * DPI - _NAMES - 12, line * count)
        for relation, looks in _LOOKS.items():
            points = shown[shown["relation"] == relation]
            heights = place[points.index].astype(float)
            if relation == "other architecture":
                means = points.groupby(heights)["recognizability"].mean()
                axes.vlines(means, means.index - 0.34, means.index + 0.34, color=INK, linewidth=1.8)
                heights = heights + np.random.default_rng(0).uniform(-0.22, 0.22, len(heights))
            sns.scatterplot(x=points["recognizability"], y=heights, ax=axes, clip_on=False, **looks)
        for number, key in enumerate(generators):
            where = head + (number + 0.5) * line
            place_text(figure, instance_label(key), _NAMES - 8, where, ha="right", va="center", fontsize=7.5)
        axes.set(xlim=(-0.02, 1.02), ylim=(count - 0.5, -0.5), yticks=[], xlabel="recognizability", ylabel="")
        axes.spines["left"].set_visible(False)
        axes.grid(axis="x")
        words = ("✖ itself", ACCENT), ("◆ other training", "#0f62b0"), ("● other architecture, ❙ their mean", INK)
        for number, (text, colour) in enumerate(words):
            place_text(figure, text, _NAMES + 130 * number, 2, fontsize=7.5, color=colour)
    return figure


def _short(value: float) -> str:
    return "" if np.isnan(value) else "1" if value > 0.995 else f"{value:.2f}"[1:]
