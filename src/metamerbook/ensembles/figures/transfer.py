"""Whose metamers are metamers for whom: generators against evaluators."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from metamerbook.ensembles.sentences.about_variations import instance_label
from metamerbook.plots.mosaic import place_axes, place_text
from metamerbook.plots.style import ACCENT, DPI, FAMILIES, INK, MUTED, SHARES, WIDTH, canvas, evaluator_order, text_on

_NAMES, _LINE, _WIDEST, _RIGHT = 150, 15, 44, 72
_RELATIONS = {"itself": "solid", "other training": (0, (2.2, 1.2))}


def figure_transfer(table: pd.DataFrame) -> Figure:
    """Show how every evaluator recognizes the metamers of every single network.

    Parameters
    ----------
    table
        As `metamerbook.ensembles.transfer.transfer` returns it.

    Returns
    -------
    Figure
        A heat map, evaluators by family in rows, generating networks by family in columns. Solid frame: the network
        itself; dashed: another training of its architecture. Below: the mean over trained evaluators of another
        architecture.
    """
    rows, columns = evaluator_order(table), _generators(table)
    head = 26 + 3.6 * max(len(instance_label(key)) for key in columns)
    values = table.set_index(["evaluator", "generator"])["recognizability"]
    related = table.set_index(["evaluator", "generator"])["relation"]
    away = table[(table["relation"] == "other architecture") & ~table["random"]]
    means = away.groupby("generator")["recognizability"].mean()
    families = table.drop_duplicates("evaluator").set_index("evaluator")["family"]
    made_by = table.drop_duplicates("generator").set_index("generator")["generator_family"]
    cell = min(_WIDEST, (WIDTH * DPI - _NAMES - _RIGHT) / len(columns))
    across = _NAMES + cell * len(columns) + _RIGHT
    bottom = head + _LINE * len(rows)
    with canvas(height=(bottom + 6 + _LINE + 2) / DPI, width=across / DPI) as figure:
        axes = place_axes(figure, _NAMES, head, cell * len(columns), _LINE * len(rows))
        cells = np.array([[values.get((row, column), np.nan) for column in columns] for row in rows])
        _heat(axes, cells)
        for (row, column), relation in related.items():
            if relation in _RELATIONS:
                _frame(axes, rows.index(row), columns.index(column), _RELATIONS[relation])
        below = place_axes(figure, _NAMES, bottom + 6, cell * len(columns), _LINE)
        _heat(below, np.array([[means.get(column, np.nan) for column in columns]]))
        for number, key in enumerate(rows):
            options = {"color": FAMILIES[families[key]][1], "ha": "right", "va": "center", "fontsize": 7}
            place_text(figure, instance_label(key), _NAMES - 8, head + (number + 0.5) * _LINE, **options)
        for number, key in enumerate(columns):
            options = {"color": FAMILIES[made_by[key]][1], "ha": "left", "va": "bottom", "fontsize": 7, "rotation": 45}
            place_text(figure, instance_label(key), _NAMES + (number + 0.35) * cell, head - 4, **options)
        options = {"ha": "right", "va": "center", "fontsize": 7, "fontweight": "bold"}
        place_text(figure, "other architectures", _NAMES - 8, bottom + 6 + _LINE / 2, **options)
        place_text(figure, "metamers of ↗", _NAMES - 8, head - 22, ha="right", fontsize=7.5, color=MUTED)
    return figure


def figure_instances(table: pd.DataFrame, generators: Sequence[str]) -> Figure:
    """Draw who recognizes the metamers of networks that share an architecture with another.

    Parameters
    ----------
    table
        As `metamerbook.ensembles.transfer.transfer` returns it.
    generators
        Keys of the generating networks to show.

    Returns
    -------
    Figure
        One row per network. Cross: the network itself; rhombi: other trainings of its architecture; faint points:
        other architectures, with a tick at their mean. Evaluators that were never trained are left out.
    """
    line, head = 26, 24
    jitter = np.random.default_rng(0)
    high = line * max(1, len(generators))
    with canvas(height=(head + high + 38) / DPI) as figure:
        axes = place_axes(figure, _NAMES, head, WIDTH * DPI - _NAMES - 12, high)
        axes.grid(axis="x")
        for place, key in enumerate(generators):
            rows = table[(table["generator"] == key) & ~table["random"]]
            shares = {name: group["recognizability"] for name, group in rows.groupby("relation", sort=False)}
            far = shares.get("other architecture", pd.Series(dtype=float))
            heights = place + jitter.uniform(-0.22, 0.22, len(far))
            _points(axes, far, heights, marker="o", markersize=3.2, color=MUTED, alpha=0.45)
            if len(far):
                axes.plot([far.mean()] * 2, [place - 0.34, place + 0.34], color=INK, linewidth=1.8)
            near = shares.get("other training", pd.Series(dtype=float))
            _points(axes, near, [place] * len(near), marker="D", markersize=7, color="#0f62b0", markeredgecolor="white")
            own = shares.get("itself", pd.Series(dtype=float))
            _points(axes, own, [place] * len(own), marker="X", markersize=8, color=ACCENT, markeredgecolor="white")
            options = {"ha": "right", "va": "center", "fontsize": 7.5}
            place_text(figure, instance_label(key), _NAMES - 8, head + (place + 0.5) * line, **options)
        bottom = max(1, len(generators)) - 0.5
        axes.set(xlim=(-0.02, 1.02), ylim=(bottom, -0.5), yticks=[], xlabel="recognizability")
        axes.spines["left"].set_visible(False)
        words = ("✖ itself", ACCENT), ("◆ other training", "#0f62b0"), ("● other architecture, ❙ their mean", INK)
        for number, (text, colour) in enumerate(words):
            place_text(figure, text, _NAMES + 130 * number, 2, fontsize=7.5, color=colour)
    return figure


def related_generators(table: pd.DataFrame) -> list[str]:
    """List the generating networks of whose architecture there is another training.

    Parameters
    ----------
    table
        As `metamerbook.ensembles.transfer.transfer` returns it.

    Returns
    -------
    list of str
        Keys, in the order of the table.
    """
    return list(dict.fromkeys(table.loc[table["relation"] == "other training", "generator"]))


def _generators(table: pd.DataFrame) -> list[str]:
    """Put generating networks in the order of families, robust ones behind the others."""
    traits = table.drop_duplicates("generator")[["generator", "generator_family", "generator_robust"]]
    named = traits.set_axis(["evaluator", "family", "robust"], axis=1).assign(random=False)
    return evaluator_order(named)


def _heat(axes: Axes, values: np.ndarray) -> None:
    axes.imshow(values, cmap=SHARES, vmin=0, vmax=1, aspect="auto")
    axes.set_axis_off()
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            text = "1" if value > 0.995 else f"{value:.2f}"[1:]
            axes.text(column, row, text, ha="center", va="center", fontsize=6, color=text_on(SHARES(value)))


def _frame(axes: Axes, row: int, column: int, dash: str | tuple[float, tuple[float, ...]]) -> None:
    box = Rectangle((column - 0.44, row - 0.4), 0.88, 0.8, fill=False, edgecolor=ACCENT, linewidth=1.1)
    axes.add_patch(box).set_linestyle(dash)


def _points(axes: Axes, across: Sequence[float], upwards: Sequence[float], **looks: object) -> None:
    axes.plot(across, upwards, linestyle="", clip_on=False, **looks)
