"""Pictures of the tables."""

import textwrap
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from torch import Tensor

from metamerbook.plots.style import ACCENT, INK, MEMBER_COLOURS, MUTED, canvas

_SOLVER = "#0f62b0"


def draw_ratios(table: pd.DataFrame, title: str, path: Path) -> None:
    """Draw each line's ratio with its interval, and its bound.

    Parameters
    ----------
    table
        With the columns line, ratio, low, high and bound.
    title
        Above the picture.
    path
        Of the PNG file.
    """
    with canvas(0.9 + 0.3 * len(table)) as figure:
        axes = figure.subplots()
        rows = np.arange(len(table))[::-1]
        axes.hlines(rows, table["low"], table["high"], color=_SOLVER)
        axes.plot(table["ratio"], rows, "o", color=_SOLVER, label="median and interval")
        axes.plot(table["bound"], rows, "|", color=ACCENT, markersize=14, label="bound")
        axes.axvline(1, color=MUTED, linewidth=0.7, linestyle=":")
        axes.set_yticks(rows, [_wrapped(line) for line in table["line"]])
        axes.set_ylim(-0.6, len(table) - 0.4)
        axes.set_title(title)
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
        figure.savefig(path, bbox_inches="tight", dpi=150)


def draw_bars(table: pd.DataFrame, title: str, path: Path) -> None:
    """Draw the times of the solver and of the others, a row of panels for each unit.

    Parameters
    ----------
    table
        With the columns line, unit, ours and other.
    title
        Above the picture.
    path
        Of the PNG file.
    """
    with canvas(0.9 + 0.42 * len(table)) as figure:
        groups = list(table.groupby("unit", sort=False))
        heights = [len(group) for _, group in groups]
        panels = figure.subplots(len(groups), 1, squeeze=False, height_ratios=heights, gridspec_kw={"hspace": 0.35})
        for axes, (unit, group) in zip(panels[:, 0], groups, strict=True):
            rows = np.arange(len(group))[::-1]
            axes.barh(rows + 0.19, group["ours"], 0.36, color=_SOLVER, label="metamerlib")
            axes.barh(rows - 0.19, group["other"], 0.36, color=MUTED, label="the other")
            axes.set_yticks(rows, [_wrapped(line) for line in group["line"]])
            axes.set_xlabel(unit)
        panels[0, 0].set_title(title)
        panels[0, 0].legend(loc="upper left", bbox_to_anchor=(1, 1))
        figure.savefig(path, bbox_inches="tight", dpi=150)


def draw_curves(table: pd.DataFrame, title: str, path: Path) -> None:
    """Draw residual and recognizability against updates and against seconds, a line for each rule.

    Parameters
    ----------
    table
        With the columns rule, updates, seconds, residual and recognizability.
    title
        Above the picture.
    path
        Of the PNG file.
    """
    with canvas(5.0) as figure:
        panels = figure.subplots(2, 2, sharex="col", sharey="row")
        columns = {"updates": "updates per model", "seconds": "seconds"}
        heights = {"residual": "mean residual", "recognizability": "recognizability, networks held out"}
        for line, (height, height_label) in zip(panels, heights.items(), strict=True):
            for axes, (column, label) in zip(line, columns.items(), strict=True):
                for (rule, points), colour in zip(table.groupby("rule", sort=False), MEMBER_COLOURS, strict=False):
                    axes.plot(points[column], points[height], "o-", color=colour, label=rule)
                axes.set_xscale("log")
                axes.set_xlabel(label if height == "recognizability" else "")
            line[0].set_ylabel(height_label)
        panels[0, 0].set_yscale("log")
        panels[0, 0].set_title(title)
        panels[0, 1].legend()
        figure.savefig(path, bbox_inches="tight", dpi=150)


def draw_images(rows: Mapping[str, Tensor], path: Path) -> None:
    """Draw sets of images below each other.

    Parameters
    ----------
    rows
        Name to (N, 3, H, W) images in [0, 1], equally many in each row.
    path
        Of the PNG file.
    """
    count = min(len(images) for images in rows.values())
    margin, side = 1.3, 0.8
    width = margin + side * count
    with canvas(side * len(rows), width=width) as figure:
        panels = figure.subplots(len(rows), count, squeeze=False, gridspec_kw={"wspace": 0.04, "hspace": 0.04})
        figure.subplots_adjust(left=margin / width, right=1, bottom=0, top=1)
        for line, (name, images) in zip(panels, rows.items(), strict=True):
            for axes, image in zip(line, images, strict=False):
                axes.imshow(image.permute(1, 2, 0).numpy())
                axes.set_axis_off()
            line[0].text(-0.1, 0.5, name, transform=line[0].transAxes, ha="right", va="center", color=INK)
        figure.savefig(path, bbox_inches="tight", dpi=150)


def _wrapped(line: str) -> str:
    return textwrap.fill(line, 42)
