"""Chapter 13: its table on toy networks, and that its figure draws what the table holds."""

import numpy as np
import pytest
from chapter_worlds import ablation, rows

from metamerbook.ensembles.ensemble_size import ensemble_pool, ensemble_size_runs, ensemble_sizes, tasks
from metamerbook.ensembles.figures.ensemble_size import figure_ensemble_sizes
from metamerbook.ensembles.figures.optimisers import table_conditions
from metamerbook.ensembles.optimisers import ablation_study
from metamerbook.study.judging import contrasts
from table_toys import images, toy_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return toy_study(tmp_path_factory.mktemp("store"), references=images(side=48))


def test_tasks_are_all_that_the_table_needs(study, monkeypatch):
    ablation_study(study).execute(tasks(study))
    monkeypatch.setattr("metamerbook.study.tasks.MetamerRun.compute", None)
    monkeypatch.setattr("metamerbook.study.judging.Predictions.compute", None)
    assert len(ensemble_sizes(study)) == 7 * 5


def test_every_network_is_in_as_many_ensembles_of_a_size(study):
    assert ensemble_pool(study) == ("a", "b", "c")
    runs = ensemble_size_runs(study)
    assert [labels["size"] for labels, _ in runs] == [1, 1, 1, 2, 2, 2, 3]
    for size in (1, 2, 3):
        members = [model.key for labels, run in runs if labels["size"] == size for model in run.models]
        assert len({members.count(key) for key in "abc"}) == 1
    table = ensemble_sizes(study)
    assert set(table.loc[table["outside"], "evaluator"]) == {"d", "e"}
    assert table.loc[table["outside"], "held_out"].all()
    assert not table.duplicated(["model_set", "evaluator"]).any()


def test_sizes_average_over_ensembles_and_evaluators_outside():
    table = ablation("size", [1, 2, 3])
    (line,) = [line for line in figure_ensemble_sizes(table).axes[0].lines if line.get_marker() == "s"]
    assert line.get_xdata().tolist() == [1, 2, 3]
    assert np.allclose(line.get_ydata(), table[table["outside"]].groupby("size")["recognizability"].mean())


def test_without_evaluators_outside_there_is_an_empty_figure_and_a_table_of_dashes():
    table = ablation("size", [1, 2]).assign(outside=False)
    assert not figure_ensemble_sizes(table).axes[0].lines
    differences = contrasts(table.assign(held_out=table["outside"]), ["size"], (1,))
    assert rows(table_conditions(table, differences, ["size"], "tab-sizes"))[2] == ["2 networks", "–", "–", "0"]
