"""Chapter 01, Fig. 1: how metamers are made, measured, and what they look like, drawn from one real run."""

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from metamerbook.ensembles.figures.methodology import snapshots
from metamerbook.ensembles.introduction import Overview
from metamerbook.plots import style
from metamerbook.plots.mosaic import (
    CELL,
    place_arrow,
    place_axes,
    place_box,
    place_map,
    place_picture,
    place_strip,
    place_text,
    unit_map,
)
from metamerbook.plots.style import ACCENT, DPI, INK, MEMBER_COLOURS, MUTED, PAPER, RULE
from metamerbook.plots.tables import book_table, short_number
from metamerbook.study.words import network_label
from metamerlib.evaluation import METRICS, jensen_shannon
from metamerlib.evaluation.representation import density, shared_grid

_HEIGHT = 456
_MIDDLE, _RIGHT = 338, 562
_SHOWN = 6


def figure_process(overview: Overview) -> Figure:
    """Draw the process from one image's run: generation, the three measures, metamers (paper, Figure 1)."""
    with style.canvas(height=_HEIGHT / DPI) as figure:
        place_text(figure, "1  Generate", 0, 0, fontsize=9.5, fontweight="bold")
        place_text(figure, "2  Evaluate", _MIDDLE, 0, fontsize=9.5, fontweight="bold")
        place_text(figure, "3  Metamers", _RIGHT, 0, fontsize=9.5, fontweight="bold")
        for left in (_MIDDLE - 16, _RIGHT - 16):
            place_arrow(figure, (left, 4), (left, _HEIGHT - 4), arrowstyle="-", color=RULE, linewidth=0.8)
        _matching(figure, overview)
        _snapshots(figure, overview)
        _round_robin(figure, overview)
        _similarity(figure, overview, top=24)
        _recognition(figure, overview, top=182)
        _metrics(figure, overview, top=342)
        _finished(figure, overview)
    return figure


def _matching(figure: Figure, overview: Overview) -> None:
    """Show what is compared: activations of the reference and of the metamer in the active network."""
    upper, lower, box, maps = 40, 132, 104, 250
    trajectory = overview.trajectory
    active = len(trajectory.models) - 1
    both = [unit_map(values) for values in (overview.reference_activation, overview.metamer_activation)]
    low, high = (float(np.nanquantile(both[0], share)) for share in (0.005, 0.995))
    for top, name, image, values in (
        (upper, "reference x", overview.reference, both[0]),
        (lower, "metamer x′", trajectory.images[-1, 0], both[1]),
    ):
        place_text(figure, name, CELL / 2, top - 13, ha="center", fontsize=7, color=MUTED)
        place_picture(figure, image, 0, top)
        place_map(figure, values, maps, top, CELL, low=low, high=high)
        place_arrow(figure, (CELL + 4, top + CELL / 2), (box - 3, top + CELL / 2))
        place_arrow(figure, (box + 101, top + CELL / 2), (maps - 4, top + CELL / 2))
    place_text(figure, "a", maps + CELL / 2, upper - 14, ha="center", fontsize=8, fontstyle="italic")
    place_text(figure, "a′", maps + CELL / 2, lower - 14, ha="center", fontsize=8, fontstyle="italic")
    for depth in range(min(active, 3), 0, -1):
        _box(figure, box + 4 * depth, upper - 4 * depth, lower + CELL - upper, MEMBER_COLOURS[active - depth], 0.4)
    colour = MEMBER_COLOURS[active % len(MEMBER_COLOURS)]
    _box(figure, box, upper, lower + CELL - upper, colour, 1)
    middle, top = box + 48, (upper + lower + CELL) / 2
    place_text(figure, "active model", middle, top - 30, ha="center", fontsize=7, color=MUTED)
    label = network_label(overview.model).replace(" ", "\n", 1)
    place_text(figure, label, middle, top - 4, ha="center", va="center", fontweight="bold", color=colour)
    stage = f"{style.stage_label(overview.stage)} stage"
    place_text(figure, stage, middle, top + 18, ha="center", fontsize=7, color=MUTED)
    residual = float(trajectory.residuals[-1, 0, active])
    loss = f"‖a′ − a‖ / ‖a‖ = {residual:.2f}"
    place_text(figure, loss, maps + CELL, lower + CELL + 6, ha="right", fontsize=7.5, color=ACCENT, fontweight="bold")
    place_arrow(
        figure,
        (maps - 76, lower + CELL + 12),
        (CELL / 2, lower + CELL + 2),
        color=ACCENT,
        connectionstyle="angle,angleA=0,angleB=90,rad=4",
    )
    step = "gradient → normalize → step → project"
    place_text(figure, step, 0, lower + CELL + 22, fontsize=7, color=ACCENT)


