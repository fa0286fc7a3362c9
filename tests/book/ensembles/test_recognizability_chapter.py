"""Chapter 05: its tables on toy networks, and that its figures draw what the tables hold."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch

from figure_worlds import cells, pictures, pixels, recognizability_table, words
from metamerbook.ensembles.figures.recognizability import (
    figure_evaluators,
    figure_examples,
    figure_recognizability,
    figure_stimuli,
    table_criteria,
    table_longer_search,
    table_means,
    table_residuals,
)
from metamerbook.ensembles.recognizability import (
    criteria_table,
    examples,
    facts,
    longer_search,
    mean_recognizability,
    overall_recognizability,
    recognizability,
    residuals,
    tasks,
    write_pictures,
)
from metamerbook.study.published import published_means
from metamerlib.models import MODEL_SETS
from table_toys import toy_study

OWN_SETS = {"mine": ("vgg19",), "CNN": ("alexnet", "resnet18"), "a": ("vgg19",), "b": ("vgg19",), "c": ("vgg19",)}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return toy_study(tmp_path_factory.mktemp("store"))


def test_tasks_are_all_that_the_tables_need(tmp_path, monkeypatch):
    toys = toy_study(tmp_path)
    toys.execute(tasks(toys))
    monkeypatch.setattr("metamerbook.engine.task.Task.compute", None, raising=False)
    monkeypatch.setattr("metamerbook.study.tasks.MetamerRun.compute", None)
    monkeypatch.setattr("metamerbook.study.judging.Predictions.compute", None)
    assert len(recognizability(toys)) == 4 * 5
    assert len(residuals(toys)) == 6
    assert len(criteria_table(toys)) == 4


def _table(**columns):
    base = {"random": False, "held_out": True, "n_members": 2, "n_wanted": 3}
    return pd.DataFrame(base | columns)


def test_mean_recognizability_leaves_out_the_generating_and_on_request_the_untrained():
    table = _table(
        model_set="s",
        stage=["early"] * 4,
        evaluator=list("abcd"),
        recognizability=[1.0, 0.5, 0.3, 0.1],
        held_out=[False, True, True, True],
        random=[False, False, False, True],
    )
    means = mean_recognizability(table).set_index("evaluators")
    assert means.loc["all", "mean"] == pytest.approx(0.3)
    assert means.loc["all", "sd"] == pytest.approx(0.2)
    assert means.loc["all", "n_evaluators"] == 3
    assert means.loc["trained", "mean"] == pytest.approx(0.4)
    assert means.loc["trained", "n_evaluators"] == 2
    assert (means["n_members"] == 2).all()
    assert (means["n_wanted"] == 3).all()


def test_mean_recognizability_keeps_a_set_without_evaluators():
    means = mean_recognizability(
        _table(model_set="s", stage="late", evaluator=["a"], recognizability=[1.0], held_out=False)
    )
    assert means["n_evaluators"].tolist() == [0, 0]
    assert means["mean"].isna().all()


def test_overall_recognizability_is_over_pairs_of_set_and_evaluator():
    table = _table(
        model_set=["s", "s", "t", "t"], stage="late", evaluator=list("abab"), recognizability=[0.0, 0.2, 0.4, 0.6]
    )
    overall = overall_recognizability(table).iloc[0]
    assert (overall["mean"], overall["n_pairs"], overall["n_sets"], overall["n_evaluators"]) == (
        pytest.approx(0.3), 4, 2, 2,
    )  # fmt: skip


def test_residuals_are_those_of_the_metamers(study):
    table = residuals(study)
    assert list(table[["model_set", "model"]].drop_duplicates().itertuples(index=False, name=None)) == [
        ("pair", "a"),
        ("pair", "b"),
        ("one", "c"),
    ]
    row = table[(table["model"] == "b") & (table["stage"] == "late")].iloc[0]
    own = study.metamers("pair", "late").residuals[:, 1]
    assert row["residual_mean"] == pytest.approx(own.mean().item())
    assert row["residual_max"] == own.max().item()
    assert row["layer"] == study.zoo["b"].layer("late")
    before = study.metamers("pair", "late").initial_residuals[:, 1]
    assert row["initial_residual_mean"] == pytest.approx(before.mean().item())


def test_criteria_are_columns_of_one_table(study):
    table, own = criteria_table(study), recognizability(study)
    means = mean_recognizability(own).query("evaluators == 'all'").reset_index(drop=True)
    pd.testing.assert_series_equal(table["reference"], means["mean"], check_names=False)
    labels = own[own["held_out"]].groupby(["model_set", "stage"], sort=False)["label_recognizability"].mean()
    assert table["label"].tolist() == pytest.approx(labels.tolist())


def test_longer_search_is_for_the_worst_set_of_the_first_stage(study):
    table = residuals(study)
    table["residual_mean"] = 0.2
    table.loc[(table["model_set"] == "one") & (table["stage"] == "early"), "residual_mean"] = 0.3
    table.loc[table["stage"] == "late", "residual_mean"] = 0.9
    longer = longer_search(study, table, factor=5, n_per_class=2)
    assert longer[["model_set", "stage", "n"]].drop_duplicates().to_numpy().tolist() == [["one", "early", 4]]
    assert longer["updates"].tolist() == [3, 15]
    assert longer["residual"].between(0, 1).all()
    assert cells(table_longer_search(longer))[1][:4] == ["one", "early", "4", "3"]


def test_longer_search_leaves_good_matches_and_long_budgets_alone(tmp_path, study):
    table = residuals(study)
    assert longer_search(study, table.assign(residual_mean=0.05)).empty
    assert cells(table_longer_search(longer_search(study, table.assign(residual_mean=0.05))))[1:] == []
    long = toy_study(tmp_path)
    config = long.settings.config.replace(repetitions=2000)
    long.settings = dataclasses.replace(long.settings, config=config)
    assert longer_search(long, table.assign(residual_mean=0.5)).empty


def test_facts_are_those_of_the_tables(study):
    matches, table, criteria = residuals(study), recognizability(study), criteria_table(study)
    means, overall = mean_recognizability(table), overall_recognizability(table)
    found = facts(matches, means, overall, criteria, "late")
    late = means.query("stage == 'late' and evaluators == 'all'").set_index("model_set")["mean"]
    assert (found["highest"], found["lowest"]) == (late.max(), late.min())
    assert late[found["highest-set"]] == late.max()
    assert (found["networks"], found["matched"]) == (6, (matches["residual_mean"] < 0.1).sum())
    assert found["residual-worst"] == matches["residual_mean"].max()
    assert found["untrained"] == 0
    ours = overall.query("evaluators == 'all'").set_index("stage")["mean"]
    assert found["from-published"] == max(abs(ours["early"] - 0.477), abs(ours["late"] - 0.419))
    assert found["criterion-max"] >= found["criterion-mean"] >= 0
    assert {type(value) for value in found.values()} <= {int, float, str}
    alone = facts(matches, means.assign(mean=np.nan), overall, criteria, "late")
    assert alone["highest-set"] == "–"


def test_examples_are_the_chosen_metamers_of_all_sets_and_stages(study):
    shown = examples(study, [0, 2])
    assert list(shown) == [("pair", "early"), ("pair", "late"), ("one", "early"), ("one", "late")]
    assert torch.equal(shown["pair", "late"], study.metamers("pair", "late").images[[0, 2]])


def test_pictures_are_written_one_per_metamer(study, tmp_path):
    assert write_pictures(study, tmp_path / "png") == 24
    assert (tmp_path / "png" / "pair-late" / "0001-car.png").is_file()


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


def test_recognizability_without_evaluators_is_an_empty_panel_not_an_error():
    table = recognizability_table({"CNN": ("alexnet",)}, evaluators=("alexnet",))
    assert "0 evaluators" in words(figure_recognizability(table))
    assert pixels(figure_evaluators(table)).size


def test_the_map_of_evaluators_writes_every_share_and_the_mean_of_those_held_out():
    table = recognizability_table({"CNN": ("alexnet",)}, ("late",), ("alexnet", "vgg19", "resnet18"))
    table["recognizability"] = [1.0, 0.25, 0.75]
    figure = figure_evaluators(table)
    assert {"1", ".25", ".75", ".50"} <= set(words(figure))
    (axes,) = figure.axes
    assert axes.collections[0].get_array().compressed().tolist() == [1.0, 0.25, 0.75, 0.5]
    assert len(axes.patches) == 1


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


def test_means_stand_beside_the_published_ones():
    overall = overall_recognizability(recognizability_table(stages=("early", "late", 0.6)))
    rows = cells(table_means(overall, published_means()))
    assert rows[0] == ["stage", "paper", "here", "here, trained only", "sets", "evaluators"]
    assert [row[:2] for row in rows[1:]] == [["early", "0.477 ± 0.253"], ["60 %", "–"], ["late", "0.419 ± 0.237"]]
    ours = overall[(overall["stage"] == "late") & (overall["evaluators"] == "all")].iloc[0]
    assert rows[3][2] == f"{ours['mean']:.3f} ± {ours['sd']:.3f}"


def test_residuals_are_listed_by_set_model_and_stage():
    residuals = pd.DataFrame(
        {
            "model_set": ["mine", "CNN", "CNN"],
            "stage": ["late"] * 3,
            "model": ["own", "alexnet", "resnet18"],
            "initial_residual_mean": [1.0, 0.9, 0.8],
            "residual_mean": [0.1, 0.2, 0.3],
        }
    )
    assert cells(table_residuals(residuals)) == [
        ["set", "model", "late"],
        ["CNN", "AlexNet", "0.90 → 0.200"],
        ["CNN", "ResNet-18", "0.80 → 0.300"],
        ["mine", "own", "1.00 → 0.100"],
    ]


def test_criteria_keep_each_row_with_its_set():
    table = pd.DataFrame(
        {
            "model_set": ["mine", "mine", "CNN", "CNN"],
            "stage": ["early", "late"] * 2,
            "reference": [0.1, 0.2, 0.3, 0.4],
            "label": [0.5, 0.6, 0.7, np.nan],
            "generator": [0.9, 0.8, 0.7, 0.6],
        }
    )
    assert cells(table_criteria(table))[1:] == [
        ["CNN", "early", "0.300", "0.700", "0.700"],
        ["CNN", "late", "0.400", "–", "0.600"],
        ["mine", "early", "0.100", "0.500", "0.900"],
        ["mine", "late", "0.200", "0.600", "0.800"],
    ]
