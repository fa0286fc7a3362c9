"""Heat maps of what every evaluator says about every set and stage: the ground plan of Fig. 5 and of others."""

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from metamerbook.plots import style
from metamerbook.plots.mosaic import place_axes, place_text
from metamerbook.plots.style import ACCENT, DPI, FAMILIES, INK, PAPER, WIDTH
from metamerbook.study.words import network_label

_LEFT, _HEAD, _LINE, _WIDEST = 142, 66, 15, 56


def evaluator_map(table: pd.DataFrame, column: str, took_part: pd.Series, colours: Colormap) -> Figure:
    """Draw values in [0, 1] of evaluators (rows, by family) for stages by set (columns).

    Cells of evaluators that took part in the generation are framed by dashes and left out of the last row's means;
    missing values stay white.
    """
    evaluators, stages = style.evaluator_order(table), list(style.stage_positions(table["stage"]))
    sets = style.set_order(table["model_set"])
    places = [(name, stage) for name in sets for stage in stages]
    values = table.set_index(["evaluator", "model_set", "stage"])[column].to_dict()
    means = table[~took_part].groupby(["model_set", "stage"], sort=False)[column].mean().to_dict()
    rows = [[values.get((key, *place), np.nan) for place in places] for key in evaluators]
    empty, last = [np.nan] * len(places), [means.get(place, np.nan) for place in places]
    shown = np.array([*rows, empty, last], dtype=float)
    families = table.drop_duplicates("evaluator").set_index("evaluator")["family"]
    across = len(places) * min(_WIDEST, (WIDTH * DPI - _LEFT) / len(places))
    down = _LINE * len(shown)
    with style.canvas(height=(_HEAD + down + 2) / DPI, width=(_LEFT + across) / DPI) as figure:
        axes = place_axes(figure, _LEFT, _HEAD, across, down)
        sns.heatmap(
            shown,
            ax=axes,
            cmap=colours,
            vmin=0,
            vmax=1,
            cbar=False,
            annot=np.vectorize(_short)(shown),
            fmt="",
            annot_kws={"fontsize": 6},
            xticklabels=[style.stage_label(stage) for _, stage in places],
            yticklabels=[*map(network_label, evaluators), "", "mean"],
        )
        axes.vlines(range(len(stages), len(places), len(stages)), 0, len(shown), color=PAPER, linewidth=3)
        axes.xaxis.tick_top()
        axes.tick_params(axis="x", length=0, rotation=90, labelsize=7)
        axes.tick_params(axis="y", length=0, rotation=0, labelsize=7)
        for label, key in zip(axes.get_yticklabels(), evaluators, strict=False):
            label.set_color(FAMILIES.get(families[key], ("", INK))[1])
        axes.get_yticklabels()[-1].set_fontweight("bold")
        for number, (name, look) in enumerate(style.set_styles(sets).items()):
            left = _LEFT + number * len(stages) * across / len(places)
            place_text(figure, name.replace(" ", "\n", 1), left, 0, fontsize=7, fontweight="bold", color=look.text)
        for key, name in table.loc[took_part, ["evaluator", "model_set"]].drop_duplicates().to_numpy():
            corner = (sets.index(name) * len(stages) + 0.1, evaluators.index(key) + 0.08)
            frame = Rectangle(corner, len(stages) - 0.2, 0.84, fill=False, edgecolor=ACCENT, linewidth=1)
            axes.add_patch(frame).set_linestyle((0, (2.5, 1.2)))
    return figure


def _short(value: float) -> str:
    return "" if np.isnan(value) else "1" if value > 0.995 else f"{value:.2f}"[1:]
