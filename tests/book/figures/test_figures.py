"""What is drawn is what the tables say, for any sets, stages and evaluators."""

import pandas as pd
import pytest
import torch

from figure_worlds import overview, pictures, pixels, trajectory, words
from metamerbook.ensembles.figures.introduction import figure_process
from metamerbook.ensembles.figures.methodology import figure_optimisation
from metamerbook.ensembles.figures.related_work import figure_distortions
from metamerbook.ensembles.related_work import distortions

OWN_SETS = {"mine": ("vgg19",), "CNN": ("alexnet", "resnet18"), "a": ("vgg19",), "b": ("vgg19",), "c": ("vgg19",)}


def lines(figure, marker):
    return [line for axes in figure.axes for line in axes.lines if line.get_marker() == marker]


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
