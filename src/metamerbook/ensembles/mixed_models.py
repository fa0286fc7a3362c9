"""Chapter 11: random sets of networks, and what each network adds to them (paper, Appendix B, Fig. B1, Table B2)."""

import dataclasses
from typing import TYPE_CHECKING, Any, Self

import pandas as pd
from pydantic import model_validator
from scipy.stats import spearmanr

from metamerbook.engine.task import Task
from metamerbook.study.judging import Predictions, evaluate
from metamerbook.study.published import published, statement
from metamerbook.study.settings import Budget, Section
from metamerbook.study.tasks import MetamerRun
from metamerbook.study.values import Count, OneStage
from metamerbook.study.words import signed
from metamerlib.evaluation import difference_in_means, draw_model_sets, set_means
from metamerlib.models import ZOO

if TYPE_CHECKING:
    from metamerbook.study.study import Study


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
            raise ValueError(
                f"mixed_smallest={self.mixed_smallest} is above mixed_largest={self.mixed_largest}: give them in order"
            )
        return self


KINDS = ("robust", "transformers", "others", "untrained")
"""Robust networks, standard transformers, other trained networks, and those with random weights."""


def tasks(study: "Study") -> list[Task]:
    """List what the chapter computes."""
    return [Predictions.of(mixed_study(study), run) for run in mixed_runs(study)]


def mixed_study(study: "Study") -> "Study":
    """Set up the study that the random sets run in: fewer images, and a budget of its own."""
    return study.subset(**dict(study.settings.of(MixedModels).mixed))


def mixed_runs(study: "Study") -> list[MetamerRun]:
    """Draw the random sets from the study's evaluators, and describe the generation of their metamers.

    They are named "mixed 1", "mixed 2", … A set never takes all evaluators: one is left.
    """
    settings, pool = study.settings.of(MixedModels), study.evaluators
    largest = min(settings.mixed_largest, len(pool) - 1)
    if largest < settings.mixed_smallest:
        raise ValueError(
            f"mixed_smallest is {settings.mixed_smallest}, but there are {len(pool)} evaluators to draw sets from, of "
            "which one has to judge: lower it, or name more evaluators."
        )
    sets = draw_model_sets(
        pool, settings.mixed_sets, smallest=settings.mixed_smallest, largest=largest, seed=study.settings.seed
    )
    small = mixed_study(study)
    return [
        dataclasses.replace(small.run(list(keys), settings.mixed_stage), name=f"mixed {number}")
        for number, keys in enumerate(sets, start=1)
    ]


def mixed(study: "Study") -> pd.DataFrame:
    """Tabulate how well the metamers of random sets are recognized.

    The columns are those of `metamerbook.study.judging.evaluate` behind model_set ("mixed 1", …), size (networks in
    the set) and members (their keys, joined by blanks).
    """
    labelled = []
    for run in mixed_runs(study):
        keys = [model.key for model in run.models]
        labelled.append(({"model_set": run.name, "size": len(keys), "members": " ".join(keys)}, run))
    return evaluate(mixed_study(study), labelled, title="random sets")


def mixed_means(table: pd.DataFrame) -> pd.DataFrame:
    """Average recognizability over the evaluators outside each random set: what Figure B1 shows the spread of.

    Returns
    -------
    DataFrame
        One row per set: model_set, size, members, mean, equal_evaluators (the mean for the average evaluator: sets
        are shown to different ones), median, sd (over evaluators, n - 1), n_evaluators, n (images).
    """
    outside = table[table["held_out"] & table["recognizability"].notna()]
    cells = outside.groupby(["model_set", "size", "members"], sort=False)
    means = cells["recognizability"].agg(["mean", "median", "std", "count"]).reset_index()
    columns = (outside[name].tolist() for name in ("model_set", "evaluator", "recognizability"))
    means["equal_evaluators"] = means["model_set"].map(set_means(*columns, adjust_evaluators=True))
    means["n"] = int(table["n"].max())
    means = means.rename(columns={"std": "sd", "count": "n_evaluators"})
    return means[["model_set", "size", "members", "mean", "equal_evaluators", "median", "sd", "n_evaluators", "n"]]


