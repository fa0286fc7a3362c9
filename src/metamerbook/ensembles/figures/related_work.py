"""Chapter 02: what the image metrics make of known distortions of a picture."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from torch import Tensor

from metamerbook.plots.mosaic import CELL, place_box, place_picture, place_text
from metamerbook.plots.style import ACCENT, DPI, MUTED, RULE, canvas
from metamerbook.plots.tables import short_number
from metamerlib.evaluation import METRICS

_NAMES, _STEP, _ROW = 150, 90, 20


def figure_distortions(images: Mapping[str, Tensor], metrics: pd.DataFrame) -> Figure:
    """Show altered copies of a picture (columns) with their values (rows); the worst of each metric is marked."""
    values = metrics.pivot(index="metric", columns="distortion", values="value")
    keys = [key for key in METRICS if key in values.index and values.loc[key].notna().any()]
    top = CELL + 32
    with canvas(height=(top + _ROW * len(keys)) / DPI) as figure:
        for column, (name, image) in enumerate(images.items()):
            left = _NAMES + column * _STEP
            place_picture(figure, image, left + (_STEP - CELL) / 2, 0)
            place_text(figure, name, left + _STEP / 2, CELL + 4, ha="center", fontweight="bold")
        for row, key in enumerate(keys):
            y = top + row * _ROW
            place_box(figure, 0, y - 4, _NAMES + _STEP * len(images), 0.7, facecolor=RULE, linewidth=0)
            arrow = "↑" if METRICS[key].direction == "higher" else "↓"
            place_text(figure, METRICS[key].label, 0, y)
            place_text(figure, f"{arrow} better", _NAMES - 8, y, ha="right", color=MUTED, fontsize=7)
            known = values.loc[key].dropna()
            worst = known.min() if METRICS[key].direction == "higher" else known.max()
            for column, name in enumerate(images):
                place = _NAMES + (column + 0.5) * _STEP
                looks = {"color": ACCENT, "fontweight": "bold"} if values.loc[key, name] == worst else {}
                place_text(figure, short_number(values.loc[key, name]), place, y, ha="center", **looks)
    return figure
