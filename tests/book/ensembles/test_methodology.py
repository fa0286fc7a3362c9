"""Chapter 03: images on their way to being metamers."""

import pandas as pd
import pytest
import torch

from figure_worlds import pictures, words
from figure_worlds import trajectory as made_up
from metamerbook.ensembles.figures.methodology import figure_optimisation
from metamerbook.ensembles.methodology import facts, featured_image, tasks, trajectory
from metamerlib import GenerationConfig
from table_toys import toy_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    config = GenerationConfig(repetitions=9, steps_per_model=2)
    return toy_study(tmp_path_factory.mktemp("store"), config=config)


def test_trajectory_ends_in_the_metamer_and_starts_at_the_noise(study):
    path = trajectory(study, "pair", "late", images=[3, 1], n=4)
    assert path.repetitions == (0, 1, 3, 9)
    assert path.updates == (0, 4, 12, 36)
    assert path.images.shape == (4, 2, 3, 12, 12)
    metamers = study.metamers("pair", "late")
    assert torch.allclose(path.images[-1], metamers.images[[3, 1]], atol=1e-5)
    assert torch.allclose(path.residuals[-1], metamers.residuals[[3, 1]], atol=1e-5)
    assert torch.allclose(path.residuals[0], metamers.initial_residuals[[3, 1]], atol=1e-5)
    assert (path.images[0] - 0.5).abs().max() < 0.11


@pytest.mark.parametrize(("n", "expected"), [(2, 2), (3, 3), (20, 10)])
def test_trajectory_has_as_many_snapshots_as_there_can_be(study, n, expected):
    assert len(trajectory(study, "one", "late", n=n).repetitions) <= expected


def test_tasks_are_all_that_the_chapter_needs(study, monkeypatch):
    study.execute(tasks(study))
    monkeypatch.setattr("metamerbook.study.tasks.generate_metamers", None)
    image = featured_image(study)
    path, metamers = trajectory(study, "pair", "late", images=[image]), study.metamers("pair", "late")
    found = facts(metamers, image)
    assert torch.equal(path.images[-1, 0], metamers.images[image])
    assert (found["per-model"], found["updates"], found["n"], found["skipped"]) == (18, 36, 6, 0)
    history = metamers[image].history
    assert found["residual-highest"] == history.groupby("model")["residual"].last().max()
    ways = []
    for _, rows in history.groupby("model"):
        early = rows[rows["update"] <= history["update"].max() / 10]["residual"]
        first, last = rows["residual"].iloc[0], rows["residual"].iloc[-1]
        ways.append((first - early.iloc[-1]) / (first - last))
    assert found["covered"] == pytest.approx(sum(ways) / 2)


def test_the_optimisation_is_drawn_as_it_went():
    history = pd.DataFrame(
        {
            "update": [0, 0, 1, 3, 5, 7],
            "model": ["alexnet", "resnet18"] * 3,
            "residual": [1.0, 1.1, 0.6, 0.5, 0.2, 0.1],
        }
    )
    figure = figure_optimisation(history, made_up(), pictures(1)[0])
    curves = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 2 and line.get_linestyle() == "-"]
    assert [line.get_ydata().tolist() for line in curves] == [[0.6, 0.2], [0.5, 0.1]]
    assert {"AlexNet  0.200", "ResNet-18  0.100", "start", "reference"} <= set(words(figure))
    assert len(figure.axes) == 1 + 4 + 1
