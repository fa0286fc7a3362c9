"""Whose metamers are metamers for whom: generators against evaluators."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from metamerbook.plots.mosaic import place_axes, place_text
from metamerbook.plots.panels import frame_cells, heat_map, name_rows, spread_out
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
        heat_map(axes, values, SHARES, families, label=instance_label)
        axes.hlines(len(rows), 0, len(columns), color=PAPER, linewidth=2)
        for row in table[table["relation"].isin(list(_FRAMES))].itertuples():
            place = columns.index(row.generator), rows.index(row.evaluator)
            frame_cells(axes, *place, linestyle=_FRAMES[row.relation])
        family_of = made_by.set_index("generator")["generator_family"]
        for number, key in enumerate(columns):
            options = {"color": FAMILIES[family_of[key]].colour, "va": "bottom", "fontsize": 7, "rotation": 45}
            place_text(figure, instance_label(key), _NAMES + (number + 0.35) * cell, head - 4, **options)
        place_text(figure, "metamers of ↗", _NAMES - 8, head - 22, ha="right", fontsize=7.5, color=MUTED)
    return figure


def figure_instances(table: pd.DataFrame, generators: Sequence[str]) -> Figure:
    """Draw who recognizes the metamers of some networks that share an architecture with another, one row for each.

    Cross: the network itself; rhombi: other trainings of its architecture; faint points: other architectures, with a
    tick at their mean. Evaluators that were never trained are left out.
    """
    shown = table[table["generator"].isin(list(generators)) & ~table["random"]]
    place = shown["generator"].map({key: number for number, key in enumerate(generators)}).astype(float)
    with canvas(height=0.26 * max(1, len(generators)) + 0.7, layout="constrained") as figure:
        axes = figure.subplots()
        for relation, looks in _LOOKS.items():
            points = shown[shown["relation"] == relation]
            heights = place[points.index]
            if relation == "other architecture":
                means = points.groupby(heights)["recognizability"].mean()
                axes.vlines(means, means.index - 0.34, means.index + 0.34, color=INK, label="their mean")
                heights = heights + spread_out(len(heights), 0.22)
            axes.scatter(points["recognizability"], heights, clip_on=False, label=relation, **looks)
        name_rows(axes, [instance_label(key) for key in generators])
        axes.set(xlim=(-0.02, 1.02), xlabel="recognizability")
        handles, labels = axes.get_legend_handles_labels()
        axes.legend(handles[::-1], labels[::-1], loc="lower left", bbox_to_anchor=(0, 1), ncols=4)
    return figure
