"""Chapters 09 and 15: the paper's claims, each as a test of measured tables; `claims.csv` has them in words.

Means are taken over the evaluators that had no part in any of the sets compared, unless a test says otherwise.
"""

import math
import re
from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from metamerbook.engine.task import Task
from metamerbook.ensembles import (
    adversarial_examples,
    ensemble_size,
    image_metrics,
    mixed_models,
    optimisers,
    recognizability,
    representational_similarity,
)
from metamerbook.ensembles.claims_on_sets import ON_SETS
from metamerbook.study import claims as rules
from metamerbook.study.claims import ABOVE_ZERO, BELOW_ZERO, FEW, ClaimTest, Evidence, Finding, Interval
from metamerbook.study.judging import rank_correlation
from metamerbook.study.published import statement
from metamerbook.study.study import Study
from metamerlib.models import MODEL_SETS, STAGES, ZOO

STRONG: Interval = (-math.inf, -0.5)
"""What a large negative correlation is, by Cohen's rule of thumb."""
NOT_BETTER: Interval = (-math.inf, 0.05)
"""A gain of less than a twentieth in recognizability counts as none."""


def tasks(study: Study) -> list[Task]:
    """List what the chapters compute: all that the tables of the others need."""
    measured = [image_metrics, representational_similarity, adversarial_examples, mixed_models, optimisers]
    return [task for chapter in (recognizability, *measured, ensemble_size) for task in chapter.tasks(study)]


def claims(study: Study) -> pd.DataFrame:
    """Hold every claim of the paper against the tables of a study: `metamerbook.study.claims.claims_table`."""
    return rules.claims_table(measured_tables(study), TESTS)


def measured_tables(study: Study) -> dict[str, pd.DataFrame]:
    """Collect the tables that claims are tested on; what the store lacks is computed."""
    sets = mixed_models.mixed(study)
    evaluated = {
        "restricted_search": adversarial_examples.restricted(study),
        "adversarial": adversarial_examples.adversarial(study),
        "mixed_sets": sets,
        "optimizers": optimisers.optimizers(study),
        "ensemble_sizes": ensemble_size.ensemble_sizes(study),
    }
    # Rows of networks that no metamers could be made with say why, but are no evidence.
    evidence = {name: table[table["reason"] == ""].reset_index(drop=True) for name, table in evaluated.items()}
    return evidence | {
        "recognizability": recognizability.recognizability(study),
        "image_metrics": image_metrics.image_metrics(study),
        "divergence": representational_similarity.divergence(study),
        "mixed_effects": mixed_models.mixed_effects(study, sets),
    }


def claims_made_in(claims: pd.DataFrame, section: str) -> pd.DataFrame:
    """Choose the claims that a section of the paper, such as "5.1", makes or repeats."""
    return claims[claims["where"].str.contains(rf"\b{re.escape(section)}\b")].reset_index(drop=True)


def sets_diverge(evidence: Evidence) -> list[Finding]:
    cells = [(name, stage) for stage in ("early", "late") for name in MODEL_SETS]
    values = evidence.judged(cells)[cells].to_numpy().T

    def widening(draw: np.ndarray) -> np.ndarray:
        early, late = np.split(draw.mean(axis=-1), 2)
        return late.std(axis=0, ddof=1) - early.std(axis=0, ddof=1)

    return [evidence.resampled(values, widening, "spread of the sets, late − early", ABOVE_ZERO, "evaluators")]


def late_costs_early(evidence: Evidence) -> list[Finding]:
    sums, what = _sums(evidence, "early", "middle"), "mean over sets and evaluators, early − middle"
    return [evidence.resampled(sums, lambda draw: np.subtract(*_means(draw)), what, BELOW_ZERO, "evaluators")]


def overall_mean(evidence: Evidence, stage: str) -> list[Finding]:
    claimed, what = rules.spread_around(f"recognizability-{stage}"), f"mean over sets and evaluators, {stage}"
    return [evidence.resampled(_sums(evidence, stage), lambda draw: _means(draw)[0], what, claimed, "evaluators")]


