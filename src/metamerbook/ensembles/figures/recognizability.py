"""Chapter 05: metamers to look at (Fig. 2), how well they match, and who recognizes them (Fig. 3)."""

from collections.abc import Mapping, Sequence
from math import ceil

import numpy as np
import pandas as pd
import seaborn as sns
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler
from torch import Tensor

from metamerbook.plots import style
from metamerbook.plots.mosaic import CELL, place_picture, place_strip, place_text
from metamerbook.plots.panels import evaluator_map, panel_title, share_axis, stage_axis
from metamerbook.plots.style import DPI, INK, MUTED, SHARES, WIDTH, LineStyle
from metamerbook.plots.tables import book_table
from metamerbook.study.words import network_label
from metamerlib.checks import counted
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
    chunks = torch.arange(len(references)).chunk(ceil(len(references) / _fit(1)))
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
            for row, images in enumerate(rows):
                for place, image in enumerate(images):
                    step = CELL + _GAP
                    place_picture(figure, image, left + place * step, top + _HEAD + row * step)
            if column == 0:
                _name_rows(figure, sets, top + _HEAD)
    return figure


def _fit(blocks: int) -> int:
    """Count the columns of pictures that go side by side in so many blocks."""
    room = WIDTH * DPI - _NAMES - (blocks - 1) * _BETWEEN + _GAP
    return int(room // (CELL + _GAP))


def _name_rows(figure: Figure, sets: Sequence[str], top: float) -> None:
    styles = style.set_styles(sets)
    for row, name in enumerate(["reference", *sets]):
        colour = styles[name].text if name in styles else INK
        looks = {"ha": "right", "va": "center", "color": colour, "fontweight": "bold", "fontsize": 7}
        place_text(figure, name.replace(" ", "\n", 1), _NAMES - 8, top + row * (CELL + _GAP) + CELL / 2, **looks)


def figure_stimuli(references: Tensor, names: Sequence[str]) -> Figure:
    """Show references (N, 3, H, W) with the names of their categories, in rows of up to eight."""
    captioned, down = list(zip(names, references, strict=True)), CELL + 22
    with style.canvas(height=ceil(len(captioned) / 8) * down / DPI) as figure:
        for row, start in enumerate(range(0, len(captioned), 8)):
            place_strip(figure, captioned[start : start + 8], 0, row * down, (WIDTH * DPI - CELL) / 7)
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
        grid = figure.subplots(len(rows), _PANELS, squeeze=False)
        for (heading, compared, members), panels in zip(rows, grid, strict=True):
            panel_title(panels[0], heading, "means over evaluators")
            for name in compared:
                _mean(panels[0], held_out[held_out["model_set"] == name], styles[name])
            for panel, name in zip(panels[1:], members, strict=False):
                group = held_out[held_out["model_set"] == name]
                panel_title(panel, name, counted(group["evaluator"].nunique(), "evaluator"), styles[name].text)
                _evaluators(panel, group, styles[name].colour, scattered=len(positions) == 1)
                _mean(panel, group, styles[name])
            for number, panel in enumerate(panels[: len(members) + 1]):
                stage_axis(panel, positions, margin=0.12)
                share_axis(panel, "recognizability", first=number == 0)
                if chance is not None:
                    panel.axhline(chance, color=MUTED, linewidth=0.8, linestyle=":", zorder=1)
            for panel in panels[len(members) + 1 :]:
                panel.remove()
    return figure


def _mean(axes: Axes, group: pd.DataFrame, look: LineStyle) -> None:
    looks = {"color": look.colour, "marker": look.marker, "linestyle": look.dash, "markersize": 6.5}
    where = {"x": "position", "y": "recognizability", "ax": axes}
    sns.lineplot(group, errorbar=None, zorder=4, clip_on=False, **looks, **where)


def _evaluators(axes: Axes, group: pd.DataFrame, colour: str, *, scattered: bool) -> None:
    """Draw every evaluator faintly; with a single stage, as a row of points."""
    if scattered:
        group = group.assign(position=group["position"] + np.linspace(-0.09, 0.09, len(group)))
    for untrained, rows in group.groupby("random"):
        looks = {"color": colour, "linewidth": 0.7, "alpha": 0.38, "marker": "." if scattered else None}
        if untrained:
            looks |= {"color": MUTED, "linestyle": ":", "linewidth": 0.9, "alpha": 0.9}
        where = {"x": "position", "y": "recognizability", "ax": axes}
        sns.lineplot(rows, units="evaluator", estimator=None, zorder=2, **looks, **where)


def figure_evaluators(table: pd.DataFrame) -> Figure:
    """Show how every evaluator recognizes the metamers of every set and stage."""
    return evaluator_map(table, "recognizability", ~table["held_out"], SHARES)


def table_residuals(residuals: pd.DataFrame) -> Styler:
    """Tabulate how well metamers match: one row per model; per stage the mean residual at the start and at the end."""
    ends = residuals.assign(
        set=residuals["model_set"],
        model=residuals["model"].map(network_label),
        ends=[f"{row.initial_residual_mean:.2f} → {row.residual_mean:.3f}" for row in residuals.itertuples()],
    )
    shown = ends.set_index(["set", "model", "stage"])["ends"].unstack("stage")
    shown = shown.reindex(ends.set_index(["set", "model"]).index.unique()).loc[style.set_order(ends["set"])]
    shown = shown[list(style.stage_positions(ends["stage"]))].rename(columns=style.stage_label)
    return book_table(shown.reset_index(), "tab-residuals")


def table_longer_search(searches: pd.DataFrame) -> Styler:
    """Tabulate what more updates bring where the match is worst."""
    names = {"model_set": "set", "n": "images", "updates": "updates per network"}
    table = searches.assign(stage=searches["stage"].map(style.stage_label)).rename(columns=names)
    return book_table(table, "tab-longer-search", formats={"residual": "{:.3f}"})


def table_means(means: pd.DataFrame, published: pd.DataFrame) -> Styler:
    """Tabulate mean recognizability by stage, ours beside the published one (section 4.5)."""
    stages = list(style.stage_positions(means["stage"]))
    texts = means.assign(text=means.apply(_mean_sd, axis=1)).pivot(index="stage", columns="evaluators", values="text")
    shown = pd.DataFrame({"stage": map(style.stage_label, stages)}, index=stages)
    shown["paper"] = published.set_index("stage").apply(_mean_sd, axis=1)
    shown["here"], shown["here, trained only"] = texts.get("all"), texts.get("trained")
    counts = means.drop_duplicates("stage").set_index("stage")
    shown["sets"], shown["evaluators"] = counts["n_sets"], counts["n_evaluators"]
    return book_table(shown, "tab-means")


def _mean_sd(row: pd.Series) -> str:
    return f"{row['mean']:.3f} ± {row['sd']:.3f}" if np.isfinite(row["sd"]) else f"{row['mean']:.3f}"


def table_criteria(table: pd.DataFrame) -> Styler:
    """Tabulate mean recognizability by what counts as recognized (reading 10)."""
    table = table.set_index("model_set").loc[style.set_order(table["model_set"])].reset_index()
    criteria = {"reference": "own class of the reference", "label": "category", "generator": "generators' class"}
    shown = table.assign(stage=table["stage"].map(style.stage_label))[["model_set", "stage", *criteria]]
    shown = shown.rename(columns={"model_set": "model set", **criteria})
    return book_table(shown, "tab-criteria", formats=dict.fromkeys(criteria.values(), "{:.3f}"))
