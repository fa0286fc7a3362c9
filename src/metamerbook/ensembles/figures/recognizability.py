"""Chapter 05: metamers to look at (Fig. 2), how well they match, and who recognizes them (Fig. 3)."""

from collections.abc import Mapping, Sequence
from math import ceil

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler
from torch import Tensor

from metamerbook.plots import style
from metamerbook.plots.heatmap import evaluator_map
from metamerbook.plots.mosaic import CELL, place_grid, place_picture, place_text
from metamerbook.plots.style import DPI, INK, MUTED, SHARES, WIDTH, LineStyle
from metamerbook.plots.tables import book_table
from metamerbook.study.words import counted, network_label
from metamerlib.models import Stage

_GAP, _BETWEEN, _NAMES, _HEAD = 2, 8, 92, 22
_PANELS = 4


def figure_examples(references: Tensor, examples: Mapping[tuple[str, Stage], Tensor]) -> Figure:
    """Show metamers, by (set, stage), below the references (N, 3, H, W) that they were made from (paper, Figure 2).

    One row per set below a row of references; one block of columns per stage, blocks side by side where there is room.
    """
    if not examples or any(len(metamers) != len(references) for metamers in examples.values()):
        counts = {key: len(metamers) for key, metamers in examples.items()}
        raise ValueError(f"examples has {counts or 'no'} images: give metamers of all {len(references)} references.")
    sets = list(dict.fromkeys(name for name, _ in examples))
    stages = list(style.stage_positions(stage for _, stage in examples))
    chunks = _chunks(len(references))
    blocks = [(stage, chunk) for stage in stages for chunk in chunks]
    beside = max(1, len(stages)) if len(chunks) == 1 and len(stages) * len(references) <= _fit(len(stages)) else 1
    down = (len(sets) + 1) * (CELL + _GAP) + _HEAD + _BETWEEN
    lines = ceil(len(blocks) / beside)
    with style.canvas(height=(lines * down - _BETWEEN) / DPI) as figure:
        for number, (stage, chunk) in enumerate(blocks):
            line, column = divmod(number, beside)
            left = _NAMES + column * (len(chunk) * (CELL + _GAP) + _BETWEEN)
            top = line * down
            place_text(figure, style.stage_label(stage), left, top + 3, fontsize=8.5, fontweight="bold")
            rows = [references[chunk], *(examples[name, stage][chunk] for name in sets if (name, stage) in examples)]
            place_grid(figure, rows, left, top + _HEAD, gap=_GAP)
            if column == 0:
                _name_rows(figure, sets, top + _HEAD)
    return figure


def _fit(blocks: int) -> int:
    """Count the columns of pictures that go side by side in so many blocks."""
    room = WIDTH * DPI - _NAMES - (blocks - 1) * _BETWEEN + _GAP
    return int(room // (CELL + _GAP))


def _chunks(count: int) -> list[list[int]]:
    """Cut a row of images into rows that fit."""
    width = ceil(count / ceil(count / _fit(1)))
    return [list(range(start, min(start + width, count))) for start in range(0, count, width)]


def _name_rows(figure: Figure, sets: Sequence[str], top: float) -> None:
    styles = style.set_styles(sets)
    for row, name in enumerate(["reference", *sets]):
        colour = styles[name].text if name in styles else INK
        looks = {"ha": "right", "va": "center", "color": colour, "fontweight": "bold", "fontsize": 7}
        place_text(figure, name.replace(" ", "\n", 1), _NAMES - 8, top + row * (CELL + _GAP) + CELL / 2, **looks)


def figure_stimuli(references: Tensor, names: Sequence[str]) -> Figure:
    """Show references (N, 3, H, W) with the names of their categories, in rows of up to eight."""
    columns = min(8, len(references))
    step, down = (WIDTH * DPI - CELL) / 7, CELL + 22
    with style.canvas(height=ceil(len(references) / columns) * down / DPI) as figure:
        for number, (image, name) in enumerate(zip(references, names, strict=True)):
            left, top = round(number % columns * step), number // columns * down
            place_picture(figure, image, left, top)
            place_text(figure, name, left + CELL / 2, top + CELL + 3, ha="center", color=MUTED, fontsize=7.5)
    return figure


def figure_recognizability(table: pd.DataFrame, *, chance: float | None = None) -> Figure:
    """Draw recognizability over stages, set beside set (paper, Figure 3).

    One row of panels per family of sets. The first compares the sets' means over evaluators that had no part in the
    generation; the others show one set each, evaluator by evaluator (dotted: never trained).
    """
    positions = style.stage_positions(table["stage"])
    held_out = table[table["held_out"]].assign(position=lambda rows: rows["stage"].map(positions).astype(float))
    styles = style.set_styles(table["model_set"])
    rows = [
        (heading, members, members[start : start + _PANELS - 1])
        for heading, members in style.set_groups(table["model_set"]).items()
        for start in range(0, len(members), _PANELS - 1)
    ]
    with style.canvas(height=1.9 * len(rows), layout="constrained") as figure:
        figure.get_layout_engine().set(wspace=0.08)
        grid = figure.subplots(len(rows), _PANELS, sharex=True, sharey=True, squeeze=False)
        for (heading, compared, members), panels in zip(rows, grid, strict=True):
            _title(panels[0], heading, "means over evaluators", INK)
            for name in compared:
                _mean(panels[0], held_out[held_out["model_set"] == name], styles[name])
            for panel, name in zip(panels[1:], members, strict=False):
                group = held_out[held_out["model_set"] == name]
                _title(panel, name, counted(group["evaluator"].nunique(), "evaluator"), styles[name].text)
                _evaluators(panel, group, styles[name].colour, scattered=len(positions) == 1)
                _mean(panel, group, styles[name])
            for panel in panels[: len(members) + 1]:
                _frame(panel, positions, chance)
            for panel in panels[len(members) + 1 :]:
                panel.remove()
    return figure


def _title(axes: Axes, name: str, beneath: str, colour: str) -> None:
    axes.set_title(name, color=colour, pad=14)
    axes.text(0, 1.04, beneath, transform=axes.transAxes, color=MUTED, fontsize=7)


def _frame(axes: Axes, positions: Mapping[Stage, float], chance: float | None) -> None:
    """Lay out one panel: stages across, shares upwards."""
    places = list(positions.values())
    margin = 0.12 * ((places[-1] - places[0]) or 1)
    axes.set(xlim=(places[0] - margin, places[-1] + margin), ylim=(-0.03, 1.03), xlabel="", ylabel="recognizability")
    axes.set_xticks(places, [style.stage_label(stage) for stage in positions])
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "", ".5", "", "1"])
    axes.tick_params(axis="x", length=2.5, labelbottom=True)
    first = axes.get_subplotspec().is_first_col()
    axes.tick_params(axis="y", length=2.5 if first else 0)
    axes.spines["left"].set_visible(first)
    axes.grid(axis="y")
    if chance is not None:
        axes.axhline(chance, color=MUTED, linewidth=0.8, linestyle=":", zorder=1)


