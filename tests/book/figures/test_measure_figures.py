"""Figures 4 to 6, and what stands beside them, show what the tables hold."""

import numpy as np
import pytest
import torch
from measure_worlds import (
    EPSILONS,
    SETS,
    attacked,
    densities,
    divergences,
    example,
    metric_means,
    restricted,
    shown,
    success,
)
from pandas import DataFrame

from figure_worlds import pixels, words
from metamerbook.ensembles.figures.adversarial_examples import figure_restricted, table_restricted
from metamerbook.ensembles.figures.image_metrics import (
    figure_image_metrics,
    table_image_metrics,
    table_metric_agreement,
)
from metamerbook.ensembles.figures.representational_similarity import (
    figure_densities,
    figure_divergence,
    table_representation,
)
from metamerbook.ensembles.figures.success import figure_success, table_success
from metamerbook.ensembles.summaries import restricted_means
from metamerlib.evaluation import METRICS


def drawn(axes):
    return [np.asarray(line.get_ydata(), dtype=float) for line in axes.lines if len(line.get_ydata()) > 1]


def holds(curves, values):
    return any(len(curve) == len(values) and np.allclose(curve, values) for curve in curves)


def test_figure_4_has_a_panel_per_metric_with_its_direction_and_number_of_images():
    means = metric_means()
    figure = figure_image_metrics(means)
    written = words(figure)
    assert len(figure.axes) == len(METRICS) + 1
    higher = sum(metric.direction == "higher" for metric in METRICS.values())
    assert (written.count("↑ higher"), written.count("↓ lower")) == (higher, len(METRICS) - higher)
    assert written.count("n = 16") == len(METRICS) - 1
    for axes, key in zip(figure.axes, METRICS, strict=False):
        if key != "clip_iqa":
            for name in SETS:
                values = means[(means["metric"] == key) & (means["model_set"] == name)]["mean"]
                assert holds(drawn(axes), values.to_numpy())


def test_figure_4_says_why_a_metric_is_absent_and_which_network_a_learned_one_asks():
    means = metric_means()
    means.loc[means["metric"] == "fid", "label"] = "FID · mini ResNet-18"
    written = words(figure_image_metrics(means))
    assert "mini ResNet-18" in written
    assert sum("not measured\nnobody was there" in text for text in written) == 1


def test_a_long_reason_stays_within_its_panel():
    means = metric_means(absent=("fid", "kid", "clip_iqa"))
    missing = means["mean"].isna()
    means.loc[missing, "reason"] = "a-file-with-a-long-name-6726825d.pth is not in /a/folder/far/away. " * 4
    figure = figure_image_metrics(means)
    figure.draw_without_rendering()
    panels = [axes for axes in figure.axes if any("not measured" in text.get_text() for text in axes.texts)]
    assert len(panels) == 3
    for axes in panels:
        (text,) = axes.texts
        inner, outer = text.get_window_extent(), axes.get_window_extent()
        assert outer.x0 <= inner.x0 < inner.x1 <= outer.x1
        assert outer.y0 <= inner.y0 < inner.y1 <= outer.y1
        assert text.get_text().endswith("(see the caption)")


@pytest.mark.parametrize("stages", [("late",), (0.35, "late"), ("layer1", "layer2")])
def test_figures_4_and_5_take_any_stages(stages):
    assert pixels(figure_image_metrics(metric_means(stages=stages))).shape[1] == 1440  # nothing sticks out
    assert pixels(figure_divergence(divergences(stages=stages))).std() > 0


def test_figure_5_shows_every_cell_and_outlines_those_that_took_part():
    table = divergences()
    figure = figure_divergence(table)
    first = figure.axes[0]  # sets come in the paper's order
    of_set = table[table["model_set"] == "Single CNN"].pivot(index="evaluator", columns="stage", values="divergence")
    assert np.allclose(np.sort(first.images[0].get_array().ravel()), np.sort(of_set.to_numpy().ravel()))
    outlines = [
        len(axes.patches) for axes in figure.axes if len(axes.images) and axes.images[0].get_array().shape[0] > 1
    ]
    assert outlines == [1, 2]