def cnns_judge_robustly(evidence: Evidence) -> list[Finding]:
    table = evidence.table("recognizability")
    standard = table["held_out"] & ~table["random"] & ~table["robust"] & table["family"].isin(["cnn", "transformer"])
    table = table[standard & table["stage"].isin(list(STAGES))]
    relative = table["recognizability"] - table.groupby(["model_set", "stage"])["recognizability"].transform("mean")
    by_evaluator = relative.groupby([table["family"], table["evaluator"]]).mean()
    families = by_evaluator.index.get_level_values(0)
    cnns = rules.at_least(by_evaluator[families == "cnn"], "standard CNNs that judge")
    transformers = rules.at_least(by_evaluator[families == "transformer"], "standard transformers that judge")
    over = f"{len(cnns)} CNNs and {len(transformers)} transformers"
    return [_difference(evidence, cnns, transformers, "CNN − transformer evaluators", over)]


def activations_tell_class(evidence: Evidence) -> list[Finding]:
    recognized, divergence = evidence.table("recognizability"), evidence.table("divergence")
    cell = ["model_set", "stage", "evaluator"]
    both = recognized[recognized["held_out"]].merge(divergence[~divergence["took_part"]], on=cell)
    # An evaluator that recognizes everything, or nothing, ranks nothing.
    several = [rows for _, rows in both.groupby("evaluator") if len(rows) > 3]
    correlations = [rank_correlation(rows["recognizability"], rows["divergence"]) for rows in several]
    sample = pd.DataFrame({"correlation": correlations}, dtype=float).dropna()
    sample = rules.at_least(sample, "evaluators with both tables and varying values")
    return [evidence.mean(sample, {"correlation": 1}, "rank correlation of divergence and recognizability", STRONG)]


def small_ball(evidence: Evidence) -> list[Finding]:
    small, large = statement("epsilon-small")["value"], statement("epsilon")["value"]
    sample = _at_radii(evidence, "restricted_search", [small, large], center="initial")
    what = f"recognizability, ε = {small:.3g} − ε = {large:g}"
    return [evidence.mean(sample, {small: 1, large: -1}, what, BELOW_ZERO)]


def restricted_like_attack(evidence: Evidence) -> list[Finding]:
    radius = statement("epsilon-small")["value"]
    metamers = _at_radii(evidence, "restricted_search", [radius], center="initial")
    attacks, what = _at_radii(evidence, "adversarial", [radius]), f"recognizability of {{}}, ε = {radius:.3g}"
    samples = {"metamers": metamers, "adversarial examples": attacks}
    return [evidence.mean(sample, {radius: 1}, what.format(name), FEW) for name, sample in samples.items()]


def attacks_succeed(evidence: Evidence) -> list[Finding]:
    radius, table = statement("epsilon-small")["value"], evidence.table("adversarial")
    sample = rules.at_least(table[~table["held_out"] & np.isclose(table["epsilon"], radius)], "attacked models")
    what = f"adversarial examples that attacked models get right, ε = {radius:.3g}"
    return [evidence.mean(sample, {"recognizability": 1}, what, FEW, "attacked models")]


def other_optimizers(evidence: Evidence) -> list[Finding]:
    sample = evidence.conditions("optimizers", "optimizer", held_out_only=True)
    others = [name for name in sample.columns if name != "SGD"]
    if "SGD" not in sample or not others:
        raise rules.MissingEvidenceError("the table 'optimizers' needs SGD and at least one other optimizer")
    sample, what = rules.at_least(sample.dropna(), "evaluators"), "recognizability, {} − SGD"
    return [evidence.mean(sample, {name: 1, "SGD": -1}, what.format(name), NOT_BETTER) for name in others]


def set_size(evidence: Evidence) -> list[Finding]:
    sizes = [int(statement(name)["value"]) for name in ("set-size-low", "set-size-high")]
    sample = evidence.conditions("ensemble_sizes", "size", held_out_only=True)
    absent = [size for size in (1, *sizes) if size not in sample]
    if absent:
        raise rules.MissingEvidenceError(f"the table 'ensemble_sizes' has no sets of {absent}")
    sample = rules.at_least(sample[[1, *sizes]].dropna(), "evaluators outside all of the sets")
    what = "recognizability, {} models − 1 model"
    return [evidence.mean(sample, {size: 1, 1: -1}, what.format(size), ABOVE_ZERO) for size in sizes]


