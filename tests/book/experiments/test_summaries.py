"""Means that chapters print, and the sentences made of them, on tables whose answer is plain."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from metamerbook.ensembles.sentences import (
    about_appearance,
    about_attacks,
    about_representations,
    about_success,
)
from metamerbook.ensembles.summaries import (
    common_judge,
    divergence_agreement,
    mean_representation,
    metric_agreement,
    rank_correlation,
    restricted_means,
)

STAGES = ("early", "middle", "late")


def metric_means(values, metric="ssim", direction="higher"):
    """Rows of one metric for {set: values by stage}."""
    return pd.DataFrame(
        {"model_set": name, "stage": stage, "metric": metric, "label": metric.upper(), "direction": direction}
        | {"mean": value, "n": 16, "reason": "" if value == value else "no model"}
        for name, row in values.items()
        for stage, value in zip(STAGES, row, strict=True)
    )


def shares(values):
    return pd.DataFrame(
        {"model_set": name, "stage": stage, "evaluators": "all", "mean": value}
        for name, row in values.items()
        for stage, value in zip(STAGES, row, strict=True)
    )


def cells(rows, **columns):
    """Rows of (set, evaluator, took part, divergence) at the late stage."""
    table = pd.DataFrame(rows, columns=["model_set", "evaluator", "took_part", "divergence"])
    further = {"stage": "late", "random": False, "metamer_metamer": 0.9, "cross_metamer": 0.5, "matching": 0.5}
    return table.assign(**(further | columns))


@pytest.mark.parametrize("seed", range(3))
def test_rank_correlation_is_spearmans(seed):
    first, second = np.random.default_rng(seed).integers(0, 5, (2, 12))
    assert rank_correlation(first, second) == pytest.approx(spearmanr(first, second).statistic)


def test_rank_correlation_of_too_little_is_not_a_number():
    assert np.isnan(rank_correlation([1, 2], [1, 2]))
    assert np.isnan(rank_correlation([1, 1, 1], [1, 2, 3]))


@pytest.mark.parametrize(("direction", "sign"), [("higher", 1), ("lower", -1)])
def test_a_metric_agrees_if_better_is_more_recognized(direction, sign):
    rising = {"a": (1, 2, 3), "b": (4, 5, 6)}
    table = metric_agreement(metric_means(rising, direction=direction), shares(rising))
    assert table["rank_correlation"].tolist() == [pytest.approx(sign)]
    assert table["cells"].tolist() == [6]


def test_who_took_part_does_not_enter_means_of_representations():
    divergences = cells([("CNN", "alexnet", True, 0.9), ("CNN", "vgg19", False, 0.2), ("CNN", "resnet50", False, 0.4)])
    correlations = divergences[["model_set", "stage", "evaluator"]].assign(
        pearson=[1.0, 0.2, 0.6], pearson_p=[0.001, 0.2, 0.01], spearman=0.5
    )
    (row,) = mean_representation(divergences, correlations).to_dict("records")
    assert (row["n_evaluators"], row["significant"], row["tested"]) == (2, 1, 2)
    assert (row["divergence"], row["pearson"]) == (pytest.approx(0.3), pytest.approx(0.4))
    assert (row["pearson_low"], row["pearson_high"]) == (0.2, 0.6)


def test_the_common_judge_was_trained_and_took_part_in_nothing():
    table = cells([("a", "vgg19", True, 0), ("a", "alexnet_random", False, 0), ("a", "resnet50", False, 0)])
    table["random"] = table["evaluator"].str.endswith("random")
    assert common_judge(table, "late") == "resnet50"
    assert common_judge(table[table["evaluator"] == "vgg19"], "late") == "vgg19"


def test_divergence_is_compared_with_recognizability_cell_by_cell():
    divergences = cells([("a", "v", False, 0.1), ("a", "w", False, 0.5), ("a", "x", False, 0.9), ("a", "y", True, 0.0)])
    judged = divergences.assign(recognizability=1 - divergences["divergence"] ** 2, held_out=~divergences["took_part"])
    judged.loc[judged["took_part"], "recognizability"] = 0
    correlation, count = divergence_agreement(
        divergences, judged[["model_set", "stage", "evaluator", "held_out", "recognizability"]]
    )
    assert (correlation, count) == (pytest.approx(-1), 3)
    assert "recognized less" in about_representations.agreement(correlation, count)
    assert "nothing can be said" in about_representations.agreement(float("nan"), 2)


def restricted(epsilons=(8 / 255, 10_000.0)):
    rows = [
        {"center": center, "epsilon": epsilon, "evaluator": key, "held_out": held_out, "random": False}
        | {"recognizability": 0.5 if held_out else 1.0, "residual": 0.4}
        for center in ("reference", "initial")
        for epsilon in epsilons
        for key, held_out in (("alexnet", False), ("vgg19", True))
    ]
    attacks = pd.DataFrame(rows).query("center == 'initial'").drop(columns=["center", "residual"])
    return pd.DataFrame(rows), attacks.assign(fooled=[0.8, 0.2] * len(epsilons))


def test_restricted_means_count_all_evaluators_and_those_without_part():
    means = restricted_means(*restricted())
    assert means["condition"].tolist() == ["initial"] * 2 + ["reference"] * 2 + ["attack"] * 2
    assert (means["mean"] == 0.75).all()
    assert (means["held_out"] == 0.5).all()
    assert means["residual"].tolist()[:4] == [0.4] * 4
    assert means.query("condition == 'attack'")[["fooled", "fooled_held_out"]].to_numpy().tolist() == [[0.5, 0.2]] * 2


def test_radii_are_written_as_the_literature_does():
    words = [about_attacks.radius_in_words(epsilon) for epsilon in (8 / 255, 0.3, 0.0312, 10_000.0)]
    assert words == ["8/255", "0.3", "0.0312", "10\u2009000"]


def test_only_small_balls_have_two_centres():
    means = restricted_means(*restricted())
    assert about_attacks.centres(means).endswith("is 0.75 and 0.75 at ε = 8/255.")
    assert "come to the same" in about_attacks.centres(restricted_means(*restricted((10_000.0,))))
    assert "0.50 are taken for the target (0.20 by networks that were not attacked)" in about_attacks.attacks(means)


def test_the_best_set_of_every_metric_is_named_with_it():
    table = pd.concat(
        [metric_means({"a": (1, 1, 3), "b": (2, 2, 2)}), metric_means({"a": (1, 1, 3), "b": (2, 2, 2)}, "tv", "lower")]
    )
    assert about_appearance.best_sets(table, "late") == "- *a* by SSIM\n- *b* by TV"
    assert "nothing to compare" in about_appearance.best_sets(table[table["model_set"] == "a"], "late")


def test_the_trend_of_metrics_knows_their_direction():
    table = pd.concat([metric_means({"a": (3, 2, 1)}), metric_means({"a": (3, 2, 1)}, "tv", "lower")])
    text = about_appearance.metric_trend(table)
    assert "1 of the 2 pairs of a metric and a set get worse" in text
    assert "*better* by TV" in text


def test_absent_metrics_give_their_reason_and_few_images_a_warning():
    nothing = metric_means({"a": (np.nan,) * 3}, "clip_iqa")
    assert about_appearance.absent_metrics(nothing) == "CLIP_IQA is absent (no model)."
    of_sets = metric_means({"a": (1, 2, 3)}, "fid", "lower")
    assert "16 metamers" in about_appearance.numbers_of_images(of_sets)
    assert "far below" in about_appearance.numbers_of_images(of_sets)
    assert "far below" not in about_appearance.numbers_of_images(of_sets.assign(n=5000))
    assert about_appearance.numbers_of_images(nothing).startswith("Neither FID nor KID was measured")
    two = pd.concat([metric_means({"a": (np.nan,) * 3}, key) for key in ("fid", "kid")]).assign(reason="no file.")
    assert about_appearance.absent_metrics(two) == "FID and KID are absent (no file)."


def test_sentences_on_representations_follow_the_means():
    table = pd.DataFrame(
        {"model_set": ["a", "b"], "stage": "late", "divergence": [0.5, 0.1], "metamer_metamer": [0.4, 0.8]}
        | {"pearson": [0.9, -0.1], "significant": [3, 0], "tested": [4, 4]}
    )
    assert "*b* (0.10) and *a* (0.50)" in about_representations.divergences(table, "late")
    assert "mean divergence of *b* is 0.10 bit" in about_representations.divergences(table[1:], "late")
    assert "1 of 2 pairs" in about_representations.collapse(table)
    assert "0.80 against 0.10 bit" in about_representations.collapse(table)
    assert "from +0.90 (*a*, the late stage) down to −0.10" in about_representations.correlations(table)
    assert "3 of 8 combinations" in about_representations.correlations(table)


def test_sentences_on_success_follow_the_counts():
    columns = ["model_set", "stage", "model", "n", "beyond_null", "same_class", "metamer"]
    rows = [("a", "late", "all", 10, 4, 8, 4), ("a", "late", "v", 10, 5, 9, 5), ("a", "late", "w", 10, 7, 9, 7)]
    counts = pd.DataFrame(rows, columns=columns).assign(share=lambda table: table["metamer"] / table["n"])
    assert "4 of 10 pass. At the late stage, it is 4 of 10 for *a*." in about_success.successes(counts, "late")
    text = about_success.obstacles(counts)
    assert "closeness is the harder: 4 of 10 pass it, 8 pass the class" in text
    assert "in 60% of the cases, for all of them in 40%" in text
