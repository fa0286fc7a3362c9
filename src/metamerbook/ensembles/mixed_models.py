"""Random sets of networks, and what each network adds to those it is in (paper, Appendix B, Fig. B1 and Table B2)."""

import dataclasses
from typing import TYPE_CHECKING, Self

import pandas as pd
from pydantic import model_validator
from scipy.stats import spearmanr

from metamerbook.study.judging import evaluate
from metamerbook.study.published import published
from metamerbook.study.settings import Budget, Count, OneStage, Section
from metamerbook.study.smaller import subset_study
from metamerbook.study.tasks import MetamerRun
from metamerlib.evaluation import difference_in_means, draw_model_sets, set_means

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


def mixed_study(study: "Study") -> "Study":
    """Set up the study that the random sets run in: fewer images, and a budget of its own.

    Parameters
    ----------
    study
        The study; its settings ``mixed_n_per_class``, ``mixed_repetitions`` and so on say how few.

    Returns
    -------
    Study
        With the same networks, evaluators and store.
    """
    return subset_study(study, **dict(study.settings.of(MixedModels).mixed))


def mixed_runs(study: "Study") -> list[MetamerRun]:
    """Draw the random sets from the study's evaluators, and describe the generation of their metamers.

    Parameters
    ----------
    study
        The study; its settings ``mixed_sets``, ``mixed_smallest``, ``mixed_largest`` and ``mixed_stage`` say how.

    Returns
    -------
    list of MetamerRun
        In the `mixed_study`, named "mixed 1", "mixed 2", … A set never takes all evaluators: one is left to judge.

    Raises
    ------
    ValueError
        If there are too few evaluators for the smallest set and a judge.
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

    Parameters
    ----------
    study
        As for `mixed_runs`.

    Returns
    -------
    DataFrame
        One row per set and evaluator: model_set ("mixed 1", …), size (networks in it), members (their keys, joined by
        blanks), stage, evaluator, family, robust, random, held_out, n, recognized, recognizability, low, high,
        criterion, reference_accuracy, label_recognizability, residual, reason, n_members, n_wanted.
    """
    runs = mixed_runs(study)
    labelled = []
    for run in runs:
        keys = [model.key for model in run.models]
        labelled.append(({"model_set": run.name, "size": len(keys), "members": " ".join(keys)}, run))
    return evaluate(mixed_study(study), labelled, title="random sets")


def mixed_means(table: pd.DataFrame) -> pd.DataFrame:
    """Average recognizability over the evaluators outside each random set: what Figure B1 shows the spread of.

    Parameters
    ----------
    table
        As `mixed` returns it.

    Returns
    -------
    DataFrame
        One row per set: model_set, size, members, mean, levelled (the mean for the average evaluator: sets are judged
        by different ones), median, sd (over evaluators, n - 1), n_evaluators, n (images).
    """
    outside = table[table["held_out"] & table["recognizability"].notna()]
    cells = outside.groupby(["model_set", "size", "members"], sort=False)
    means = cells["recognizability"].agg(["mean", "median", "std", "count"]).reset_index()
    levelled = set_means(
        outside["model_set"].tolist(),
        outside["evaluator"].tolist(),
        outside["recognizability"].tolist(),
        adjust_evaluators=True,
    )
    means["levelled"] = means["model_set"].map(levelled)
    means["n"] = int(table["n"].max())
    means = means.rename(columns={"std": "sd", "count": "n_evaluators"})
    return means[["model_set", "size", "members", "mean", "levelled", "median", "sd", "n_evaluators", "n"]]


def mixed_effects(study: "Study", table: pd.DataFrame, *, resamples: int = 2000) -> pd.DataFrame:
    """Estimate what each network adds to the random sets it is in, beside the paper's Table B2.

    Parameters
    ----------
    study
        Whose networks.
    table
        As `mixed` returns it.
    resamples
        Bootstrap resamples of the sets behind the 95 % intervals.

    Returns
    -------
    DataFrame
        One row per network, in the paper's order of rank, others behind: model (key), available (whether it was drawn
        from), appearances, sets (how many in all), mean_present, mean_absent, difference (signed: present minus
        absent) with low and high, adjusted (at equal size of the sets) with adjusted_low and adjusted_high, levelled
        (adjusted, with every set judged by the average evaluator) with levelled_low and levelled_high,
        published_rank, published_appearances and published_difference (without a sign in the paper). NaN where a
        network is missing, or in every set or none.
    """
    means = mixed_means(table)
    sets = [members.split() for members in means["members"]]
    keys, seed = study.evaluators, study.settings.seed
    effects = difference_in_means(sets, means["mean"], keys=keys, resamples=resamples, seed=seed)
    levelled = difference_in_means(sets, means["levelled"], keys=keys, resamples=resamples, seed=seed)
    for suffix in ("", "_low", "_high"):
        effects[f"levelled{suffix}"] = levelled[f"adjusted{suffix}"]
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
    """Correlate the ranks of our differences in means with those of the paper's.

    Parameters
    ----------
    effects
        As `mixed_effects` returns it.

    Returns
    -------
    DataFrame
        One row per way of reading Table B2: ours ("difference", "absolute difference", "adjusted", "levelled"),
        spearman (in [-1, 1]; NaN with fewer than three networks), p (two-sided), n (networks).
    """
    ways = {
        "difference": effects["difference"],
        "absolute difference": effects["difference"].abs(),
        "adjusted": effects["adjusted"],
        "levelled": effects["levelled"],
    }
    rows = []
    for name, values in ways.items():
        both = pd.DataFrame({"ours": values, "theirs": effects["published_difference"]}).dropna().astype(float)
        usable = len(both) > 2 and both.nunique().min() > 1
        found = spearmanr(both["ours"], both["theirs"]) if usable else (float("nan"), float("nan"))
        rows.append({"ours": name, "spearman": float(found[0]), "p": float(found[1]), "n": len(both)})
    return pd.DataFrame(rows)