def test_the_mean_of_figure_5_leaves_out_who_took_part():
    table = divergences({"CNN": SETS["CNN"]}, ("late",))
    _cells, below = figure_divergence(table).axes
    assert below.images[0].get_array().item() == pytest.approx(table[~table["took_part"]]["divergence"].mean())


def test_densities_stand_beside_their_divergence():
    cells = divergences()
    cells = cells[(cells["stage"] == "late") & (cells["evaluator"] == "deit_small")].assign(divergence=[0.31, 0.72])
    written = words(figure_densities(densities(), cells))
    assert {"divergence 0.31 bit", "divergence 0.72 bit"} <= set(written)


def test_success_is_drawn_for_the_set_and_for_each_of_its_networks():
    figure = figure_success(success())
    single, ensemble = figure.axes
    assert holds(drawn(single), [0.8, 0.6, 0.4])
    assert sum(np.allclose(curve, [0.9, 0.7, 0.5]) for curve in drawn(ensemble) if len(curve) == 3) == 2


def test_figure_6_averages_over_all_evaluators_those_included_that_took_part():
    figure = figure_restricted(restricted(), attacked(), [])
    initial, reference, attack = figure.axes
    for axes, table in (
        (initial, restricted().query("center == 'initial'")),
        (reference, restricted().query("center == 'reference'")),
        (attack, attacked()),
    ):
        assert holds(drawn(axes), table.groupby("epsilon")["recognizability"].mean().to_numpy())
    assert holds(drawn(attack), attacked().groupby("epsilon")["fooled"].mean().to_numpy())


def test_figure_6_shows_a_picture_from_every_ball():
    one = example()
    figure = figure_restricted(restricted(), attacked(), [one])
    seen = shown(figure)
    wanted = [one.reference, *one.metamers.values(), *one.attacks.values()]
    assert len(seen) == len(wanted)
    assert all(any(torch.allclose(image, other) for other in seen) for image in wanted)
    assert words(figure).count("→ dog") == len(EPSILONS)


@pytest.mark.parametrize("epsilons", [(0.3,), (2 / 255, 4 / 255, 8 / 255, 0.1, 0.3)])
def test_figure_6_takes_any_radii(epsilons):
    figure = figure_restricted(restricted(epsilons), attacked(epsilons), [example(epsilons)])
    assert pixels(figure).shape[1] == 1440  # nothing sticks out


def test_the_best_set_of_a_stage_is_bold():
    table = table_image_metrics(metric_means(stages=("late",)))
    html = table.to_html()
    assert html.count("font-weight: 650") == 1  # one rule of the style sheet, for all cells that it holds for
    assert "SSIM ↑" in html
    assert "TV ↓" in html
    assert "font-weight" not in table_image_metrics(metric_means(sets=("CNN",), stages=("late",))).to_html()


def test_tables_print_what_they_are_given():
    means = restricted_means(restricted(), attacked())
    html = table_restricted(means).to_html()
    assert "Metamers, ball around the initial stimulus" in html
    assert "8/255" in html
    counted = table_success(success()).to_html()
    assert "0.60 … 1.00" in counted


def test_missing_values_are_dashes():
    row = {"model_set": "CNN", "stage": "late", "n_evaluators": 0, "tested": 0, "significant": 0}
    names = ("divergence", "metamer_metamer", "matching", "pearson", "spearman", "pearson_low", "pearson_high")
    assert "–" in table_representation(DataFrame([row | dict.fromkeys(names, np.nan)])).to_html()
    agreement = {"metric": "ssim", "label": "SSIM", "learned": False, "cells": 2, "rank_correlation": np.nan}
    assert "–" in table_metric_agreement(DataFrame([agreement])).to_html()
