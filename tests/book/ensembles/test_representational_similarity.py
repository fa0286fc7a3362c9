"""Chapter 07: its tables on toy networks, and that its figures draw what the tables hold."""

import numpy as np
import pandas as pd
import pytest
from chapter_worlds import EVALUATORS, densities, divergences, drawn, holds, success

from figure_worlds import pixels, words
from metamerbook.ensembles import representational_similarity as chapter
from metamerbook.ensembles.figures.representational_similarity import (
    figure_densities,
    figure_divergence,
    figure_success,
    table_representation,
    table_success,
)
from metamerbook.ensembles.representational_similarity import (
    common_evaluator,
    distance_correlations,
    distance_densities,
    divergence,
    divergence_agreement,
    facts,
    mean_representation,
    metamer_success,
    success_counts,
)
from metamerlib import evaluation
from metamerlib.evaluation import representation as distances
from table_toys import images, toy_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return toy_study(tmp_path_factory.mktemp("store"), references=images(side=48))


@pytest.fixture
def exact(tmp_path):
    """A study whose metamers are the references."""
    toys = toy_study(tmp_path)
    config = toys.settings.config.replace(initializer="reference", epsilon=1e-9)
    return toy_study(tmp_path, config=config)


def test_tasks_are_all_that_the_tables_need(study, monkeypatch):
    first = divergence(study), metamer_success(study)
    again = toy_study(study.store, references=images(side=48))
    again.execute(chapter.tasks(again))
    monkeypatch.setattr(chapter, "pair_distances", None)
    monkeypatch.setattr(chapter, "measure", None)
    for before, after in zip(first, (divergence(again), metamer_success(again)), strict=True):
        pd.testing.assert_frame_equal(before, after)


def test_divergence_is_that_of_the_metamers(study):
    table = divergence(study).set_index(["model_set", "stage", "evaluator"])
    assert len(table) == 2 * 2 * 5
    cells = evaluation.pair_distances(
        study.metamers("one", "early").images, study.references, [study.networks.models["d"]], stage="early"
    )
    direct = evaluation.representational_divergence(cells, max_pairs=50).set_index(["first", "second"])["divergence"]
    row = table.loc[("one", "early", "d")]
    for column, kinds in chapter.COMPARISONS.items():
        assert row[column] == direct[kinds]
    assert row["layer"] == "0"


def test_members_of_a_set_took_part(study):
    parts = divergence(study).groupby(["model_set", "evaluator"])["took_part"].all().unstack("evaluator")
    assert parts.loc["pair"].tolist() == [True, True, False, False, False]
    assert parts.loc["one"].tolist() == [False, False, True, False, False]


def test_references_are_looked_at_once_per_evaluator_and_stage(tmp_path, monkeypatch):
    calls, look = [], distances.flat_activations

    def counting(batch, model, stage, batch_size):
        calls.append((model.name, stage))
        return look(batch, model, stage, batch_size)

    monkeypatch.setattr(distances, "flat_activations", counting)
    toys = toy_study(tmp_path)
    divergence(toys), distance_correlations(toys)
    assert len(calls) == 5 * 2 * (1 + 2)  # evaluators, stages, references and two sets


def test_an_evaluator_without_the_stage_is_left_out(tmp_path):
    zoo = toy_study(tmp_path).zoo
    del zoo["e"].module[1][1]
    table = divergence(toy_study(tmp_path, zoo=zoo, stages=("1.1",)))
    assert table["evaluator"].unique().tolist() == list("abcd")


def test_perfect_metamers_lie_where_their_references_lie(exact):
    table = divergence(exact)
    assert (table["divergence"] < 0.01).all()
    assert (table["metamer_metamer"] < 1e-9).all()
    correlations = distance_correlations(exact)
    assert np.allclose(correlations["pearson"], 1)
    assert (correlations["pearson_p"] <= correlations["pearson_p"].min()).all()


def test_densities_are_densities(study):
    table = distance_densities(study, "late", "c", points=400)
    for (name, kind), rows in table.groupby(["model_set", "kind"]):
        assert np.trapezoid(rows["density"], rows["distance"]) == pytest.approx(1, abs=0.02), (name, kind)
    assert set(table["kind"]) == set(evaluation.KINDS)
    assert set(table["model_set"]) == set(study.running_sets)


def test_perfect_metamers_pass_and_are_counted(exact):
    table = metamer_success(exact)
    assert table["metamer"].all()
    assert len(table) == 2 * (2 + 1) * 6
    assert table["category"].tolist()[:3] == ["airplane", "car", "airplane"]
    counts = success_counts(table)
    assert counts.query("model_set == 'pair'")["model"].tolist() == ["all", "a", "b"] * 2
    assert counts.query("model_set == 'one'")["model"].tolist() == ["all"] * 2
    assert (counts["metamer"] == 6).all()
    assert (counts["share"] == 1).all()


def test_verdicts_are_those_of_the_measure(study):
    table = metamer_success(study)
    direct = evaluation.metamer_success(
        study.metamers("one", "late").images, study.references, [study.networks.models["c"]], stage="late"
    )
    rows = table.query("model_set == 'one' and stage == 'late'")
    for column in ("spearman", "pearson", "snr_db", "metamer"):
        assert rows[column].tolist() == direct[column].tolist()


