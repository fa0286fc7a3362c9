"""What evaluators see of runs, its means and paired differences, and what a study features."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from metamerbook.ensembles.recognizability import recognizability, residuals
from metamerbook.study.judging import (
    contrasts,
    evaluate,
    featured_set,
    featured_stage,
    mean_interval,
    mean_over_evaluators,
    one_per_category,
    rank_correlation,
    spread_over_categories,
)
from metamerbook.study.networks import ModelSet
from metamerlib import CATEGORIES, Classifier, StimulusSet, evaluation
from metamerlib.models import ZOO
from table_toys import toy_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return toy_study(tmp_path_factory.mktemp("store"))


def test_evaluate_gives_what_the_chapter_tabulates(study):
    table = evaluate(study, [({"model_set": run.name}, run) for run in study.runs])
    single = recognizability(study)
    shared = [name for name in single.columns if name in table]
    assert len(shared) == len(single.columns)
    pd.testing.assert_frame_equal(table[shared], single[shared])
    residual = residuals(study).query("model_set == 'pair' and stage == 'late'")["residual_mean"].mean()
    assert table.query("model_set == 'pair' and stage == 'late'")["residual"].iloc[0] == pytest.approx(residual)


def test_evaluators_look_once(study, monkeypatch):
    runs = [({}, run) for run in study.runs]
    first = evaluate(study, runs)
    monkeypatch.setattr(Classifier, "predict", None)
    pd.testing.assert_frame_equal(evaluate(study, runs), first)


@pytest.mark.parametrize("criterion", ["reference", "label", "generator"])
def test_every_criterion_counts_as_the_measure_does(tmp_path, criterion):
    toys = toy_study(tmp_path, stages=("late",))
    models = [toys.networks.models[key] for key in "abcde"]
    direct = evaluation.recognizability(
        toys.metamers("pair", "late").images,
        toys.references,
        models,
        criterion=criterion,
        generator=models[:2] if criterion == "generator" else None,
    )
    table = recognizability(toys, criterion=criterion).query("model_set == 'pair'").reset_index(drop=True)
    pd.testing.assert_frame_equal(table[direct.columns], direct)


def test_mean_over_evaluators():
    table = pd.DataFrame(
        {"size": [1, 1, 1, 2], "evaluator": list("abca"), "random": [False, False, True, False]}
        | {"held_out": [True, True, True, False], "recognizability": [0.2, 0.4, 0.9, 1.0]}
    )
    means = mean_over_evaluators(table, ["size"]).set_index(["size", "evaluators"])
    assert means.loc[(1, "all"), ["mean", "n_evaluators"]].tolist() == [pytest.approx(0.5), 3]
    assert means.loc[(1, "trained"), ["mean", "sd"]].tolist() == [pytest.approx(0.3), pytest.approx(0.1 * 2**0.5)]
    assert np.isnan(means.loc[(2, "all"), "mean"])
    everyone = mean_over_evaluators(table, ["size"], held_out_only=False).set_index(["size", "evaluators"])
    assert everyone.loc[(2, "all"), "mean"] == 1


def ablation(effects, count=12, members=("alexnet",)):
    """A table in which a condition adds a known amount to every evaluator's own leniency."""
    keys = list(ZOO)[:count]
    return pd.DataFrame(
        {
            "optimizer": name,
            "evaluator": key,
            "held_out": key not in members,
            "recognizability": 0.3 + place / 40 + effect,
        }
        for name, effect in effects.items()
        for place, key in enumerate(keys)
    )


def test_contrasts_are_paired_by_evaluator():
    table = contrasts(ablation({"SGD": 0.0, "Adam": 0.1, "SGD, momentum": -0.1}), ["optimizer"], ("SGD",))
    assert table["optimizer"].tolist() == ["SGD", "Adam", "SGD, momentum"]
    assert table["n_evaluators"].tolist() == [11, 11, 11]  # AlexNet took part
    assert table["sd"].min() > 0.05  # evaluators differ, yet the difference is the same for all: no width
    for column in ("difference", "low", "high"):
        assert table[column].to_numpy() == pytest.approx([0, 0.1, -0.1])


