"""Figures and tables of the appendices, the thesis part and the claims show what their tables hold."""

import re

import numpy as np
import pandas as pd
import pytest
from variation_worlds import JUDGES, ablation, effects, history, random_sets, transfer

from figure_worlds import pixels, words
from metamerbook.ensembles.figures.mixed_models import (
    figure_effects,
    figure_random_sets,
    table_agreement,
    table_effects,
)
from metamerbook.ensembles.figures.model_zoo import figure_accuracies, table_model_zoo
from metamerbook.ensembles.figures.optimisers import (
    figure_conditions,
    figure_convergence,
    figure_ensemble_sizes,
    table_conditions,
)
from metamerbook.ensembles.figures.transfer import figure_instances, figure_transfer, related_generators
from metamerbook.study.judging import contrasts
from metamerbook.study.published import published, statement
from metamerlib import ModelZoo


def rows(styler):
    """Read a table as people do: rows of text, the head first."""
    html = styler.to_html()
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, flags=re.DOTALL) for row in html.split("<tr>")[1:]]


def by_marker(axes, marker):
    return [line for line in axes.lines if line.get_marker() == marker]


def test_figure_b1_draws_every_set_in_the_order_of_the_means():
    table = random_sets()
    upper, counts, sizes = figure_random_sets(table, statement("mixed-recognizability")).axes
    means = table[table["held_out"]].groupby("model_set")["recognizability"].mean()
    (dots,) = by_marker(upper, "o")
    assert np.allclose(dots.get_ydata(), np.sort(means))
    assert sum(bar.get_height() for bar in counts.patches[:20]) == len(means)
    (of_sizes,) = by_marker(sizes, "s")
    assert of_sizes.get_xdata().tolist() == [2, 3, 4]


def test_figure_b1_shows_the_published_mean_only_where_it_is_given():
    with_paper, without = (figure_random_sets(random_sets(), one) for one in (statement("mixed-recognizability"), None))
    assert any("0.751 ± 0.101" in text for text in words(with_paper))
    assert not any("paper" in text for text in words(without))
    assert (pixels(figure_random_sets(random_sets(count=1))) < 255).any()


def test_effects_are_coloured_where_the_interval_misses_zero_and_missing_networks_left_out():
    axes = figure_effects(effects(5)).axes[0]
    widths = [line for line in axes.lines[1:] if len(line.get_xdata()) == 2]
    assert len(widths) == 4
    colours = [line.get_color() for line in widths]
    assert colours[0] == colours[1] != colours[2] == colours[3]


def test_table_b2_keeps_the_papers_order_and_our_signs():
    table = rows(table_effects(effects()))
    assert len(table) == 32
    assert [row[1] for row in table[1:]] == [f"{value:.3f}" for value in effects()["published_difference"]]
    assert table[1][1:4] == ["0.118", "+0.100 [+0.05, +0.15]", "+0.100 [+0.05, +0.15]"]
    assert table[1][5:] == ["26", "9"]
    assert table[2][2] == "−0.100 [−0.15, −0.05]"
    assert table[31][2] == "–"
    assert table_effects(effects()).to_html() == table_effects(effects()).to_html()


def test_bold_in_table_b2_means_that_the_interval_misses_zero():
    styler = table_effects(effects(6))
    styler._compute()
    bold = {where for where, looks in styler.ctx.items() if ("font-weight", "650") in looks}
    assert bold == {(row, column) for row in (0, 1) for column in (2, 3, 4)}


def test_the_agreement_is_a_dash_where_there_is_none():
    frame = pd.DataFrame({"ours": ["a", "b"], "spearman": [-0.5, np.nan], "p": [0.04, np.nan], "n": [31, 2]})
    assert rows(table_agreement(frame, {"a": "one", "b": "two"}))[1:] == [
        ["one", "−0.50", "0.040", "31"],
        ["two", "–", "–", "2"],
    ]


def test_table_a1_has_both_counts_of_parameters():
    zoo = ModelZoo("mini").table()
    table = rows(table_model_zoo(zoo, published("table_a1")))
    assert len(table) == 1 + len(zoo)
    (row,) = [row for row in table if row[0] == "ResNet-18"]
    ours = zoo.set_index("key").loc["resnet18", "parameters"]
    assert [entry.replace("\u202f", "") for entry in row[2:4]] == ["11689512", str(ours)]
    assert [row[1:3] for row in table if row[0] == "Wide ResNet-50"] == [["not listed", "–"]]


def test_accuracies_are_drawn_for_networks_that_have_one():
    zoo = ModelZoo("mini").table()
    zoo.loc[zoo["key"] == "vgg19", ["accuracy", "robust_accuracy"]] = np.nan
    figure = figure_accuracies(zoo)
    dots = by_marker(figure.axes[0], "o")
    known = zoo.dropna(subset="accuracy")
    assert len(dots) == len(known) + known["robust_accuracy"].notna().sum()
    assert "VGG-19" not in words(figure)
    assert "under attack" in " ".join(words(figure))


def test_published_accuracies_are_among_1000_classes_and_without_attacks():
    figure = figure_accuracies(ModelZoo("paper").table())
    assert "ResNet-18" in words(figure)
    assert "under attack" not in " ".join(words(figure))
    assert [line.get_xdata()[0] for line in figure.axes[0].lines if line.get_linestyle() == ":"] == [1 / 1000]
    unknown = figure_accuracies(ModelZoo("paper-untrained").table())
    assert "No accuracy is known" in words(unknown)[0]
    assert unknown.axes, "a figure without axes is not displayed"


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
