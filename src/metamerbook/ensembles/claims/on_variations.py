"""Tests of claims about restricted search, mixed sets and settings (paper: sections 4.1, 4.3, 4.6, appendix B)."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from metamerbook.ensembles.claims.evidence import Evidence, at_least
from metamerbook.ensembles.claims.findings import (
    ABOVE_ZERO,
    BELOW_ZERO,
    FEW,
    Finding,
    MissingEvidenceError,
)
from metamerbook.study.published import statement
from metamerlib.models import ZOO

NOT_BETTER = (-math.inf, 0.05)
"""A gain of less than a twentieth in recognizability counts as none."""


def small_ball_hurts(evidence: Evidence) -> list[Finding]:
    """Ball around the initial stimulus: recognizability at the smallest radius minus at the largest, below 0.

    All evaluators judge, as in Figure 6.

    Returns
    -------
    list of Finding
        The one difference.
    """
    small, large = statement("epsilon-small")["value"], statement("epsilon")["value"]
    sample = _at_radii(evidence, "restricted_search", [small, large], center="initial")
    what = f"recognizability, ε = {small:.3g} − ε = {large:g}"
    return [evidence.mean(sample, {small: 1, large: -1}, what, BELOW_ZERO)]


def restriction_misleads_like_an_attack(evidence: Evidence) -> list[Finding]:
    """Smallest radius: recognizability of metamers, and of adversarial examples of the same models, below one half."""
    radius = statement("epsilon-small")["value"]
    metamers = _at_radii(evidence, "restricted_search", [radius], center="initial")
    attacks = _at_radii(evidence, "adversarial", [radius])
    return [
        evidence.mean(sample, {radius: 1}, f"recognizability of {name}, ε = {radius:.3g}", FEW)
        for name, sample in (("metamers", metamers), ("adversarial examples", attacks))
    ]


def restricted_attacks_succeed(evidence: Evidence) -> list[Finding]:
    """Smallest radius: share of adversarial examples that the attacked models still get right, below one half."""
    radius = statement("epsilon-small")["value"]
    table = evidence.table("adversarial")
    attacked = table[~table["held_out"] & np.isclose(table["epsilon"], radius)]
    sample = at_least(attacked, "attacked models")
    what = f"adversarial examples that attacked models get right, ε = {radius:.3g}"
    return [evidence.mean(sample, {"recognizability": 1}, what, FEW, "attacked models")]


def other_optimizers_do_not_help(evidence: Evidence) -> list[Finding]:
    """Recognizability with each other optimizer minus that with plain gradient descent, less than a twentieth."""
    sample = evidence.conditions("optimizers", "optimizer", held_out_only=True)
    others = [name for name in sample.columns if name != "SGD"]
    if "SGD" not in sample or not others:
        raise MissingEvidenceError("the table 'optimizers' needs SGD and at least one other optimizer")
    at_least(sample.dropna(), "evaluators")
    return [
        evidence.mean(sample.dropna(), {name: 1, "SGD": -1}, f"recognizability, {name} − SGD", NOT_BETTER)
        for name in others
    ]


def set_size_works(evidence: Evidence) -> list[Finding]:
    """Recognizability of sets of the recommended sizes minus that of single models, above 0."""
    sizes = [int(statement(name)["value"]) for name in ("set-size-low", "set-size-high")]
    sample = evidence.conditions("ensemble_sizes", "size", held_out_only=True)
    absent = [size for size in (1, *sizes) if size not in sample]
    if absent:
        raise MissingEvidenceError(f"the table 'ensemble_sizes' has no sets of {absent}")
    sample = at_least(sample[[1, *sizes]].dropna(), "evaluators outside all of the sets")
    return [
        evidence.mean(sample, {size: 1, 1: -1}, f"recognizability, {size} models − 1 model", ABOVE_ZERO)
        for size in sizes
    ]


def mixed_sets_near_published(evidence: Evidence) -> list[Finding]:
    """Mean recognizability of random model sets, within the published mean ± its spread."""
    table = evidence.table("mixed_sets")
    means = table[table["held_out"]].groupby("model_set")["recognizability"].mean()
    sample = at_least(means.to_frame("mean"), "random sets")
    printed = statement("mixed-recognizability")
    claimed = (printed["value"] - printed["spread"], printed["value"] + printed["spread"])
    return [evidence.mean(sample, {"mean": 1}, "mean recognizability of random sets", claimed, "random sets")]


def robust_members_help(evidence: Evidence) -> list[Finding]:
    """Difference in means of robust models, on average above 0, and above that of the others."""
    effects = _effects(evidence)
    robust = np.array([ZOO[key].robust for key in effects.index])
    return [
        _group_mean(evidence, effects[robust], "robust models", ABOVE_ZERO),
        _group_difference(evidence, effects[robust], effects[~robust], "robust − other models", ABOVE_ZERO),
    ]


def transformer_members_harm(evidence: Evidence) -> list[Finding]:
    """Difference in means of standard transformers, on average below 0."""
    effects = _effects(evidence)
    standard = [ZOO[key].family == "transformer" and not ZOO[key].robust for key in effects.index]
    return [_group_mean(evidence, effects[standard], "standard transformers", BELOW_ZERO)]


def _at_radii(evidence: Evidence, name: str, radii: Sequence[float], **fixed: str) -> pd.DataFrame:
    """Recognizability by evaluator and radius; radii that were stored with fewer digits are found too."""
    sample = evidence.conditions(name, "epsilon", held_out_only=False, **fixed)
    columns = {}
    for radius in radii:
        near = [column for column in sample.columns if math.isclose(column, radius, rel_tol=1e-3)]
        if not near:
            raise MissingEvidenceError(f"the table {name!r} has no ε = {radius:.3g}")
        columns[radius] = sample[near[0]]
    return at_least(pd.DataFrame(columns).dropna(), "evaluators")


def _effects(evidence: Evidence) -> pd.Series:
    table = evidence.table("mixed_effects").set_index("model")
    return table.loc[table.index.isin(list(ZOO)), "difference"].dropna()


def _group_mean(evidence: Evidence, effects: pd.Series, name: str, claimed: tuple[float, float]) -> Finding:
    sample = at_least(effects.to_frame("difference"), name)
    return evidence.mean(sample, {"difference": 1}, f"difference in means, {name}", claimed, name)


def _group_difference(
    evidence: Evidence, first: pd.Series, second: pd.Series, name: str, claimed: tuple[float, float]
) -> Finding:
    draws = []
    for effects in (first, second):
        values = at_least(effects.to_frame(), "models of a kind").iloc[:, 0].to_numpy()
        draws.append(values[evidence.draw(len(values))].mean(axis=1))
    over = f"{len(first)} and {len(second)} models"
    value = first.mean() - second.mean()
    return evidence.finding(f"difference in means, {name}", value, draws[0] - draws[1], claimed, over)
