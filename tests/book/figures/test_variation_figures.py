"""Figures and tables of the appendices, the thesis part and the claims show what their tables hold."""

import re

import numpy as np
import pytest
from variation_worlds import JUDGES, ablation, history, transfer

from figure_worlds import pixels, words
from metamerbook.ensembles.figures.optimisers import (
    figure_conditions,
    figure_convergence,
    figure_ensemble_sizes,
    table_conditions,
)
from metamerbook.ensembles.figures.transfer import figure_instances, figure_transfer, related_generators
from metamerbook.study.judging import contrasts


def rows(styler):
    """Read a table as people do: rows of text, the head first."""
    html = styler.to_html()
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, flags=re.DOTALL) for row in html.split("<tr>")[1:]]


def by_marker(axes, marker):
    return [line for line in axes.lines if line.get_marker() == marker]


def test_convergence_has_a_panel_per_start_and_a_thick_line_per_way():
    table = history("optimizer", ["SGD", "Adam"], starts=("l1_ball", "mix"))
    figure = figure_convergence(table, "optimizer", "initializer")
    first, second, _legend = figure.axes
    for axes in (first, second):
        thick = [line for line in axes.lines if line.get_linewidth() == 2]
        assert len(thick) == 2
        assert np.allclose(thick[0].get_ydata(), [1.25 / (1 + repetition) for repetition in range(9)])
    assert {"from grey", "from half the reference"} <= set(words(figure))
    assert len(figure_convergence(history("mode", ["joint"]), "mode").axes) == 2


def test_conditions_show_all_judges_of_all_conditions_and_their_mean():
    table = ablation("optimizer", ["SGD", "Adam"])
    frame = contrasts(table, ["optimizer"], ("SGD",))
    figure = figure_conditions(table, frame, ["optimizer"])
    assert [len(line.get_xdata()) for line in by_marker(figure.axes[0], "o")] == [len(JUDGES) - 1] * 2
    means = [line.get_xdata()[0] for line in by_marker(figure.axes[0], "D")]
    assert means == pytest.approx(frame["mean"].tolist())
    assert {"plain gradient descent", "Adam"} <= set(words(figure))
    table = rows(table_conditions(table, frame, ["optimizer"], "tab-x"))
    assert table[1][1:] == ["0.500", f"{frame['mean'][0]:.3f}", "compared with", "7"]
    assert table[2][3] == "+0.100 [+0.10, +0.10]"


def test_sizes_average_over_ensembles_and_judges_outside():
    table = ablation("size", [1, 2, 3])
    (line,) = by_marker(figure_ensemble_sizes(table).axes[0], "s")
    assert line.get_xdata().tolist() == [1, 2, 3]
    assert np.allclose(line.get_ydata(), table[table["outside"]].groupby("size")["recognizability"].mean())


def test_transfer_frames_the_network_itself_and_other_trainings():
    figure = figure_transfer(transfer())
    cells, below = figure.axes
    solid = [patch for patch in cells.patches if patch.get_linestyle() in ("-", "solid")]
    assert len(solid) == 3
    assert len(cells.patches) == 3 + 4  # ResNet-18 and its two other trainings see two generators
    assert [text.get_text() for text in below.texts] == [".25"] * 3
    assert "ResNet-18, training 2" in words(figure)


def test_only_networks_with_another_training_are_compared():
    table = transfer()
    assert related_generators(table) == ["resnet18", "resnet18_seed1"]
    axes = figure_instances(table, related_generators(table)).axes[0]
    assert [line.get_xdata().tolist() for line in by_marker(axes, "X")] == [[1.0], [1.0]]
    assert [line.get_xdata().tolist() for line in by_marker(axes, "D")] == [[0.5, 0.5]] * 2
    assert (pixels(figure_instances(table, [])) < 255).any()