def mixed_effects(study: "Study", table: pd.DataFrame, *, resamples: int = 2000) -> pd.DataFrame:
    """Estimate what each network adds to the random sets it is in, beside the paper's Table B2.

    Returns
    -------
    DataFrame
        One row per network, in the paper's order of rank, others behind: model (key), available (whether it was drawn
        from), appearances, sets (how many in all), mean_present, mean_absent, difference (signed: present minus
        absent) with low and high, adjusted (at equal size of the sets) with adjusted_low and adjusted_high,
        equal_evaluators (adjusted, with every set seen by the average evaluator) with equal_evaluators_low and
        equal_evaluators_high, published_rank, published_appearances and published_difference (without a sign in the
        paper). NaN where a network is missing, or in every set or none. Intervals are over sets, of 95 %.
    """
    means = mixed_means(table)
    sets = [members.split() for members in means["members"]]
    keys, seed = study.evaluators, study.settings.seed
    effects = difference_in_means(sets, means["mean"], keys=keys, resamples=resamples, seed=seed)
    equal = difference_in_means(sets, means["equal_evaluators"], keys=keys, resamples=resamples, seed=seed)
    for suffix in ("", "_low", "_high"):
        effects[f"equal_evaluators{suffix}"] = equal[f"adjusted{suffix}"]
    effects["available"] = True
    theirs = published("table_b2").rename(
        columns={
            "key": "model",
            "model": "published_name",
            "rank": "published_rank",
            "appearances": "published_appearances",
            "difference_in_means": "published_difference",
        }
    )
    theirs = theirs[["model", "published_rank", "published_appearances", "published_difference"]]
    known = theirs[theirs["model"].isin(study.networks.keys)]
    merged = known.merge(effects, on="model", how="outer")
    merged["available"] = merged["available"].eq(True)
    merged = merged.sort_values("published_rank", kind="stable", na_position="last", ignore_index=True)
    whole = ["appearances", "sets", "published_rank", "published_appearances"]
    merged = merged.astype(dict.fromkeys(whole, "Int64"))
    ours = [name for name in effects.columns if name not in ("model", "available")]
    return merged[["model", "available", *ours, *theirs.columns[1:]]]


def mixed_agreement(effects: pd.DataFrame) -> pd.DataFrame:
    """Correlate the ranks of our differences in means with those of the paper's, in four ways of reading Table B2.

    Returns
    -------
    DataFrame
        One row per way: ours ("difference", "absolute difference", "adjusted", "equal_evaluators"), spearman (in
        [-1, 1]; NaN with fewer than three networks), p (two-sided), n (networks).
    """
    rows = []
    for name in ("difference", "absolute difference", "adjusted", "equal_evaluators"):
        values = effects["difference"].abs() if name == "absolute difference" else effects[name]
        both = pd.DataFrame({"ours": values, "theirs": effects["published_difference"]}).dropna().astype(float)
        usable = len(both) > 2 and both.nunique().min() > 1
        found = spearmanr(both["ours"], both["theirs"]) if usable else (float("nan"), float("nan"))
        rows.append({"ours": name, "spearman": float(found[0]), "p": float(found[1]), "n": len(both)})
    return pd.DataFrame(rows)


def facts_of_sets(means: pd.DataFrame) -> dict[str, Any]:
    """Return the numbers of the prose on random sets, by the names under which they are glued."""
    sizes, ours = means["size"], means["mean"]
    ends = {end: ours[sizes == sizes.agg(end)].mean() for end in ("min", "max")}
    varies = sizes.nunique() > 1 and ours.nunique() > 1
    found = spearmanr(sizes, ours) if varies else (float("nan"), float("nan"))
    return {
        "sets": len(means),
        "smallest": int(sizes.min()),
        "largest": int(sizes.max()),
        "mean": float(ours.mean()),
        "spread": float(ours.std(ddof=1)),
        "lowest": float(ours.min()),
        "highest": float(ours.max()),
        "away": signed(ours.mean() - statement("mixed-recognizability")["value"]),
        "mean-smallest": float(ends["min"]),
        "mean-largest": float(ends["max"]),
        "size-correlation": signed(found[0]),
        "size-p": float(found[1]),
    }


def facts_of_effects(effects: pd.DataFrame) -> dict[str, Any]:
    """Return the numbers of the prose on single networks, by the names under which they are glued.

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
    entry = ZOO.get(key)
    if entry is None:
        return "own"
    if entry.robust or entry.random:
        return "robust" if entry.robust else "untrained"
    return "transformers" if entry.family == "transformer" else "others"
