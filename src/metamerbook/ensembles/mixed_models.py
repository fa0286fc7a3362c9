"""Chapter 11: random sets of networks, and what each network adds to them (paper, Appendix B, Fig. B1, Table B2)."""

import dataclasses
from typing import Any, Self

import numpy as np
import pandas as pd
from pydantic import model_validator
from scipy.stats import spearmanr

from metamerbook.engine.task import Task
from metamerbook.study.judging import Predictions, evaluate
from metamerbook.study.published import published, statement
from metamerbook.study.settings import Budget, Section
from metamerbook.study.study import Study
from metamerbook.study.tasks import MetamerRun
from metamerbook.study.values import Count, OneStage
from metamerbook.study.words import signed
from metamerlib.evaluation import difference_in_means, draw_model_sets, set_means
from metamerlib.models import ZOO


class MixedModels(Section):
    """The random sets, and the budget of their metamers."""

    mixed_sets: Count = 100
    mixed_smallest: Count = 2
    mixed_largest: Count = 10  # a set never takes all evaluators, so that one is left to evaluate
    mixed_stage: OneStage = "middle"
    mixed: Budget = Budget(repetitions=6, learning_rate=4.0, final_learning_rate=0.4)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.mixed_smallest > self.mixed_largest:
            sizes = f"mixed_smallest={self.mixed_smallest} is above mixed_largest={self.mixed_largest}"
            raise ValueError(f"{sizes}: give them in order")
        return self


KINDS = ("robust", "transformers", "others", "untrained")
"""Robust networks, standard transformers, other trained networks, and those with random weights."""


def tasks(study: Study) -> list[Task]:
    """List what the chapter computes."""
    return [Predictions.of(mixed_study(study), run) for run in mixed_runs(study)]


def mixed_study(study: Study) -> Study:
    """Set up the study that the random sets run in: fewer images, and a budget of its own."""
    return study.subset(**dict(study.settings.of(MixedModels).mixed))


def mixed_runs(study: Study) -> list[MetamerRun]:
    """Draw the random sets from the study's evaluators, and describe the generation of their metamers.

    They are named "mixed 1", "mixed 2", … A set never takes all evaluators: one is left.
    """
    settings, pool = study.settings.of(MixedModels), study.evaluators
    largest = min(settings.mixed_largest, len(pool) - 1)
    smallest, seed = settings.mixed_smallest, study.settings.seed
    if largest < smallest:
        sizes = f"mixed_smallest is {smallest}, but there are {len(pool)} evaluators to draw sets from"
        raise ValueError(f"{sizes}, of which one has to judge: lower it, or name more evaluators.")
    sets = draw_model_sets(pool, settings.mixed_sets, smallest=smallest, largest=largest, seed=seed)
    runs = [mixed_study(study).run(list(keys), settings.mixed_stage) for keys in sets]
    return [dataclasses.replace(run, name=f"mixed {number}") for number, run in enumerate(runs, start=1)]


def mixed(study: Study) -> pd.DataFrame:
    """Tabulate how well the metamers of random sets are recognized.

    The columns are those of `metamerbook.study.judging.evaluate` behind model_set ("mixed 1", …), size (networks in
    the set) and members (their keys, joined by blanks).
    """
    labelled = []
    for run in mixed_runs(study):
        keys = " ".join(model.key for model in run.models)
        labelled.append(({"model_set": run.name, "size": len(run.models), "members": keys}, run))
    return evaluate(mixed_study(study), labelled, title="random sets")


def mixed_means(table: pd.DataFrame) -> pd.DataFrame:
    """Average recognizability over the evaluators outside each random set: what Figure B1 shows the spread of.

    One row per set: model_set, size, members, mean, equal_evaluators (the mean for the average evaluator: sets are
    shown to different ones), median, sd (over evaluators, n - 1), n_evaluators, n (images).
    """
    outside = table[table["held_out"] & table["recognizability"].notna()]
    cells = outside.groupby(["model_set", "size", "members"], sort=False)["recognizability"]
    means = cells.agg(mean="mean", median="median", sd="std", n_evaluators="count").reset_index()
    columns = (outside[name].tolist() for name in ("model_set", "evaluator", "recognizability"))
    means.insert(4, "equal_evaluators", means["model_set"].map(set_means(*columns, adjust_evaluators=True)))
    return means.assign(n=int(table["n"].max()))


