"""From tables with a row per evaluator to the few numbers that a chapter prints."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from metamerbook.ensembles.representational_similarity import distance_densities
from metamerbook.study.judging import mean_over_evaluators
from metamerlib.evaluation import METRICS
from metamerlib.models import Stage

if TYPE_CHECKING:
    from metamerbook.study.study import Study

LEVEL = 0.05
"""p-values below it are counted."""

_DISTANCES = ("divergence", "metamer_metamer", "cross_metamer", "matching", "pearson", "spearman")


def common_judge(divergences: pd.DataFrame, stage: Stage) -> str:
    """Choose a network in whose representations all sets can be looked at side by side.

    Parameters
    ----------
    divergences
        As `metamerbook.ensembles.representational_similarity.divergence` returns it.
    stage
        At which stage.

    Returns
    -------
    str
        The first evaluator that was trained and took part in no set; failing that, the first.
    """
    of_stage = divergences[divergences["stage"] == stage]
    part = of_stage.groupby("evaluator", sort=False)[["took_part", "random"]].any().any(axis=1)
    return str((part[~part] if not part.all() else part).index[0])


def densities_of_sets(study: "Study", stage: Stage, evaluator: str) -> pd.DataFrame:
    """Estimate the distributions of distances in one evaluator for every set.

    Parameters
    ----------
    study
        Whose sets.
    stage
        At which stage.
    evaluator
        Key of the network whose representations are looked at.

    Returns
    -------
    DataFrame
        As `metamerbook.ensembles.representational_similarity.distance_densities` returns it, with the column model_set.
    """
    tables = [distance_densities(study, name, stage, evaluator).assign(model_set=name) for name in study.running_sets]
    return pd.concat(tables, ignore_index=True)


def mean_representation(divergences: pd.DataFrame, correlations: pd.DataFrame) -> pd.DataFrame:
    """Average what is known of representations over the evaluators that had no part in the generation.

    Parameters
    ----------
    divergences
        As `metamerbook.ensembles.representational_similarity.divergence` returns it.
    correlations
        As `metamerbook.ensembles.representational_similarity.distance_correlations` returns it.

    Returns
    -------
    DataFrame
        One row per model set and stage: model_set, stage, n_evaluators, the means of divergence, metamer_metamer,
        cross_metamer, matching, pearson and spearman (NaN if nobody is left, or no value is defined), pearson_low and
        pearson_high (the smallest and largest evaluator's), significant (evaluators whose Pearson correlation has a
        permutation p-value below `LEVEL`) and tested (evaluators that have one).
    """
    keys = ["model_set", "stage", "evaluator"]
    further = correlations[[*keys, "pearson", "pearson_p", "spearman"]]
    table = divergences.merge(further, on=keys, how="left")
    rows = []
    for cell, group in table.groupby(["model_set", "stage"], sort=False):
        held_out = group[~group["took_part"]]
        rows.append(
            dict(zip(("model_set", "stage"), cell, strict=True))
            | {"n_evaluators": len(held_out)}
            | {name: held_out[name].mean() for name in _DISTANCES}
            | {"pearson_low": held_out["pearson"].min(), "pearson_high": held_out["pearson"].max()}
            | {"significant": int((held_out["pearson_p"] < LEVEL).sum())}
            | {"tested": int(held_out["pearson_p"].notna().sum())}
        )
    return pd.DataFrame(rows)


def metric_agreement(means: pd.DataFrame, recognizability: pd.DataFrame) -> pd.DataFrame:
    """Compare how metrics rank the metamers with how recognizable they are.

    Parameters
    ----------
    means
        As `metamerbook.ensembles.image_metrics.mean_image_metrics` returns it.
    recognizability
        As `Study.mean_recognizability` returns it; the averages over all evaluators are used.

    Returns
    -------
    DataFrame
        One row per metric: metric, label, learned (whether it asks a trained network), cells (pairs of a model set
        and a stage that have both values), rank_correlation (Spearman's, with the metric turned so that higher is
        better; NaN for fewer than three cells or where all are equal).
    """
    of_all = recognizability[recognizability["evaluators"] == "all"]
    shares = of_all[["model_set", "stage", "mean"]].rename(columns={"mean": "share"})
    table = means.merge(shares, on=["model_set", "stage"], how="left")
    rows = []
    for key, group in table.groupby("metric", sort=False):
        known = group.dropna(subset=["mean", "share"])
        sign = 1 if group["direction"].iloc[0] == "higher" else -1
        rows.append(
            {"metric": key, "label": group["label"].iloc[0], "learned": METRICS[key].needs is not None}
            | {"cells": len(known), "rank_correlation": rank_correlation(sign * known["mean"], known["share"])}
        )
    return pd.DataFrame(rows)


def divergence_agreement(
    divergences: pd.DataFrame, recognizability: pd.DataFrame, *, column: str = "divergence"
) -> tuple[float, int]:
    """Compare how far metamers lie from their references with how recognizable they are, evaluator by evaluator.

    Parameters
    ----------
    divergences
        As `metamerbook.ensembles.representational_similarity.divergence` returns it.
    recognizability
        As `Study.recognizability` returns it.
    column
        Which divergence.

    Returns
    -------
    tuple of float and int
        Spearman's rank correlation over cells (model set, stage and evaluator without part in the set), NaN for fewer
        than three; and their number.
    """
    keys = ["model_set", "stage", "evaluator"]
    both = divergences.merge(recognizability.loc[recognizability["held_out"], [*keys, "recognizability"]], on=keys)
    both = both[~both["took_part"]].dropna(subset=[column, "recognizability"])
    return rank_correlation(both[column], both["recognizability"]), len(both)


def restricted_means(restricted: pd.DataFrame, adversarial: pd.DataFrame) -> pd.DataFrame:
    """Average the restricted search and the attacks over evaluators, as Figure 6 does and without the generators.

    Parameters
    ----------
    restricted
        As `metamerbook.ensembles.adversarial_examples.restricted` returns it.
    adversarial
        As `metamerbook.ensembles.adversarial_examples.adversarial` returns it.

    Returns
    -------
    DataFrame
        One row per condition and radius: condition ("initial" and "reference": metamers in a ball around that;
        "attack"), epsilon, mean (recognizability over all evaluators, those included that took part), held_out (over
        the others only; NaN if none is left), residual (of the metamers; NaN for attacks), fooled and
        fooled_held_out (mean share of images taken for the attack's target; NaN for metamers).
    """
    parts = []
    for table, condition in ((restricted, "center"), (adversarial.assign(center="attack"), "center")):
        by = [condition, "epsilon"]
        values = {"mean": ("recognizability", False), "held_out": ("recognizability", True)}
        if "fooled" in table:
            values |= {"fooled": ("fooled", False), "fooled_held_out": ("fooled", True)}
        columns = {}
        for name, (value, held_out_only) in values.items():
            means = mean_over_evaluators(table, by, held_out_only=held_out_only, value=value)
            columns[name] = means[means["evaluators"] == "all"].set_index(by)["mean"]
        if "residual" in table:
            columns["residual"] = table.groupby(by, sort=False)["residual"].first()
        parts.append(pd.DataFrame(columns).reset_index().rename(columns={condition: "condition"}))
    wanted = ["condition", "epsilon", "mean", "held_out", "residual", "fooled", "fooled_held_out"]
    result = pd.concat(parts).reindex(columns=wanted)
    order = {name: rank for rank, name in enumerate(("initial", "reference", "attack"))}
    return result.sort_values(
        ["condition", "epsilon"], key=lambda values: values.map(order) if values.name == "condition" else values
    ).reset_index(drop=True)


def rank_correlation(first: Iterable[float], second: Iterable[float]) -> float:
    """Correlate the ranks of two columns.

    Parameters
    ----------
    first, second
        Values in the same order.

    Returns
    -------
    float
        Spearman's coefficient; NaN for fewer than three values, or where a column is constant.
    """
    ranks = [rankdata(list(values)) for values in (first, second)]
    if len(ranks[0]) < 3 or any(np.ptp(values) == 0 for values in ranks):
        return float("nan")
    return float(np.corrcoef(*ranks)[0, 1])