def _snapshots(figure: Figure, overview: Overview) -> None:
    """Show the image on its way, with the updates that it has had."""
    top, per_row = 256, 4
    place_text(figure, "one image along the way, with its updates", 0, top - 15, fontsize=7, color=MUTED)
    shown = list(snapshots(overview.trajectory).items())
    chosen = [shown[position] for position in _spaced(len(shown), 2 * per_row)]
    for row in range(2):
        place_strip(figure, dict(chosen[row * per_row : (row + 1) * per_row]), 0, top + row * (CELL + 17), CELL + 20)


def _round_robin(figure: Figure, overview: Overview) -> None:
    """Show how the networks take turns."""
    models, top, width = overview.trajectory.models, 432, 314
    turns = "the models take turns" if len(models) > 1 else "one model, so all turns are its own"
    place_text(figure, turns, 0, top - 14, fontsize=7, color=MUTED)
    rounds = max(1, round(12 / len(models)))
    turn = width / (rounds * len(models))
    for number in range(rounds * len(models)):
        colour = MEMBER_COLOURS[number % len(models) % len(MEMBER_COLOURS)]
        place_box(figure, number * turn, top, turn - 1.5, 7, facecolor=colour, linewidth=0)
    names = [network_label(key) for key in models]
    size = 7 if sum(map(len, names)) < 48 else 6
    left = 0.0
    for name, colour in zip(names, MEMBER_COLOURS * len(names), strict=False):
        text = place_text(figure, name, left, top + 11, fontsize=size, color=colour)
        left += text.get_window_extent().width + 8


def _similarity(figure: Figure, overview: Overview, top: float) -> None:
    """Draw the distributions of distances, and their divergence."""
    place_text(figure, "Representational similarity", _MIDDLE, top, fontweight="bold", fontsize=8)
    distances = overview.distances
    if distances is None:
        place_text(figure, "needs three images and an\nevaluator with this stage", _MIDDLE, top + 20, color=MUTED)
        return
    kinds = {"reference-reference": INK, "reference-metamer": ACCENT}
    samples = {kind: distances.of_kind(kind) for kind in kinds}
    grid = shared_grid(list(samples.values()))
    curves = {kind: density(sample, grid) for kind, sample in samples.items()}
    axes = place_axes(figure, _MIDDLE, top + 34, 192, 70)
    for kind, colour in kinds.items():
        axes.fill_between(grid, curves[kind], color=colour, alpha=0.16, linewidth=0)
        axes.plot(grid, curves[kind], color=colour, linewidth=1.3)
    axes.set_ylim(0)
    axes.set_xlim(float(grid[0]), float(grid[-1]))
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.tick_params(labelsize=6.5, length=2)
    axes.set_xlabel("distance between activations", fontsize=7, labelpad=2)
    place_text(figure, "reference–reference pairs", _MIDDLE, top + 15, fontsize=6.5, color=INK)
    place_text(figure, "reference–metamer pairs", _MIDDLE, top + 26, fontsize=6.5, color=ACCENT)
    bits = jensen_shannon(*(curve.numpy() for curve in curves.values()))
    words = f"divergence {bits:.2f} bit in {network_label(distances.evaluator)}"
    place_text(figure, words, _MIDDLE, top + 136, fontsize=7, color=MUTED)