def _mean(axes: Axes, group: pd.DataFrame, look: LineStyle) -> None:
    sns.lineplot(
        group,
        x="position",
        y="recognizability",
        errorbar=None,
        ax=axes,
        color=look.colour,
        marker=look.marker,
        linestyle=look.dash,
        markersize=6.5,
        zorder=4,
        clip_on=False,
    )


def _evaluators(axes: Axes, group: pd.DataFrame, colour: str, *, scattered: bool) -> None:
    """Draw every evaluator faintly; with a single stage, as a row of points."""
    if scattered:
        spread = pd.Series(np.linspace(-0.09, 0.09, max(len(group), 2))[: len(group)], group.index)
        group = group.assign(position=group["position"] + spread)
    for untrained, rows in group.groupby("random"):
        sns.lineplot(
            rows,
            x="position",
            y="recognizability",
            units="evaluator",
            estimator=None,
            ax=axes,
            color=MUTED if untrained else colour,
            linestyle=":" if untrained else "-",
            linewidth=0.9 if untrained else 0.7,
            alpha=0.9 if untrained else 0.38,
            marker="." if scattered else None,
            zorder=2,
        )


def figure_evaluators(table: pd.DataFrame) -> Figure:
    """Show how every evaluator recognizes the metamers of every set and stage."""
    return evaluator_map(table, "recognizability", ~table["held_out"], SHARES)


def table_residuals(residuals: pd.DataFrame) -> Styler:
    """Tabulate how well metamers match: one row per model; per stage the mean residual at the start and at the end."""
    rows = []
    stages = list(style.stage_positions(residuals["stage"]))
    cells = residuals.set_index(["model_set", "model", "stage"])[["initial_residual_mean", "residual_mean"]]
    for name in style.set_order(residuals["model_set"]):
        for model in dict.fromkeys(residuals.loc[residuals["model_set"] == name, "model"]):
            ends = {style.stage_label(stage): cells.loc[[(name, model, stage)]].iloc[0] for stage in stages}
            row = {stage: f"{start:.2f} → {end:.3f}" for stage, (start, end) in ends.items()}
            rows.append({"set": name, "model": network_label(model)} | row)
    return book_table(pd.DataFrame(rows), "tab-residuals")


def table_longer_search(searches: pd.DataFrame) -> Styler:
    """Tabulate what more updates bring where the match is worst."""
    names = {"model_set": "set", "stage": "stage", "n": "images", "updates": "updates per network"}
    table = searches.assign(stage=searches["stage"].map(style.stage_label)).rename(columns=names)
    return book_table(table, "tab-longer-search").format("{:.3f}", "residual")


def table_means(means: pd.DataFrame, published: pd.DataFrame) -> Styler:
    """Tabulate mean recognizability by stage, ours beside the published one (section 4.5)."""
    rows = []
    theirs = published.set_index("stage").to_dict("index")
    for stage in style.stage_positions(means["stage"]):
        ours = means[means["stage"] == stage].set_index("evaluators")
        row = {"stage": style.stage_label(stage), "paper": _mean_sd(theirs[stage]) if stage in theirs else None}
        for choice, heading in (("all", "here"), ("trained", "here, trained only")):
            row[heading] = _mean_sd(ours.loc[choice]) if choice in ours.index else None
        counts = ours.iloc[0]
        rows.append(row | {"sets": int(counts["n_sets"]), "evaluators": int(counts["n_evaluators"])})
    return book_table(pd.DataFrame(rows), "tab-means")


def _mean_sd(row: Mapping[str, float]) -> str:
    return f"{row['mean']:.3f} ± {row['sd']:.3f}" if np.isfinite(row["sd"]) else f"{row['mean']:.3f}"


def table_criteria(table: pd.DataFrame) -> Styler:
    """Tabulate mean recognizability by what counts as recognized (reading 10)."""
    table = table.set_index("model_set").loc[style.set_order(table["model_set"])].reset_index()
    criteria = {"reference": "own class of the reference", "label": "category", "generator": "generators' class"}
    shown = {"model set": table["model_set"], "stage": table["stage"].map(style.stage_label)}
    shown |= {heading: table[criterion] for criterion, heading in criteria.items()}
    return book_table(pd.DataFrame(shown), "tab-criteria").format("{:.3f}", list(criteria.values()), na_rep="–")