def test_an_image_is_a_metamer_of_a_set_if_it_is_one_for_every_member():
    table = pd.DataFrame(
        {"model_set": "s", "stage": "late", "model": ["a", "a", "b", "b"], "image": [0, 1, 0, 1]}
        | {"beyond_null": [True, True, False, True], "same_class": True, "metamer": [True, True, False, True]}
        | {"n_members": 2, "n_wanted": 3}
    )
    counts = success_counts(table).set_index("model")
    assert counts["metamer"].to_dict() == {"all": 1, "a": 2, "b": 1}
    assert counts.loc["all", "share"] == 0.5
    assert counts.loc["all", "low"] < 0.5 < counts.loc["all", "high"]
    assert counts["same_class"].tolist() == [2, 2, 2]


def cells(rows, **columns):
    """Rows of (set, evaluator, took part, divergence) at the late stage."""
    table = pd.DataFrame(rows, columns=["model_set", "evaluator", "took_part", "divergence"])
    further = {"stage": "late", "random": False, "metamer_metamer": 0.9, "cross_metamer": 0.5, "matching": 0.5}
    return table.assign(**(further | columns))


def test_who_took_part_does_not_enter_means_of_representations():
    divergences = cells([("CNN", "alexnet", True, 0.9), ("CNN", "vgg19", False, 0.2), ("CNN", "resnet50", False, 0.4)])
    correlations = divergences[["model_set", "stage", "evaluator"]].assign(
        pearson=[1.0, 0.2, 0.6], pearson_p=[0.001, 0.2, 0.01], spearman=0.5
    )
    (row,) = mean_representation(divergences, correlations).to_dict("records")
    assert (row["n_evaluators"], row["significant"], row["tested"]) == (2, 1, 2)
    assert (row["divergence"], row["pearson"]) == (pytest.approx(0.3), pytest.approx(0.4))
    assert (row["pearson_low"], row["pearson_high"]) == (0.2, 0.6)


def test_the_common_evaluator_was_trained_and_took_part_in_nothing():
    table = cells([("a", "vgg19", True, 0), ("a", "alexnet_random", False, 0), ("a", "resnet50", False, 0)])
    table["random"] = table["evaluator"].str.endswith("random")
    assert common_evaluator(table, "late") == "resnet50"
    assert common_evaluator(table[table["evaluator"] == "vgg19"], "late") == "vgg19"


def test_divergence_is_compared_with_recognizability_cell_by_cell():
    divergences = cells([("a", "v", False, 0.1), ("a", "w", False, 0.5), ("a", "x", False, 0.9), ("a", "y", True, 0.0)])
    looked = divergences.assign(recognizability=1 - divergences["divergence"] ** 2, held_out=~divergences["took_part"])
    looked.loc[looked["took_part"], "recognizability"] = 0
    correlation, count = divergence_agreement(
        divergences, looked[["model_set", "stage", "evaluator", "held_out", "recognizability"]]
    )
    assert (correlation, count) == (pytest.approx(-1), 3)


def test_facts_count_pairs_and_images():
    means = pd.DataFrame(
        {"model_set": ["a", "b"], "stage": "late", "divergence": [0.5, 0.1], "metamer_metamer": [0.4, 0.8]}
        | {"significant": [3, 0], "tested": [4, 4]}
    )
    columns = ["model_set", "stage", "model", "n", "beyond_null", "same_class", "metamer"]
    rows = [("a", "late", "all", 10, 4, 8, 4), ("a", "late", "v", 10, 5, 9, 5), ("a", "late", "w", 10, 7, 9, 7)]
    found = facts(means, pd.DataFrame(rows, columns=columns))
    assert (found["apart"], found["pairs"], found["significant"], found["tested"]) == (1, 2, 3, 8)
    assert (found["metamers"], found["close"], found["same-class"], found["images"]) == (4, 4, 8, 10)
    assert (found["alone"], found["together"]) == ("60%", "40%")


def test_figure_5_shows_every_cell_and_outlines_those_that_took_part():
    table = divergences()
    axes = figure_divergence(table).axes[0]
    values = np.asarray(axes.collections[0].get_array(), dtype=float)
    assert np.allclose(np.sort(values[: len(EVALUATORS)].ravel()), np.sort(table["divergence"]))
    means = table[~table["took_part"]].groupby(["model_set", "stage"])["divergence"].mean()
    assert np.allclose(np.sort(values[-1]), np.sort(means))
    assert len(axes.patches) == 3


@pytest.mark.parametrize("stages", [("late",), (0.35, "late"), ("layer1", "layer2")])
def test_figure_5_takes_any_stages(stages):
    assert pixels(figure_divergence(divergences(stages=stages))).std() > 0


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


def test_tables_print_what_they_are_given():
    assert "0.60 … 1.00" in table_success(success()).to_html()
    row = {"model_set": "CNN", "stage": "late", "n_evaluators": 0, "tested": 0, "significant": 0}
    names = ("divergence", "metamer_metamer", "matching", "pearson", "spearman", "pearson_low", "pearson_high")
    assert "–" in table_representation(pd.DataFrame([row | dict.fromkeys(names, np.nan)])).to_html()
