"""Fig. 3 and what belongs to it: recognizability by model set and stage, evaluator by evaluator, and its means."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from metamerbook.plots.heatmap import evaluator_map
from metamerbook.plots.mosaic import place_axes, place_text
from metamerbook.plots.style import (
    DPI,
    MUTED,
    SHARES,
    WIDTH,
    LineStyle,
    canvas,
    evaluator_order,
    set_groups,
    set_styles,
    stage_label,
    stage_positions,
)
from metamerbook.plots.tables import book_table

_PANELS, _PANEL_HEIGHT, _LEFT, _GAP, _HEAD, _FOOT = 4, 128, 40, 14, 36, 26


def figure_recognizability(table: pd.DataFrame, *, chance: float | None = None) -> Figure:
    """Draw recognizability over stages, set beside set (paper, Figure 3).

    Parameters
    ----------
    table
        As `Study.recognizability` returns it: one row per model set, stage and evaluator.
    chance
        Recognizability of an evaluator that answers one class for every metamer; drawn as a dotted line.

    Returns
    -------
    Figure
        One row of panels per family of sets. The first panel compares the sets' means over evaluators that had no
        part in the generation; the others show one set each, evaluator by evaluator (dotted: never trained).
    """
    held_out = table[table["held_out"]]
    positions = stage_positions(table["stage"])
    groups = set_groups(table["model_set"])
    styles = set_styles(table["model_set"])
    lines = [
        (heading, members[start : start + _PANELS - 1])
        for heading, members in groups.items()
        for start in range(0, len(members), _PANELS - 1)
    ]
    down = _HEAD + _PANEL_HEIGHT + _FOOT
    width = (WIDTH * DPI - _LEFT - (_PANELS - 1) * _GAP) / _PANELS
    with canvas(height=(len(lines) * down) / DPI) as figure:
        for row, (heading, members) in enumerate(lines):
            top = row * down + _HEAD
            for column, name in enumerate([None, *members]):
                left = _LEFT + column * (width + _GAP)
                axes = place_axes(figure, left, top, width, _PANEL_HEIGHT)
                _frame(axes, positions, first=column == 0, chance=chance)
                if name is None:
                    place_text(figure, heading, left, top - 30, fontweight="bold", fontsize=8.5)
                    place_text(figure, "means over evaluators", left, top - 15, color=MUTED, fontsize=7)
                    for member in groups[heading]:
                        _mean(axes, held_out[held_out["model_set"] == member], positions, styles[member])
                    axes.set_ylabel("recognizability")
                    continue
                group = held_out[held_out["model_set"] == name]
                _evaluators(axes, group, positions, styles[name])
                _mean(axes, group, positions, styles[name])
                place_text(figure, name, left, top - 30, fontweight="bold", color=styles[name].text)
                place_text(figure, _count(group), left, top - 15, color=MUTED, fontsize=7)
    return figure


def figure_evaluators(table: pd.DataFrame) -> Figure:
    """Show how every evaluator recognizes the metamers of every set and stage.

    Parameters
    ----------
    table
        As `Study.recognizability` returns it.

    Returns
    -------
    Figure
        A heat map, evaluators by family in rows, stages by set in columns. Framed: the evaluator took part in the
        generation, so that it is left out of averages.
    """
    return evaluator_map(table, "recognizability", ~table["held_out"], SHARES)


def table_means(means: pd.DataFrame, published: pd.DataFrame | None = None) -> Styler:
    """Tabulate mean recognizability by stage, ours beside the published one (section 4.5).

    Parameters
    ----------
    means
        As `overall_recognizability` returns it.
    published
        The paper's means: stage, mean, sd.

    Returns
    -------
    Styler
        One row per stage.
    """
    rows = []
    theirs = {} if published is None else published.set_index("stage").to_dict("index")
    for stage in stage_positions(means["stage"]):
        ours = means[means["stage"] == stage].set_index("evaluators")
        row = {"stage": stage_label(stage)}
        paper = theirs.get(stage)
        row["paper"] = f"{paper['mean']:.3f} ± {paper['sd']:.3f}" if paper else None
        for choice, heading in (("all", "here"), ("trained", "here, trained only")):
            row[heading] = _mean_sd(ours.loc[choice]) if choice in ours.index else None
        row["sets"] = int(ours["n_sets"].iloc[0])
        row["evaluators"] = int(ours["n_evaluators"].iloc[0])
        rows.append(row)
    return book_table(pd.DataFrame(rows), "tab-means")


def table_criteria(table: pd.DataFrame) -> Styler:
    """Tabulate mean recognizability by what counts as recognized (reading 10).

    Parameters
    ----------
    table
        As `metamerbook.ensembles.criteria.criteria_table` returns it.

    Returns
    -------
    Styler
        One row per model set and stage.
    """
    order = [name for members in set_groups(table["model_set"]).values() for name in members]
    table = table.set_index("model_set").loc[order].reset_index()
    criteria = {"reference": "own class of the reference", "label": "category", "generator": "generators' class"}
    shown = {"model set": table["model_set"], "stage": table["stage"].map(stage_label)}
    shown |= {heading: table[criterion] for criterion, heading in criteria.items()}
    return book_table(pd.DataFrame(shown), "tab-criteria").format("{:.3f}", list(criteria.values()), na_rep="–")


def _frame(axes: Axes, positions: dict, *, first: bool, chance: float | None) -> None:
    """Lay out one panel: stages across, shares upwards."""
    places = list(positions.values())
    margin = 0.12 * ((places[-1] - places[0]) or 1)
    axes.set_xlim(places[0] - margin, places[-1] + margin)
    axes.set_ylim(-0.03, 1.03)
    axes.set_xticks(places, [stage_label(stage) for stage in positions])
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "", ".5", "", "1"] if first else [])
    axes.tick_params(axis="x", length=2.5)
    axes.tick_params(axis="y", length=2.5 if first else 0)
    axes.grid(axis="y")
    axes.spines["left"].set_visible(first)
    if chance is not None:
        axes.axhline(chance, color=MUTED, linewidth=0.8, linestyle=":", zorder=1)


def _mean(axes: Axes, group: pd.DataFrame, positions: dict, style: LineStyle) -> None:
    shares = group.groupby("stage", sort=False)["recognizability"].mean()
    stages = [stage for stage in positions if stage in shares.index]
    axes.plot(
        [positions[stage] for stage in stages],
        shares.loc[stages],
        color=style.colour,
        marker=style.marker,
        linestyle=style.dash,
        markeredgecolor="white",
        markeredgewidth=0.8,
        markersize=6.5,
        zorder=4,
        clip_on=False,
    )


def _evaluators(axes: Axes, group: pd.DataFrame, positions: dict, style: LineStyle) -> None:
    """Draw every evaluator faintly; with a single stage, as a row of points."""
    evaluators = evaluator_order(group) if len(group) else []
    spread = np.linspace(-0.09, 0.09, max(len(evaluators), 2)) if len(positions) == 1 else np.zeros(len(evaluators))
    for key, shift in zip(evaluators, spread, strict=False):
        rows = group[group["evaluator"] == key].set_index("stage")
        stages = [stage for stage in positions if stage in rows.index]
        untrained = bool(rows["random"].iloc[0])
        axes.plot(
            [positions[stage] + shift for stage in stages],
            rows.loc[stages, "recognizability"],
            color=MUTED if untrained else style.colour,
            linestyle=":" if untrained else "-",
            linewidth=0.9 if untrained else 0.7,
            alpha=0.9 if untrained else 0.38,
            marker="." if len(stages) == 1 else None,
            markersize=5,
            zorder=2,
        )


def _count(group: pd.DataFrame) -> str:
    evaluators = group["evaluator"].nunique()
    return f"{evaluators} evaluator{'' if evaluators == 1 else 's'}"


def _mean_sd(row: pd.Series) -> str:
    return f"{row['mean']:.3f} ± {row['sd']:.3f}" if np.isfinite(row["sd"]) else f"{row['mean']:.3f}"
