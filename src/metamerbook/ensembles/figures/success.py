"""How many metamers pass the test of being one, by model set and stage (paper, section 2; Feather et al.)."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from metamerbook.plots.mosaic import place_axes, place_text
from metamerbook.plots.style import (
    DPI,
    MUTED,
    WIDTH,
    LineStyle,
    canvas,
    set_groups,
    set_styles,
    stage_label,
    stage_positions,
)
from metamerbook.plots.tables import book_table

_COLUMNS, _LEFT, _GAP, _HEAD, _DOWN, _FOOT = 6, 34, 10, 36, 108, 26


def figure_success(counts: pd.DataFrame) -> Figure:
    """Draw the share of metamers that pass, set by set and stage by stage.

    Parameters
    ----------
    counts
        As `metamerbook.ensembles.success.success_counts` returns it.

    Returns
    -------
    Figure
        One panel per set. Strong: passed in every network of the set, with the 95 % interval over images; faint: in
        one of its networks.
    """
    positions = stage_positions(counts["stage"])
    names = [name for members in set_groups(counts["model_set"]).values() for name in members]
    styles = set_styles(names)
    columns = min(_COLUMNS, len(names))
    width = min(200, (WIDTH * DPI - _LEFT - (columns - 1) * _GAP) / columns)
    down = _HEAD + _DOWN + _FOOT
    with canvas(height=-(-len(names) // columns) * down / DPI) as figure:
        for number, name in enumerate(names):
            row, column = divmod(number, columns)
            left, top = _LEFT + column * (width + _GAP), row * down + _HEAD
            axes = place_axes(figure, left, top, width, _DOWN)
            _frame(axes, positions, first=column == 0)
            of_set = counts[counts["model_set"] == name]
            _shares(axes, of_set, positions, styles[name])
            place_text(figure, name.replace(" ", "\n", 1), left, top - 32, fontweight="bold", color=styles[name].text)
    return figure


def table_success(counts: pd.DataFrame) -> Styler:
    """Tabulate how many metamers pass.

    Parameters
    ----------
    counts
        As `metamerbook.ensembles.success.success_counts` returns it.

    Returns
    -------
    Styler
        One row per model set and stage: images, how many have what is asked for in every network of the set, and the
        share that has all of it, with its interval.
    """
    order = [name for members in set_groups(counts["model_set"]).values() for name in members]
    stages = list(stage_positions(counts["stage"]))
    table = counts[counts["model"] == "all"].set_index(["model_set", "stage"])
    table = table.loc[[(name, stage) for name in order for stage in stages]].reset_index()
    shown = {
        "model set": table["model_set"].mask(table["model_set"].duplicated(), ""),
        "stage": table["stage"].map(stage_label),
        "images": table["n"],
        "closer than chance": table["beyond_null"],
        "same class": table["same_class"],
        "metamers": table["metamer"],
        "share": [f"{row.share:.2f}" for row in table.itertuples()],
        "95 % interval": [f"{row.low:.2f} … {row.high:.2f}" for row in table.itertuples()],
    }
    styler = book_table(pd.DataFrame(shown), "tab-success")
    return styler.set_properties(subset=["share", "95 % interval"], **{"text-align": "right"})


def _frame(axes: Axes, positions: dict, *, first: bool) -> None:
    places = list(positions.values())
    margin = 0.2 * ((places[-1] - places[0]) or 1)
    axes.set(xlim=(places[0] - margin, places[-1] + margin), ylim=(-0.03, 1.03))
    axes.set_xticks(places, [stage_label(stage) for stage in positions], fontsize=6.5)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "", ".5", "", "1"] if first else [])
    axes.tick_params(axis="x", length=2)
    axes.tick_params(axis="y", length=2 if first else 0)
    axes.spines["left"].set_visible(first)
    axes.grid(axis="y")
    if first:
        axes.set_ylabel("share of metamers", labelpad=2)


def _shares(axes: Axes, counts: pd.DataFrame, positions: dict, style: LineStyle) -> None:
    for model, rows in counts.groupby("model", sort=False):
        rows = rows.set_index("stage").reindex(list(positions))
        places = list(positions.values())
        if model != "all":
            axes.plot(places, rows["share"], color=MUTED, linewidth=0.7, marker=".", markersize=3, alpha=0.6, zorder=2)
            continue
        errors = [rows["share"] - rows["low"], rows["high"] - rows["share"]]
        axes.errorbar(
            places,
            rows["share"],
            yerr=[error.clip(lower=0) for error in errors],
            color=style.colour,
            linestyle=style.dash,
            marker=style.marker,
            markersize=5.5,
            markeredgecolor="white",
            markeredgewidth=0.7,
            elinewidth=0.8,
            zorder=4,
            clip_on=False,
        )
