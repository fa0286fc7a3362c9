"""Chapter 14: its table on toy networks, and that its figures draw what the table holds."""

import numpy as np
import pytest
from chapter_worlds import transfer as transfer_table

from figure_worlds import pixels, words
from metamerbook.ensembles.figures.transfer import figure_instances, figure_transfer
from metamerbook.ensembles.optimisers import ablation_study
from metamerbook.ensembles.transfer import (
    facts,
    related_generators,
    relation,
    tasks,
    transfer,
    transfer_generators,
    transfer_runs,
)
from metamerlib import ModelZoo
from metamerlib.generation import UnusableModelError
from metamerlib.models import MissingWeightsError
from table_toys import images, toy, toy_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return toy_study(tmp_path_factory.mktemp("store"), references=images(side=48))


@pytest.fixture(scope="module")
def mini(tmp_path_factory):
    """The bundled zoo, of which no more than two untrained networks are loaded."""
    untrained = ("alexnet_random", "resnet50_random")
    return toy_study(
        tmp_path_factory.mktemp("store"),
        zoo=ModelZoo("mini"),
        model_sets={"x": untrained[:1]},
        evaluators=untrained,
        tables={"transfer_generators": untrained, "ablation_n_per_class": 1},
    )


def test_transfer_is_a_matrix_of_generators_and_evaluators(study):
    assert transfer_generators(study) == (["a", "c"], [])
    table = transfer(study)
    assert table.groupby("generator", sort=False)["evaluator"].agg("".join).to_dict() == {"a": "abcde", "c": "abcde"}
    assert (table["relation"] == "itself").equals(~table["held_out"])
    others = table[table["held_out"]]["recognizability"]
    assert facts(table)["away"] == f"{others.mean():.0%}"


def test_tasks_are_all_that_the_table_needs(study, monkeypatch):
    ablation_study(study).execute(tasks(study))
    monkeypatch.setattr("metamerbook.study.tasks.MetamerRun.compute", None)
    monkeypatch.setattr("metamerbook.study.judging.Predictions.compute", None)
    assert len(transfer(study)) == 2 * 5


def test_relations_are_those_of_the_zoo(mini):
    there, missing = transfer_generators(mini)
    assert {*there, *missing} == {"alexnet_random", "resnet50_random", "resnet18", "resnet18_seed1", "resnet18_seed2"}
    pairs = {
        ("resnet18", "resnet18"): "itself",
        ("resnet18", "resnet18_seed2"): "other training",
        ("resnet18_seed1", "resnet18_robust"): "other training",
        ("resnet50", "meal_v1_resnet50"): "other training",
        ("vit_base", "vit_base_robust"): "other architecture",
        ("resnet18", "resnet50"): "other architecture",
    }
    assert {pair: relation(mini, *pair) for pair in pairs} == pairs


def test_generators_that_do_not_exist_are_refused(study):
    wrong = toy_study(study.store, tables={"transfer_generators": ("alexnett",)})
    with pytest.raises(ValueError, match=r"names the network 'alexnett'.*Did you mean 'alexnet'"):
        transfer(wrong)
    none = toy_study(study.store, tables={"transfer_generators": ("alexnet",)})
    assert transfer_generators(none) == ([], ["alexnet"])
    with pytest.raises(MissingWeightsError, match="metamerlib train alexnet"):
        transfer_runs(none)


def test_a_network_that_cannot_be_inverted_keeps_its_rows_with_the_reason(tmp_path):
    zoo = toy_study(tmp_path).zoo | {"c": toy("c", 9, silent=True)}
    toys = toy_study(tmp_path, zoo=zoo)
    table = transfer(toys).set_index("generator")
    assert table.loc["c", "recognizability"].isna().all()
    assert table.loc["c", "reason"].str.contains("no gradient reaches the pixels").all()
    assert table.loc["a", "recognizability"].notna().all()
    with pytest.raises(UnusableModelError):
        ablation_study(toys).execute([run for _, run in transfer_runs(toys)])


def test_facts_are_means_by_relation():
    found = facts(transfer_table())
    assert (found["own"], found["away"]) == ("100%", "25%")
    assert (found["related-own"], found["related-training"], found["related-away"]) == ("100%", "50%", "25%")
    assert facts(transfer_table(("vit_base",)))["related-own"] == "–"


def test_transfer_frames_the_network_itself_and_other_trainings():
    figure = figure_transfer(transfer_table())
    axes = figure.axes[0]
    solid = [patch for patch in axes.patches if patch.get_linestyle() in ("-", "solid")]
    assert len(solid) == 3
    assert len(axes.patches) == 3 + 4  # ResNet-18 and its two other trainings see two generators
    assert np.asarray(axes.collections[0].get_array())[-1].tolist() == [0.25] * 3
    assert "ResNet-18, training 2" in words(figure)


def test_only_networks_with_another_training_are_compared():
    table = transfer_table()
    assert related_generators(table) == ["resnet18", "resnet18_seed1"]
    axes = figure_instances(table, related_generators(table)).axes[0]
    _means, _away, near, own = axes.collections
    assert own.get_offsets()[:, 0].tolist() == [1.0, 1.0]
    assert near.get_offsets()[:, 0].tolist() == [0.5] * 4
    assert (pixels(figure_instances(table, [])) < 255).any()
