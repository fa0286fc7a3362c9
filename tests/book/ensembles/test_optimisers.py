"""Chapter 12: its tables on toy networks, and that its figures draw what the tables hold."""

import numpy as np
import pandas as pd
import pytest
import torch
from chapter_worlds import LOOKING, ablation, history, rows

from figure_worlds import words
from metamerbook.ensembles.figures.optimisers import figure_conditions, figure_convergence, table_conditions
from metamerbook.ensembles.optimisers import (
    ablation_study,
    convergence,
    mode_runs,
    modes,
    optimizer_runs,
    optimizer_settings,
    optimizers,
    rounds_needed,
    tasks,
)
from metamerbook.study.judging import contrasts
from metamerlib.generation import GenerationConfig
from table_toys import images, toy_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return toy_study(tmp_path_factory.mktemp("store"), references=images(side=48))


def test_tasks_are_all_that_the_tables_need(study, monkeypatch):
    ablation_study(study).execute(tasks(study))
    monkeypatch.setattr("metamerbook.study.tasks.MetamerRun.compute", None)
    monkeypatch.setattr("metamerbook.study.judging.Predictions.compute", None)
    assert len(optimizers(study)) + len(modes(study)) == (3 * 2 + 2) * 5


def test_optimizers_take_steps_of_one_length():
    """A gradient that always points one way moves an image equally far with each of them, once they are under way."""
    ways = optimizer_settings(GenerationConfig(learning_rate=0.5, schedule="constant"), 300)
    gradient = torch.full((300,), 300**-0.5)
    lengths = {}
    for name, changes in ways.items():
        image = torch.nn.Parameter(torch.zeros(300))
        options = {"lr": changes["learning_rate"], **changes["optimizer_options"]}
        optimizer = getattr(torch.optim, changes["optimizer"])([image], **options)
        for _ in range(200):
            before, image.grad = image.detach().clone(), gradient.clone()
            optimizer.step()
        lengths[name] = (image.detach() - before).norm().item()
    assert lengths == {name: pytest.approx(0.5, rel=1e-3) for name in ("SGD", "SGD, momentum", "Adam")}


def test_every_optimizer_starts_from_every_initial_stimulus(study):
    table = optimizers(study)
    assert len(table) == 3 * 2 * 5
    residual = table.groupby("initializer")["residual"].mean()
    assert residual["mix"] < residual["l1_ball"]
    curves = convergence(study, optimizer_runs(study))
    starts = curves[curves["repetition"] == 0].groupby("initializer")["residual"].agg(["min", "max"])
    assert starts.loc["mix", "max"] < starts.loc["l1_ball", "min"]
    assert {"optimizer", "initializer", "model_set", "stage"} < set(curves)


def test_modes_differ_in_the_mode_alone(study):
    (_, turns), (_, joint) = mode_runs(study)
    assert turns.config.replace(mode="joint") == joint.config
    assert modes(study).groupby("mode").size().to_dict() == {"joint": 5, "round_robin": 5}
    assert turns.key in {run.key for _, run in optimizer_runs(study)}


def test_rounds_are_counted_to_where_the_first_way_ends():
    curves = {"slow": [4.0, 3.0, 2.0, 1.0], "fast": [4.0, 1.0, 0.5, 0.5], "never": [4.0] * 4, "below": [0.5] * 4}
    table = pd.DataFrame(
        {"mode": name, "repetition": repetition, "residual": residual}
        for name, curve in curves.items()
        for repetition, residual in enumerate(curve)
    )
    assert rounds_needed(table, ["mode"])["rounds"].fillna(-1).tolist() == [3, 1, -1, -1]


def test_convergence_has_a_panel_per_start_and_a_thick_line_per_way():
    table = history("optimizer", ["SGD", "Adam"], starts=("l1_ball", "mix"))
    figure = figure_convergence(table, "optimizer", "initializer")
    first, second = figure.axes
    for axes in (first, second):
        thick = [line for line in axes.lines if line.get_linewidth() == 2]
        assert len(thick) == 2
        assert np.allclose(thick[0].get_ydata(), [1.25 / (1 + repetition) for repetition in range(9)])
    assert {"from grey", "from half the reference"} <= set(words(figure))
    assert len(figure_convergence(history("mode", ["joint"]), "mode").axes) == 1


def test_conditions_show_all_evaluators_of_all_conditions_and_their_mean():
    table = ablation("optimizer", ["SGD", "Adam"])
    frame = contrasts(table, ["optimizer"], ("SGD",))
    figure = figure_conditions(table, frame, ["optimizer"])
    dots, means = figure.axes[0].collections
    assert len(dots.get_offsets()) == 2 * (len(LOOKING) - 1)
    assert np.allclose(means.get_offsets()[:, 0], frame["mean"])
    assert {"plain gradient descent", "Adam"} <= set(words(figure))
    table = rows(table_conditions(table, frame.assign(rounds=pd.array([8, None], "Int64")), ["optimizer"], "tab-x"))
    assert table[1][1:] == ["0.500", "8", f"{frame['mean'][0]:.3f}", "compared with", "7"]
    assert table[2][2] == "–"
    assert table[2][4] == "+0.100 [+0.10, +0.10]"