def test_contrasts_leave_out_who_had_a_part_in_one_condition():
    table = ablation({"SGD": 0.0, "Adam": 0.1}, members=())
    table.loc[(table["optimizer"] == "Adam") & (table["evaluator"] == "vgg19"), "held_out"] = False
    assert contrasts(table, ["optimizer"], ("SGD",))["n_evaluators"].tolist() == [11, 11]


def test_mean_interval_is_the_percentile_bootstrap():
    values = np.random.default_rng(1).normal(size=20)
    draws = values[np.random.default_rng(0).integers(20, size=(2000, 20))].mean(axis=1)
    assert mean_interval(values) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])), abs=1e-12)


def test_mean_interval_covers_the_mean_about_as_often_as_it_says():
    draws = np.random.default_rng(0)
    bounds = [mean_interval(draws.normal(0.05, 0.05, 31), resamples=300, seed=seed) for seed in range(200)]
    assert 0.87 <= np.mean([low <= 0.05 <= high for low, high in bounds]) <= 0.99


def test_contrasts_of_two_evaluators_have_no_interval_and_of_none_no_mean():
    few = contrasts(ablation({"SGD": 0.0, "Adam": 0.1}, count=3), ["optimizer"], ("SGD",))
    assert few.loc[1, "difference"] == pytest.approx(0.1)
    assert few[["low", "high"]].isna().all(axis=None)
    nobody = contrasts(ablation({"SGD": 0.0, "Adam": 0.1}, count=1), ["optimizer"], ("SGD",))
    assert nobody["mean"].isna().all()


def test_contrasts_name_a_baseline_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"baseline is \('RMSprop',\).*SGD"):
        contrasts(ablation({"SGD": 0.0}), ["optimizer"], ("RMSprop",))


@pytest.mark.parametrize(
    ("sets", "featured"),
    [
        ({"one": ("c",), "pair": ("a", "b"), "CNN": ("d", "a")}, "CNN"),
        ({"one": ("c",), "pair": ("a", "b")}, "pair"),
        ({"one": ("c",), "two": ("d",)}, "one"),
    ],
)
def test_featured_set(tmp_path, sets, featured):
    assert featured_set(toy_study(tmp_path, model_sets=sets)) == featured


def test_featured_set_where_none_can_run(tmp_path):
    nothing = toy_study(tmp_path)
    nothing.model_sets = {"gone": ModelSet("gone", ("x",), ())}
    with pytest.raises(ValueError, match="metamerlib train"):
        featured_set(nothing)


@pytest.mark.parametrize(
    ("stages", "deepest"),
    [
        (("late", "early"), "late"),
        (("early", 0.9, "late"), 0.9),
        ((0.5,), 0.5),
        (("2", "3"), "3"),
        (("2", "late"), "late"),
    ],
)
def test_featured_stage(tmp_path, stages, deepest):
    assert featured_stage(toy_study(tmp_path, stages=stages)) == deepest


@pytest.mark.parametrize(("count", "chosen"), [(1, [0]), (2, [0, 4]), (3, [0, 2, 4]), (9, [0, 2, 4])])
def test_spread_over_categories(tmp_path, study, count, chosen):
    images = study.references.images[:5]
    references = StimulusSet(images, images.new_tensor([0, 0, 6, 6, 9]).long(), CATEGORIES, tuple("vwxyz"))
    toys = toy_study(tmp_path, references=references)
    assert one_per_category(toys) == [0, 2, 4]
    assert spread_over_categories(toys, count) == chosen


@pytest.mark.parametrize("seed", range(3))
def test_rank_correlation_is_spearmans(seed):
    first, second = np.random.default_rng(seed).integers(0, 5, (2, 12))
    assert rank_correlation(first, second) == pytest.approx(spearmanr(first, second).statistic)


def test_rank_correlation_of_too_little_is_not_a_number():
    assert np.isnan(rank_correlation([1, 2], [1, 2]))
    assert np.isnan(rank_correlation([1, 1, 1], [1, 2, 3]))