def _recognition(figure: Figure, overview: Overview, top: float) -> None:
    """Show both pictures and how many evaluators call them the same."""
    place_text(figure, "Recognizability", _MIDDLE, top, fontweight="bold", fontsize=8)
    place_picture(figure, overview.reference, _MIDDLE, top + 17)
    place_picture(figure, overview.trajectory.images[-1, 0], _MIDDLE + 192 - CELL, top + 17)
    place_text(figure, "same\nclass?", _MIDDLE + 96, top + 17 + CELL / 2, ha="center", va="center", fontsize=7)
    place_arrow(figure, (_MIDDLE + CELL + 4, top + 67), (_MIDDLE + 192 - CELL - 4, top + 67))
    verdicts = overview.verdicts
    same = verdicts["reference_class"] == verdicts["metamer_class"]
    for line, number in enumerate(_spaced(len(verdicts), 3)):
        row, y = verdicts.iloc[number], top + 88 + 12 * line
        place_text(figure, network_label(row["evaluator"]), _MIDDLE, y, fontsize=6.5, color=MUTED)
        words = f"{row['reference_class']} → {row['metamer_class']} {'✓' if same.iloc[number] else '✗'}"
        place_text(figure, words, _MIDDLE + 192, y, ha="right", fontsize=6.5)
    words = f"{int(same.sum())} of {len(verdicts)} trained evaluators agree" if len(verdicts) else "no evaluators"
    place_text(figure, words, _MIDDLE, top + 126, fontsize=7, color=ACCENT, fontweight="bold")


def _metrics(figure: Figure, overview: Overview, top: float) -> None:
    """List the metrics that one pair of pictures has without a network."""
    place_text(figure, "Image metrics", _MIDDLE, top, fontweight="bold", fontsize=8)
    values = overview.metrics.dropna(subset="value").set_index("metric")["value"]
    keys = [key for key in ("ssim", "psnr", "vif", "scc", "rase_corrected", "tv") if key in values]
    for row, key in enumerate(keys):
        y = top + 17 + 13.5 * row
        arrow = "↑" if METRICS[key].direction == "higher" else "↓"
        place_text(figure, METRICS[key].label, _MIDDLE, y, fontsize=7)
        place_text(figure, f"{arrow} better", _MIDDLE + 112, y, ha="center", fontsize=6.5, color=MUTED)
        place_text(figure, short_number(values[key]), _MIDDLE + 192, y, ha="right", fontsize=7, fontweight="bold")


def _finished(figure: Figure, overview: Overview) -> None:
    """Show references and metamers in pairs."""
    look = style.set_styles([overview.model_set])[overview.model_set]
    place_text(figure, "reference", _RIGHT + CELL / 2, 26, ha="center", fontsize=7, color=MUTED)
    name = f"{overview.model_set}, {style.stage_label(overview.stage)}"
    place_text(figure, name, _RIGHT + 1.5 * CELL + 3, 26, ha="center", fontsize=7, color=look.text, fontweight="bold")
    for row, position in enumerate(_spaced(len(overview.example_references), _SHOWN)):
        top = 40 + row * (CELL + 5)
        place_picture(figure, overview.example_references[position], _RIGHT, top)
        place_picture(figure, overview.example_metamers[position], _RIGHT + CELL + 3, top)


def _spaced(count: int, wanted: int) -> list[int]:
    """Choose evenly among so many, the first and the last among them."""
    if count <= wanted:
        return list(range(count))
    return torch.linspace(0, count - 1, wanted).round().int().tolist()


def _box(figure: Figure, left: float, top: float, height: float, colour: str, strength: float) -> None:
    options = {"facecolor": PAPER, "edgecolor": colour, "linewidth": 1 + 0.4 * strength, "alpha": strength}
    place_box(figure, left, top, 96, height, rounding=6, **options)


def table_answer(means: pd.DataFrame) -> Styler:
    """Tabulate the mean recognizability of every set by stage, over all evaluators that had no part."""
    shown = means[means["evaluators"] == "all"].set_index(["model_set", "stage"])["mean"]
    stages = {stage: style.stage_label(stage) for stage in style.stage_positions(means["stage"])}
    rows = [
        {"set": name} | {label: shown[name, stage] for stage, label in stages.items()}
        for name in style.set_order(means["model_set"])
    ]
    return book_table(pd.DataFrame(rows), "tab-answer").format("{:.2f}", list(stages.values()), na_rep="–")
