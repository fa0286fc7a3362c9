"""Chapter 01, Fig. 1: how metamers are made, measured, and what they look like, drawn from one real run."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from metamerbook.ensembles.figures.methodology import snapshots
from metamerbook.plots import style
from metamerbook.plots.mosaic import (
    CELL,
    place_arrow,
    place_axes,
    place_box,
    place_key,
    place_picture,
    place_strip,
    unit_map,
)
from metamerbook.plots.mosaic import place_text as write
from metamerbook.plots.style import ACCENT, DPI, INK, MEMBER_COLOURS, MUTED, PAPER, RULE
from metamerbook.plots.tables import book_table, short_number
from metamerbook.study.words import network_label
from metamerlib.evaluation import METRICS, jensen_shannon
from metamerlib.evaluation.representation import density, shared_grid

_HEIGHT = 456
_MIDDLE, _RIGHT = 338, 562
_SHOWN = 6
_NOTE = {"fontsize": 7, "color": MUTED}
_BOLD = {"fontweight": "bold"}


def figure_process(overview: SimpleNamespace) -> Figure:
    """Draw the process from one image's run: generation, the three measures, metamers (paper, Figure 1)."""
    with style.canvas(height=_HEIGHT / DPI) as figure:
        for left, heading in ((0, "1  Generate"), (_MIDDLE, "2  Evaluate"), (_RIGHT, "3  Metamers")):
            write(figure, heading, left, 0, fontsize=9.5, **_BOLD)
        for left in (_MIDDLE - 16, _RIGHT - 16):
            place_box(figure, left, 4, 0, _HEIGHT - 8, edgecolor=RULE, linewidth=0.8)
        _matching(figure, overview)
        _snapshots(figure, overview)
        _round_robin(figure, overview)
        _similarity(figure, overview, top=24)
        _recognition(figure, overview, top=182)
        _metrics(figure, overview, top=342)
        _finished(figure, overview)
    return figure


def _matching(figure: Figure, overview: SimpleNamespace) -> None:
    """Show what is compared: activations of the reference and of the metamer in the active network."""
    upper, lower, box, maps = 40, 132, 104, 250
    trajectory = overview.trajectory
    active = len(trajectory.models) - 1
    both = [unit_map(values) for values in (overview.reference_activation, overview.metamer_activation)]
    low, high = np.nanquantile(both[0], (0.005, 0.995))
    for top, name, sign, image, values in (
        (upper, "reference x", "a", overview.reference, both[0]),
        (lower, "metamer x′", "a′", trajectory.images[-1, 0], both[1]),
    ):
        write(figure, name, CELL / 2, top - 13, ha="center", **_NOTE)
        write(figure, sign, maps + CELL / 2, top - 14, ha="center", fontstyle="italic")
        place_picture(figure, image, 0, top)
        axes = place_axes(figure, maps, top, CELL, CELL)
        axes.imshow(values.numpy(), cmap="cividis", vmin=low, vmax=high, interpolation="nearest")
        axes.set_axis_off()
        place_arrow(figure, (CELL + 4, top + CELL / 2), (box - 3, top + CELL / 2))
        place_arrow(figure, (box + 101, top + CELL / 2), (maps - 4, top + CELL / 2))
    for depth in range(min(active, 3), -1, -1):
        colour = MEMBER_COLOURS[(active - depth) % len(MEMBER_COLOURS)]
        looks = {"facecolor": PAPER, "edgecolor": colour, "alpha": 0.4 if depth else 1}
        corner, height = (box + 4 * depth, upper - 4 * depth), lower + CELL - upper
        place_box(figure, *corner, 96, height, boxstyle="round,pad=0,rounding_size=6", **looks)
    middle, top = box + 48, (upper + lower + CELL) / 2
    write(figure, "active model", middle, top - 30, ha="center", **_NOTE)
    label = network_label(overview.model).replace(" ", "\n", 1)
    write(figure, label, middle, top - 4, ha="center", va="center", color=colour, **_BOLD)
    write(figure, f"{style.stage_label(overview.stage)} stage", middle, top + 18, ha="center", **_NOTE)
    loss = f"‖a′ − a‖ / ‖a‖ = {float(trajectory.residuals[-1, 0, active]):.2f}"
    write(figure, loss, maps + CELL, lower + CELL + 6, ha="right", fontsize=7.5, color=ACCENT, **_BOLD)
    looks = {"color": ACCENT, "connectionstyle": "angle,angleA=0,angleB=90,rad=4"}
    place_arrow(figure, (maps - 76, lower + CELL + 12), (CELL / 2, lower + CELL + 2), **looks)
    step = "gradient → normalize → step → project"
    write(figure, step, 0, lower + CELL + 22, fontsize=7, color=ACCENT)