def mixed_effects(study: Study, table: pd.DataFrame, *, resamples: int = 2000) -> pd.DataFrame:
    """Estimate what each network adds to the random sets it is in, beside the paper's Table B2.

    One row per network, in the paper's order of rank, others behind: model (key), available (whether it was drawn
    from), appearances, sets (how many in all), mean_present, mean_absent, difference (signed: present minus absent)
    with low and high, adjusted (at equal size of the sets) with adjusted_low and adjusted_high, equal_evaluators
    (adjusted, with every set seen by the average evaluator) with equal_evaluators_low and equal_evaluators_high,
    published_rank, published_appearances and published_difference (without a sign in the paper). NaN where a network is
    missing, or in every set or none. Intervals are over sets, of 95 %.
    """
    means = mixed_means(table)
    sets = [members.split() for members in means["members"]]
    keys, seed = study.evaluators, study.settings.seed
    effects, equal = (
        difference_in_means(sets, means[column], keys=keys, resamples=resamples, seed=seed).set_index("model")
        for column in ("mean", "equal_evaluators")
    )
    for suffix in ("", "_low", "_high"):
        effects[f"equal_evaluators{suffix}"] = equal[f"adjusted{suffix}"]
    theirs = published("table_b2").set_index("key")[["rank", "appearances", "difference_in_means"]]
    theirs = theirs[theirs.index.isin(study.networks.keys)]
    theirs.columns = ["published_rank", "published_appearances", "published_difference"]
    merged = effects.join(theirs, how="outer").rename_axis("model").reset_index()
    merged.insert(1, "available", merged["model"].isin(keys))
    merged = merged.sort_values("published_rank", kind="stable", ignore_index=True)
    return merged.astype(dict.fromkeys(["appearances", "sets", "published_rank", "published_appearances"], "Int64"))


def mixed_agreement(effects: pd.DataFrame) -> pd.DataFrame:
    """Correlate the ranks of our differences in means with those of the paper's, in four ways of reading Table B2.

    One row per way: ours ("difference", "absolute difference", "adjusted", "equal_evaluators"), spearman (in [-1, 1];
    NaN with fewer than three networks), p (two-sided), n (networks).
    """
    rows = []
    effects = effects.assign(**{"absolute difference": effects["difference"].abs()})
    for name in ("difference", "absolute difference", "adjusted", "equal_evaluators"):
        both = effects[[name, "published_difference"]].dropna().astype(float)
        rows.append((name, *_ranked(*both.to_numpy().T), len(both)))
    return pd.DataFrame(rows, columns=["ours", "spearman", "p", "n"])


def _ranked(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Compute Spearman's rank correlation and its p-value, NaN where there is nothing to rank."""
    if len(first) < 3 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan"), float("nan")
    return tuple(map(float, spearmanr(first, second)))


def facts_of_sets(means: pd.DataFrame) -> dict[str, Any]:
    """Return the numbers of the prose on random sets, by the names under which they are glued."""
    sizes, ours = means["size"], means["mean"]
    correlation, p = _ranked(sizes.to_numpy(), ours.to_numpy())
    return {
        "sets": len(means),
        "smallest": int(sizes.min()),
        "largest": int(sizes.max()),
        "mean": float(ours.mean()),
        "spread": float(ours.std(ddof=1)),
        "lowest": float(ours.min()),
        "highest": float(ours.max()),
        "away": signed(ours.mean() - statement("mixed-recognizability")["value"]),
        "mean-smallest": float(ours[sizes == sizes.min()].mean()),
        "mean-largest": float(ours[sizes == sizes.max()].mean()),
        "size-correlation": signed(correlation),
        "size-p": p,
    }


def facts_of_effects(effects: pd.DataFrame) -> dict[str, Any]:
    """Return the numbers of the prose on single networks.

    `half-width` is that of the plain difference's interval, in the median; `within-chance` counts the paper's
    differences that are smaller.
    """
    known = effects.dropna(subset=["adjusted", "adjusted_low", "adjusted_high"])
    half = float((effects["high"] - effects["low"]).median() / 2)
    theirs = effects["published_difference"].dropna()
    kinds = known["model"].map(_kind)
    return {
        "networks": len(known),
        "improve": int((known["adjusted_low"] > 0).sum()),
        "worsen": int((known["adjusted_high"] < 0).sum()),
        "by-chance": 0.05 * len(known),
        "half-width": half,
        "within-chance": int((theirs < half).sum()),
        "published": len(theirs),
    } | {f"effect-{kind}": signed(known.loc[kinds == kind, "adjusted"].mean(), 3) for kind in KINDS}


def _kind(key: str) -> str:
    if key not in ZOO:
        return "own"
    entry = ZOO[key]
    if entry.robust or entry.random:
        return "robust" if entry.robust else "untrained"
    return "transformers" if entry.family == "transformer" else "others"
