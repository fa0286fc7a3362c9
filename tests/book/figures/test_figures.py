"""What is drawn is what the tables say, for any sets, stages and evaluators."""

import numpy as np
import pandas as pd
import pytest
import torch
from figure_worlds import overview, pictures, pixels, recognizability_table, trajectory, words

from metamerbook.ensembles.figures.examples import figure_examples, figure_stimuli
from metamerbook.ensembles.figures.introduction import figure_process
from metamerbook.ensembles.figures.methodology import figure_optimisation
from metamerbook.ensembles.figures.recognizability import figure_evaluators, figure_recognizability
from metamerbook.ensembles.figures.related_work import figure_distortions
from metamerbook.ensembles.related_work import distortions
from metamerlib.models import MODEL_SETS

OWN_SETS = {"mine": ("vgg19",), "CNN": ("alexnet", "resnet18"), "a": ("vgg19",), "b": ("vgg19",), "c": ("vgg19",)}


def lines(figure, marker):
    return [line for axes in figure.axes for line in axes.lines if line.get_marker() == marker]


def test_figure_3_draws_the_means_over_evaluators_that_had_no_part():
    table = recognizability_table()
    figure = figure_recognizability(table)
    held_out = table[table["held_out"]]
    for name, marker in (("Robust CNNs", "D"), ("Transformers", "s")):
        means = held_out[held_out["model_set"] == name].groupby("stage", sort=False)["recognizability"].mean()
        drawn = [line.get_ydata() for line in lines(figure, marker)]
        assert sum(np.allclose(one, means.to_numpy()) for one in drawn) >= 2  # compared, and in its own panel
    for name, members in MODEL_SETS.items():
        assert name in words(figure)
        assert f"{31 - len(members)} evaluators" in words(figure)


def test_figure_3_shows_every_evaluator_of_a_panel():
    table = recognizability_table({"CNN": ("alexnet",)}, evaluators=("alexnet", "vgg19", "alexnet_random"))
    _compared, panel = figure_recognizability(table).axes
    thin = [line for line in panel.lines if line.get_linewidth() < 1]
    assert len(thin) == 2
    assert [line.get_linestyle() for line in thin] == ["-", ":"]
    assert np.allclose(thin[0].get_ydata(), [0.5, 0.4, 0.3])


def test_figure_3_marks_chance_only_where_it_is_known():
    table = recognizability_table({"CNN": ("alexnet",)})
    without, known = (figure_recognizability(table, chance=chance) for chance in (None, 0.0625))
    assert [len(axes.lines) for axes in known.axes] == [len(axes.lines) + 1 for axes in without.axes]


@pytest.mark.parametrize("stages", [("late",), (0.35, "early"), ("layer1", "layer2")])
@pytest.mark.parametrize("sets", [OWN_SETS, {"Single CNN": ("vgg19",)}], ids=["own", "one"])
def test_recognizability_of_any_sets_and_stages_can_be_drawn(sets, stages):
    table = recognizability_table(sets, stages, evaluators=("vgg19", "resnet18", "mine"))
    assert (pixels(figure_recognizability(table, chance=0.1)) < 255).any()
    figure = figure_evaluators(table)
    assert {"VGG-19", "ResNet-18", "mine"} <= set(words(figure))


def test_recognizability_without_judges_is_an_empty_panel_not_an_error():
    table = recognizability_table({"CNN": ("alexnet",)}, evaluators=("alexnet",))
    assert "0 evaluators" in words(figure_recognizability(table))
    assert pixels(figure_evaluators(table)).size


def test_the_map_of_evaluators_writes_every_share_and_the_mean_of_those_held_out():
    table = recognizability_table({"CNN": ("alexnet",)}, ("late",), ("alexnet", "vgg19", "resnet18"))
    table["recognizability"] = [1.0, 0.25, 0.75]
    written = words(figure_evaluators(table))
    assert {"1", ".25", ".75", ".50"} <= set(written)
    (heat_map, means) = figure_evaluators(table).axes
    assert heat_map.images[0].get_array().tolist() == [[1.0], [0.25], [0.75]]
    assert means.images[0].get_array().tolist() == [[0.5]]


@pytest.mark.parametrize(
    ("count", "stages"), [(3, ("early", "middle", "late")), (16, ("late",)), (9, ("early", "late"))]
)
def test_figure_2_shows_each_metamer_once_per_stage_and_set(count, stages):
    references = pictures(count)
    examples = {
        (name, stage): pictures(count, seed=number + 1)
        for number, (name, stage) in enumerate((name, stage) for name in ("CNN", "mine") for stage in stages)
    }
    figure = figure_examples(references, examples)
    shown = [axes.images[0].get_array() for axes in figure.axes]
    assert len(shown) == len(stages) * 3 * count
    for metamers in examples.values():
        for picture in metamers:
            assert sum(np.array_equal(one, picture.permute(1, 2, 0)) for one in shown) == 1
    places = {tuple(np.round(axes.get_position().bounds, 6)) for axes in figure.axes}
    assert len(places) == len(shown)
    assert all(left >= 0 and left + width <= 1.0001 and up >= -1e-4 for left, up, width, _ in places)


@pytest.mark.parametrize("examples", [{}, {("CNN", "late"): pictures(2)}])
def test_figure_2_says_what_is_missing(examples):
    with pytest.raises(ValueError, match="all 3 references"):
        figure_examples(pictures(3), examples)


def test_the_sheet_of_stimuli_names_every_picture():
    figure = figure_stimuli(pictures(10), [f"kind {number}" for number in range(10)])
    assert [text for text in words(figure) if text] == [f"kind {number}" for number in range(10)]
    assert len(figure.axes) == 10


@pytest.mark.parametrize(
    "models", [("vgg19",), ("alexnet", "resnet18"), ("alexnet", "vgg19", "resnet50", "resnet18", "mine")]
)
@pytest.mark.parametrize("alone", [False, True])
def test_figure_1_can_be_drawn_of_any_run(models, alone):
    figure = figure_process(overview(models, stage=0.35, alone=alone))
    written = words(figure)
    assert ("1 of 2 trained evaluators agree" in written) is not alone
    assert any("0.10" in text for text in written)
    assert "0.25" in written
    assert (pixels(figure) < 255).any()


def test_figure_1_says_how_different_the_distributions_are():
    near, far = overview(), overview()
    far.distances.cross.add_(100)
    bits = [next(text for text in words(figure_process(one)) if "divergence" in text) for one in (near, far)]
    assert bits[1] == "divergence 1.00 bit in VGG-19"
    assert bits[0] != bits[1]


def test_the_optimisation_is_drawn_as_it_went():
    history = pd.DataFrame(
        {
            "update": [0, 0, 1, 3, 5, 7],
            "model": ["alexnet", "resnet18"] * 3,
            "residual": [1.0, 1.1, 0.6, 0.5, 0.2, 0.1],
        }
    )
    figure = figure_optimisation(history, trajectory(), pictures(1)[0])
    curves = [line for line in figure.axes[0].lines if line.get_linestyle() == "-"]
    assert [line.get_ydata().tolist() for line in curves] == [[0.6, 0.2], [0.5, 0.1]]
    assert {"AlexNet  0.200", "ResNet-18  0.100", "start", "reference"} <= set(words(figure))
    assert len(figure.axes) == 1 + 4 + 1


def test_alterations_are_shown_with_their_values():
    figure = figure_distortions(distortions(torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))))
    written = words(figure)
    assert {"copy", "moved", "blurred", "noisy", "inverted", "grey"} <= set(written)
    assert written.count("∞") == 1  # PSNR of the copy
    assert len(figure.axes) == 6