def _snapshots(figure: Figure, overview: SimpleNamespace) -> None:
    """Show the image on its way, with the updates that it has had."""
    write(figure, "one image along the way, with its updates", 0, 241, **_NOTE)
    shown = snapshots(overview.trajectory)
    chosen = [shown[position] for position in _spaced(len(shown), 8)]
    for row in range(2):
        place_strip(figure, chosen[4 * row : 4 * row + 4], 0, 256 + row * (CELL + 17), CELL + 20)


def _round_robin(figure: Figure, overview: SimpleNamespace) -> None:
    """Show how the networks take turns."""
    models, top, width = overview.trajectory.models, 432, 314
    turns = "the models take turns" if len(models) > 1 else "one model, so all turns are its own"
    write(figure, turns, 0, top - 14, **_NOTE)
    colours = [MEMBER_COLOURS[number % len(MEMBER_COLOURS)] for number in range(len(models))]
    all_turns = colours * max(1, round(12 / len(models)))
    turn = width / len(all_turns)
    for number, colour in enumerate(all_turns):
        place_box(figure, number * turn, top, turn - 1.5, 7, facecolor=colour, linewidth=0)
    names = [network_label(key) for key in models]
    size = 7 if sum(map(len, names)) < 48 else 6
    place_key(figure, zip(names, colours, strict=True), 0, top + 11, fontsize=size)


def _similarity(figure: Figure, overview: SimpleNamespace, top: float) -> None:
    """Draw the distributions of distances, and their divergence."""
    write(figure, "Representational similarity", _MIDDLE, top, **_BOLD)
    distances = overview.distances
    if distances is None:
        write(figure, "needs three images and an\nevaluator with this stage", _MIDDLE, top + 20, color=MUTED)
        return
    kinds = {"reference-reference": INK, "reference-metamer": ACCENT}
    samples = {kind: distances.of_kind(kind) for kind in kinds}
    grid = shared_grid(list(samples.values()))
    curves = {kind: density(sample, grid) for kind, sample in samples.items()}
    axes = place_axes(figure, _MIDDLE, top + 34, 192, 70)
    for line, (kind, colour) in enumerate(kinds.items()):
        write(figure, f"{kind.replace('-', '–')} pairs", _MIDDLE, top + 15 + 11 * line, fontsize=6.5, color=colour)
        axes.fill_between(grid, curves[kind], color=colour, alpha=0.16, linewidth=0)
        axes.plot(grid, curves[kind], color=colour, linewidth=1.3)
    axes.set(xlim=(float(grid[0]), float(grid[-1])), ylim=(0, None), yticks=[])
    axes.spines["left"].set_visible(False)
    axes.tick_params(labelsize=6.5, length=2)
    axes.set_xlabel("distance between activations", fontsize=7, labelpad=2)
    bits = jensen_shannon(*(curve.numpy() for curve in curves.values()))
    words = f"divergence {bits:.2f} bit in {network_label(distances.evaluator)}"
    write(figure, words, _MIDDLE, top + 136, **_NOTE)