def mixed_mean(evidence: Evidence) -> list[Finding]:
    table = evidence.table("mixed_sets")
    means = table[table["held_out"]].groupby("model_set")["recognizability"].mean()
    sample = rules.at_least(means.to_frame("mean"), "random sets")
    claimed = rules.spread_around("mixed-recognizability")
    return [evidence.mean(sample, {"mean": 1}, "mean recognizability of random sets", claimed, "random sets")]


def robust_members_help(evidence: Evidence) -> list[Finding]:
    effects = _effects(evidence)
    robust = np.array([ZOO[key].robust for key in effects.index])
    mean = _group_mean(evidence, effects[robust], "robust models", ABOVE_ZERO)
    groups = [rules.at_least(group["difference"], "models of a kind") for group in (effects[robust], effects[~robust])]
    over = f"{len(groups[0])} and {len(groups[1])} models"
    return [mean, _difference(evidence, *groups, "difference in means, robust − other models", over)]


def transformer_members_harm(evidence: Evidence) -> list[Finding]:
    effects = _effects(evidence)
    standard = [ZOO[key].family == "transformer" and not ZOO[key].robust for key in effects.index]
    return [_group_mean(evidence, effects[standard], "standard transformers", BELOW_ZERO)]


_BY_NAME = (
    *(sets_diverge, late_costs_early, cnns_judge_robustly, activations_tell_class, small_ball, restricted_like_attack),
    *(attacks_succeed, set_size, mixed_mean, robust_members_help, transformer_members_harm),
)
TESTS: dict[str, ClaimTest] = {
    **ON_SETS,
    **{test.__name__.replace("_", "-"): test for test in _BY_NAME},
    **{f"mean-{stage}": partial(overall_mean, stage=stage) for stage in STAGES},
    "optimizers": other_optimizers,
}
"""Every test by the id of its claim."""


def _sums(evidence: Evidence, *stages: str) -> np.ndarray:
    """Sum, and count, by stage, each evaluator's recognizabilities over the paper's sets that it had no part in.

    Evaluators are resampled with all their sets: an evaluator's recognizabilities are not independent.
    """
    columns = []
    for stage in stages:
        table = evidence.rows("recognizability", [(name, stage) for name in MODEL_SETS])
        columns.append(table[table["held_out"]].groupby("evaluator")["recognizability"].agg(["sum", "count"]))
    return rules.at_least(pd.concat(columns, axis=1, join="inner"), "evaluators").to_numpy().T


def _means(draw: np.ndarray) -> np.ndarray:
    total = draw.sum(axis=-1)
    return total[::2] / total[1::2]


def _at_radii(evidence: Evidence, name: str, radii: Sequence[float], **fixed: str) -> pd.DataFrame:
    """Recognizability by evaluator and radius; the published radii have fewer digits than those searched."""
    sample = evidence.conditions(name, "epsilon", held_out_only=False, **fixed)
    columns = {}
    for radius in radii:
        near = [column for column in sample.columns if math.isclose(column, radius, rel_tol=1e-3)]
        if not near:
            raise rules.MissingEvidenceError(f"the table {name!r} has no ε = {radius:.3g}")
        columns[radius] = sample[near[0]]
    return rules.at_least(pd.DataFrame(columns).dropna(), "evaluators")


def _effects(evidence: Evidence) -> pd.DataFrame:
    table = evidence.table("mixed_effects").set_index("model")
    return table.loc[table.index.isin(list(ZOO)), ["difference"]].dropna()


def _group_mean(evidence: Evidence, effects: pd.DataFrame, name: str, claimed: Interval) -> Finding:
    sample = rules.at_least(effects, name)
    return evidence.mean(sample, {"difference": 1}, f"difference in means, {name}", claimed, name)


def _difference(evidence: Evidence, first: pd.Series, second: pd.Series, what: str, over: str) -> Finding:
    """One group's mean less another's, of which each is resampled for itself; claimed to be above 0."""
    one, other = first.to_numpy(), second.to_numpy()

    def difference(i: np.ndarray, j: np.ndarray) -> np.ndarray:
        return one[i].mean(axis=-1) - other[j].mean(axis=-1)

    return evidence.bootstrap(difference, [len(one), len(other)], what, ABOVE_ZERO, over)