def _recognition(figure: Figure, overview: SimpleNamespace, top: float) -> None:
    """Show both pictures and how many evaluators call them the same."""
    write(figure, "Recognizability", _MIDDLE, top, **_BOLD)
    place_picture(figure, overview.reference, _MIDDLE, top + 17)
    place_picture(figure, overview.trajectory.images[-1, 0], _MIDDLE + 192 - CELL, top + 17)
    write(figure, "same\nclass?", _MIDDLE + 96, top + 17 + CELL / 2, ha="center", va="center", fontsize=7)
    place_arrow(figure, (_MIDDLE + CELL + 4, top + 67), (_MIDDLE + 192 - CELL - 4, top + 67))
    verdicts = overview.verdicts
    same = verdicts["reference_class"] == verdicts["metamer_class"]
    for line, number in enumerate(_spaced(len(verdicts), 3)):
        row, y = verdicts.iloc[number], top + 88 + 12 * line
        write(figure, network_label(row["evaluator"]), _MIDDLE, y, fontsize=6.5, color=MUTED)
        words = f"{row['reference_class']} → {row['metamer_class']} {'✓' if same.iloc[number] else '✗'}"
        write(figure, words, _MIDDLE + 192, y, ha="right", fontsize=6.5)
    words = f"{int(same.sum())} of {len(verdicts)} trained evaluators agree" if len(verdicts) else "no evaluators"
    write(figure, words, _MIDDLE, top + 126, fontsize=7, color=ACCENT, **_BOLD)


def _metrics(figure: Figure, overview: SimpleNamespace, top: float) -> None:
    """List the metrics that one pair of pictures has without a network."""
    write(figure, "Image metrics", _MIDDLE, top, **_BOLD)
    values = overview.metrics.dropna(subset="value").set_index("metric")["value"]
    keys = [key for key in ("ssim", "psnr", "vif", "scc", "rase_corrected", "tv") if key in values]
    for row, key in enumerate(keys):
        y = top + 17 + 13.5 * row
        arrow = "↑" if METRICS[key].direction == "higher" else "↓"
        write(figure, METRICS[key].label, _MIDDLE, y, fontsize=7)
        write(figure, f"{arrow} better", _MIDDLE + 112, y, ha="center", fontsize=6.5, color=MUTED)
        write(figure, short_number(values[key]), _MIDDLE + 192, y, ha="right", fontsize=7, **_BOLD)


def _finished(figure: Figure, overview: SimpleNamespace) -> None:
    """Show references and metamers in pairs."""
    look = style.set_styles([overview.model_set])[overview.model_set]
    write(figure, "reference", _RIGHT + CELL / 2, 26, ha="center", **_NOTE)
    name = f"{overview.model_set}, {style.stage_label(overview.stage)}"
    write(figure, name, _RIGHT + 1.5 * CELL + 3, 26, ha="center", fontsize=7, color=look.text, **_BOLD)
    for row, position in enumerate(_spaced(len(overview.example_references), _SHOWN)):
        for column, images in enumerate((overview.example_references, overview.example_metamers)):
            place_picture(figure, images[position], _RIGHT + column * (CELL + 3), 40 + row * (CELL + 5))


def _spaced(count: int, wanted: int) -> list[int]:
    """Choose evenly among so many, the first and the last among them."""
    return np.linspace(0, count - 1, min(count, wanted)).round().astype(int).tolist()


def table_answer(means: pd.DataFrame) -> Styler:
    """Tabulate the mean recognizability of every set by stage, over all evaluators that had no part."""
    stages = list(style.stage_positions(means["stage"]))
    shown = means[means["evaluators"] == "all"].pivot(index="model_set", columns="stage", values="mean")
    shown = shown.loc[style.set_order(means["model_set"]), stages].rename(columns=style.stage_label)
    formats = dict.fromkeys(shown.columns, "{:.2f}")
    return book_table(shown.rename_axis("set").reset_index(), "tab-answer", formats=formats)
